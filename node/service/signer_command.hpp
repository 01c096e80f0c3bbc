// `tallyd signer`: the process that holds a validator's keys for a node (node/signer).
#pragma once

#include <filesystem>
#include <string>

#include "node/service/config.hpp"
#include "node/service/node.hpp"

namespace tally::service {

struct SignerCommand {
  std::string socket;
  std::string socket_group;     // whose members may connect; empty: only this user
  std::filesystem::path state;  // folder of LOCK and signer-mark
  bool new_mark = false;
};

// The file of the signing mark, in the state folder.
constexpr std::string_view kMarkFile = "signer-mark";

// Runs until SIGINT or SIGTERM, which must be blocked. The keys are those of `config`.
Result<void, StartError> run_signer(const SignerCommand& command, const NodeConfig& config);

}  // namespace tally::service
