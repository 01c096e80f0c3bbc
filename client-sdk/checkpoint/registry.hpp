// Checkpoints as the chain has them, each read with its proof at one final block.
//
//   auto newest = TALLY_TRY(latest(chain, owner, "my-simulation"));   // nothing: no live one
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "client-sdk/chain/client.hpp"
#include "modules/storage_registry/types.hpp"

namespace tally::checkpoint {

using storage_registry::Checkpoint;
using storage_registry::CheckpointIndex;

struct Entry {
  CheckpointIndex index;
  Checkpoint record;
  friend bool operator==(const Entry&, const Entry&) = default;
};

// One checkpoint of an account: the newest with a label, or the one with an index.
struct Wanted {
  AccountId owner;
  std::variant<std::string, CheckpointIndex> which;
};

client::ClientResult<std::optional<Entry>> latest(client::ChainClient& chain,
                                                  const AccountId& owner, const std::string& label);
client::ClientResult<std::optional<Entry>> find(client::ChainClient& chain, const Wanted& wanted);
// All live ones, oldest first, at one block.
struct Listed {
  client::FinalHead at;
  CheckpointIndex next;  // what the account's next checkpoint will be
  std::vector<Entry> entries;
};
client::ClientResult<Listed> list(client::ChainClient& chain, const AccountId& owner);
// At this block, from this index on.
client::ClientResult<Listed> list_from(client::ChainClient& chain, const client::FinalHead& at,
                                       const AccountId& owner, CheckpointIndex first);

}  // namespace tally::checkpoint
