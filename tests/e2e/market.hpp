// Four validators, a worker and a requester's command line, all real processes on loopback.
#pragma once

#include "tests/e2e/answer.hpp"
#include "tests/e2e/cluster.hpp"

namespace tally::tests {

inline const std::string kBinaries = std::string(TALLY_BINARY_DIR) + "/bin/";
constexpr const char* kSmallTask = R"({"type": "prime_calculation", "lo": 0, "hi": 1000000})";

class Market {
 public:
  Market() : worker_port_(free_ports(1).front()) {
    cluster.start_validators();
    REQUIRE(cluster.reaches(1, 1));
    start_worker();
  }

  std::string path(const std::string& name) const {
    return (cluster.folder().path() / name).string();
  }
  std::uint16_t worker_port() const { return worker_port_; }
  std::string worker_address() const { return "127.0.0.1:" + std::to_string(worker_port_); }

  void start_worker() {
    const std::string log = path("worker" + std::to_string(++workers_) + ".log");
    worker = std::make_unique<Process>(
        std::vector<std::string>{kBinaries + "tally-worker", "--chain", "local4", "--dev-account",
                                 "Ferdie", "--base-path", path("worker"), "--listen",
                                 worker_address(), "--node", rpc(1)},
        log);
    const bool up = eventually(kPatience, [&] {
      return !worker->running() || worker->log().find("takes tasks on") != std::string::npos;
    });
    INFO(worker->log());
    REQUIRE(up);
    REQUIRE(worker->running());
  }

  std::vector<std::string> command(const std::vector<std::string>& words) const {
    std::vector<std::string> out{
        kBinaries + "tally", "--json",      "--chain", "local4", "--node", rpc(0),
        "--wallet",          path("wallet")};
    out.insert(out.end(), words.begin(), words.end());
    return out;
  }
  Answer tally(const std::vector<std::string>& words) {
    const std::string log = path("tally" + std::to_string(next_id()) + ".log");
    return answer_of(run_to_end(command(words), log, kPatience));
  }
  std::vector<std::string> task(const std::string& what) const {
    return {"task",           "run",       "--as", "//Eve",   "--worker", "//Ferdie", "--to",
            worker_address(), "--deposit", "1CC",  "--check", "0",        what};
  }
  std::uint64_t total(std::string_view name) {
    const auto info = cluster.client(0)->account(dev_key(KeyScheme::ecdsa, name).account());
    REQUIRE(info.ok());
    return static_cast<std::uint64_t>(info->data.free.micro + info->data.reserved.micro);
  }

  std::string rpc(std::size_t i) const {
    return "127.0.0.1:" + std::to_string(cluster.ports(i).rpc);
  }
  // Another with each call: for names of files.
  int next_id() { return ++commands_; }

  Cluster cluster;
  std::unique_ptr<Process> worker;

 private:
  std::uint16_t worker_port_;
  int workers_ = 0;
  int commands_ = 0;
};

}  // namespace tally::tests
