#include "tests/support/process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "primitives/bytes.hpp"
#include "primitives/crypto/sign.hpp"

namespace tally::tests {
namespace {

constexpr std::chrono::milliseconds kPoll{20};

}  // namespace

TempFolder::TempFolder()
    : path_(std::filesystem::temp_directory_path() /
            ("tally-e2e-" + to_hex(Secret::generate().view()).substr(0, 16))) {
  std::filesystem::create_directories(path_);
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Process::Process(const std::vector<std::string>& command, std::filesystem::path log)
    : log_(std::move(log)) {
  std::vector<char*> arguments;
  for (const std::string& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);
  const int file = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) throw std::runtime_error("cannot write " + log_.string());
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(file);
  if (pid_ < 0) throw std::runtime_error("cannot start " + command.front());
}

Process::~Process() {
  if (!running()) return;
  signal(SIGKILL);
  reap(true);
}

void Process::reap(bool block) {
  if (exit_) return;
  int status = 0;
  if (::waitpid(pid_, &status, block ? 0 : WNOHANG) != pid_) return;
  exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool Process::running() {
  reap(false);
  return !exit_;
}

void Process::signal(int number) {
  if (running()) ::kill(pid_, number);
}

std::optional<int> Process::wait(std::chrono::seconds deadline) {
  eventually(deadline, [&] { return !running(); });
  return exit_;
}

std::string Process::log() const {
  std::ifstream file(log_, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

Ended run_to_end(const std::vector<std::string>& command, const std::filesystem::path& log,
                 std::chrono::seconds deadline) {
  Process process(command, log);
  const auto code = process.wait(deadline);
  return {code.value_or(-1), process.log()};
}

std::vector<std::uint16_t> free_ports(std::size_t count) {
  std::vector<int> sockets;
  std::vector<std::uint16_t> out;
  for (std::size_t i = 0; i < count; ++i) {
    sockets.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(sockets.back(), generic, size) != 0 ||
        ::getsockname(sockets.back(), generic, &size) != 0) {
      throw std::runtime_error("there is no free port on loopback");
    }
    out.push_back(ntohs(address.sin_port));
  }
  for (const int socket : sockets) ::close(socket);
  return out;
}

bool eventually(std::chrono::seconds deadline, const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

}  // namespace tally::tests
