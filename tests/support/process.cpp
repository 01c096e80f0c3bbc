#include "tests/support/process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "primitives/bytes.hpp"
#include "primitives/crypto/sign.hpp"

namespace tally::tests {
namespace {

constexpr std::chrono::milliseconds kPoll{20};
// Below those that the kernel gives to connections.
constexpr std::uint16_t kPortsBegin = 10'240;
constexpr std::uint16_t kPortsEnd = 32'768;

// Against other test programs: a name of an abstract Unix socket, which goes with the process.
bool reserve(std::uint16_t port) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = "tally-test-port-" + std::to_string(port);
  std::copy(name.begin(), name.end(), address.sun_path + 1);
  const int held = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (::bind(held, reinterpret_cast<sockaddr*>(&address), size) == 0) return true;  // kept open
  ::close(held);
  return false;
}

bool is_free(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;  // as servers do, so that a connection that has just ended is no obstacle
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const bool free = ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                    ::listen(socket, 1) == 0;
  ::close(socket);
  return free;
}

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
  static std::mt19937 random{std::random_device{}()};
  std::uniform_int_distribution<std::uint16_t> any(kPortsBegin, kPortsEnd - 1);
  std::vector<std::uint16_t> out;
  for (int tries = 0; out.size() < count; ++tries) {
    if (tries > 10'000) throw std::runtime_error("there is no free port on loopback");
    const std::uint16_t port = any(random);
    if (reserve(port) && is_free(port)) out.push_back(port);
  }
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
