// A hostile process: what `tally-bench --attack KIND …` does to nodes of the bench chain until it
// is killed. It comes from an address of its own, 127.0.0.9, as another machine would.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tally::bench {

struct Target {
  std::uint16_t peer_port{};
  std::uint16_t rpc_port{};
};

// Each runs on one thread per target and does not return.
using Attack = std::function<void(const Target&)>;
const std::map<std::string, Attack>& attacks();

// `arguments`: KIND, then peer port and gRPC port of each target. The exit code of a wrong call.
int run_attack(const std::vector<std::string>& arguments);

}  // namespace tally::bench
