// The one honest sentence about this node: what state it is in, why, and what its operator should
// do. Pure; the core thread judges after every turn, and a line of the log says every change in the
// same words as `tally node status`.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "node/core/node_core.hpp"
#include "node/ports/query.hpp"

namespace tally::service {

struct StatusInputs {
  bool has_keys = false;
  core::CoreStatus core;
  bool had_peers = false;      // since the start
  bool key_is_in_use = false;  // the node key, by another node
  std::uint32_t peers = 0;
  std::uint32_t validator_peers = 0;
  std::uint64_t linked_weight = 0;  // of members that are linked, itself included
  std::uint64_t quorum = 0;
  DurationMs since_final{};            // since a block became final, or since the start
  DurationMs idle_interval{};          // a final block is due this often at least
  std::optional<std::string> stopped;  // why it cannot go on
};

struct Judgement {
  ports::NodeState state{};
  std::string reason;
  std::string advice;
  std::optional<ports::NodeStatus::Progress> progress;
};

Judgement judge(const StatusInputs& inputs);

// The height that this node is to come to, as far as it can tell.
BlockNumber sync_target(const StatusInputs& inputs);

// What the disk holds, by the sizes of files; a file that vanishes meanwhile counts nothing.
ports::NodeStatus::Disk disk_use(const std::filesystem::path& base_path);

}  // namespace tally::service
