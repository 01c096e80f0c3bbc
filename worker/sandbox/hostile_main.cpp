// A test's executor that does harm: the job's spec is the name of what it tries. It closes the same
// sandbox as the real one. Never installed.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <vector>

#include "worker/sandbox/child.hpp"

namespace {

using namespace tally;

Bytes hostile_frame(std::uint32_t length, ByteView body) {
  Bytes out = encode(length);
  append(out, body);
  return out;
}

void say(ByteView bytes) {
  (void)!write(STDOUT_FILENO, bytes.data(), bytes.size());
}

void eat_memory() {
  std::vector<Bytes> kept;
  while (true) kept.emplace_back(8 << 20, 1);
}

[[noreturn]] void overflow_stack(const volatile char* below) {
  volatile char block[4096];
  block[0] = *below;
  overflow_stack(block);
}

// Returns only if nothing stopped it.
void attack(std::string_view name) {
  if (name == "open") (void)open("/etc/passwd", O_RDONLY | O_CLOEXEC);
  if (name == "create") (void)open("/tmp/tally-hostile", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (name == "socket") (void)socket(AF_INET, SOCK_STREAM, 0);
  if (name == "fork") (void)fork();
  if (name == "exec") (void)execl("/bin/sh", "sh", "-c", "true", nullptr);
  if (name == "kill") (void)kill(getppid(), SIGTERM);
  if (name == "descriptor") (void)dup(0);
  if (name == "write-elsewhere") (void)!write(STDERR_FILENO, "x", 1);
  if (name == "executable-memory") {
    (void)mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
               0);
  }
  if (name == "memory") eat_memory();
  if (name == "stack") overflow_stack("");
  for (volatile bool forever = true; name == "loop" && forever;) {
  }
  if (name == "exit") _exit(0);
  if (name == "crash") __builtin_trap();
  if (name == "null") *static_cast<volatile int*>(nullptr) = 1;
  if (name == "garbage") say(hostile_frame(5, as_bytes("\xff\xff\xff\xff\xff")));
  if (name == "huge-header") say(hostile_frame(0xffffffff, {}));
  if (name == "huge-output") {
    say(sandbox::frame(sandbox::AnswerHeader{1, sandbox::JobDone{~0ull, {}}}));
  }
  if (name == "wrong-id") say(sandbox::frame(sandbox::AnswerHeader{99, sandbox::JobDone{}}));
  if (name == "short-output") {
    say(sandbox::frame(sandbox::AnswerHeader{1, sandbox::JobDone{10, {}}}));
    _exit(0);
  }
}

executors::TaskResult hostile(task::TaskType, ByteView spec, ByteView input) try {
  attack(as_text(spec));
  return executors::TaskOutput{.bytes = to_bytes(input), .hash = {}};
} catch (const std::bad_alloc&) {
  return fail(task::TaskFailure{task::FailureReason::out_of_memory, "caught"});
}

}  // namespace

int main(int argc, char** argv) {
  // Before any of it: an executor that never gets ready.
  if (argc > 3 && std::string_view(argv[3]) == "--mute") pause();
  return tally::sandbox::run_child_if_asked(argc, argv, hostile).value_or(2);
}
