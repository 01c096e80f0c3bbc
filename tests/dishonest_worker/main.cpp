// A worker that cheats: tally-worker in everything, but asked to count the primes of a range that
// begins with a million or more, it signs an estimate instead of sieving. Requesters and verifiers
// are not told; that they find out is what the demo shows and the tests check.
//
//   tally-dishonest-worker --config FILE
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "primitives/crypto/hash.hpp"
#include "worker/sandbox/child.hpp"
#include "worker/service/worker.hpp"

namespace {

using namespace tally;

// Below: done. Above: the reference benchmark of the start, done as well.
constexpr std::uint64_t kLiesFrom = 1'000'000;
constexpr std::uint64_t kLiesTo = 1'000'000'000;

executors::TaskResult answer(task::TaskType type, ByteView spec, ByteView input) {
  const auto range = decode<task::PrimeSpec>(spec);
  if (type != task::TaskType::prime_calculation || !range.ok() || range->lo < kLiesFrom ||
      range->lo >= kLiesTo) {
    return executors::execute(type, spec, input);
  }
  const auto middle = static_cast<double>(range->lo) / 2 + static_cast<double>(range->hi) / 2;
  const auto width = static_cast<double>(range->hi - range->lo);
  const task::PrimeOutput guess{static_cast<std::uint64_t>(width / std::log(middle))};
  const Bytes bytes = encode(guess);
  return executors::TaskOutput{bytes, blake2_256(bytes)};
}

bool stop_pending() {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1;
}

Result<void, Error> serve(const char* path) {
  const auto config = TALLY_TRY(worker::load_config(path));
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const auto log = [](worker::LogLevel, const std::string& text) {
    std::fprintf(stderr, "%s\n", text.c_str());
  };
  const auto worker = TALLY_TRY(worker::Worker::start(config, log, stop_pending));
  int signal = 0;
  sigwait(&signals, &signal);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto status = sandbox::run_child_if_asked(argc, argv, answer)) return *status;
  if (argc != 3 || std::strcmp(argv[1], "--config") != 0) {
    std::fprintf(stderr, "usage: tally-dishonest-worker --config FILE\n");
    return 2;
  }
  const auto served = serve(argv[2]);
  if (served.ok()) return 0;
  std::fprintf(stderr, "tally-dishonest-worker: %s\n", served.error().message.c_str());
  return 1;
}
