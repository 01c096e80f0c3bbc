#include "client-sdk/checkpoint/registry.hpp"

#include <algorithm>

#include "modules/storage_registry/storage.hpp"

namespace tally::checkpoint {

namespace {

using client::ChainClient;
using client::ClientResult;
using client::FinalHead;
using storage_registry::kCheckpoints;
using storage_registry::kLatest;
using storage_registry::kOwners;
using storage_registry::Owner;

// Keys that are read, with their proofs, in one request.
constexpr std::size_t kBatch = 64;

template <class Value>
ClientResult<std::optional<Value>> decoded(const std::optional<Bytes>& bytes) {
  if (!bytes) return std::optional<Value>();
  auto value = decode<Value>(*bytes);
  if (!value.ok()) {
    return fail(client::ClientError{
        client::ClientErrorKind::not_proved, "not_proved",
        "a checkpoint's record does not decode: is this program older than the chain's runtime?"});
  }
  return std::optional<Value>(*std::move(value));
}

template <class Item, class... Keys>
ClientResult<std::optional<typename Item::Value>> read_one(ChainClient& chain, const FinalHead& at,
                                                           const Item& item, const Keys&... keys) {
  const auto values = TALLY_TRY(chain.read_at(at, {to_bytes(item.key(keys...))}));
  return decoded<typename Item::Value>(values.front());
}

ClientResult<std::optional<Entry>> entry_at(ChainClient& chain, const FinalHead& at,
                                            const AccountId& owner, CheckpointIndex index) {
  auto record = TALLY_TRY(read_one(chain, at, kCheckpoints, owner, index));
  if (!record) return std::optional<Entry>();
  return std::optional<Entry>(Entry{index, *std::move(record)});
}

}  // namespace

ClientResult<std::optional<Entry>> latest(ChainClient& chain, const AccountId& owner,
                                          const std::string& label) {
  if (!storage_registry::label_is_valid(label)) return std::optional<Entry>();
  const FinalHead at = TALLY_TRY(chain.finalized());
  const auto index = TALLY_TRY(read_one(chain, at, kLatest, owner, label));
  if (!index) return std::optional<Entry>();
  return entry_at(chain, at, owner, *index);
}

ClientResult<std::optional<Entry>> find(ChainClient& chain, const Wanted& wanted) {
  if (const auto* label = std::get_if<std::string>(&wanted.which)) {
    return latest(chain, wanted.owner, *label);
  }
  const FinalHead at = TALLY_TRY(chain.finalized());
  return entry_at(chain, at, wanted.owner, std::get<CheckpointIndex>(wanted.which));
}

ClientResult<Listed> list_from(ChainClient& chain, const FinalHead& at, const AccountId& owner,
                               CheckpointIndex first) {
  const Owner account = TALLY_TRY(read_one(chain, at, kOwners, owner)).value_or(Owner{});
  Listed out{at, account.next, {}};
  std::vector<CheckpointIndex> wanted;
  std::copy_if(account.live.begin(), account.live.end(), std::back_inserter(wanted),
               [&](CheckpointIndex index) { return index >= first; });
  for (std::size_t begin = 0; begin < wanted.size(); begin += kBatch) {
    const std::size_t end = std::min(begin + kBatch, wanted.size());
    std::vector<Bytes> keys;
    for (std::size_t i = begin; i < end; ++i) {
      keys.push_back(to_bytes(kCheckpoints.key(owner, wanted[i])));
    }
    const auto values = TALLY_TRY(chain.read_at(at, keys));
    for (std::size_t i = begin; i < end; ++i) {
      auto record = TALLY_TRY(decoded<Checkpoint>(values[i - begin]));
      if (record) out.entries.push_back({wanted[i], *std::move(record)});
    }
  }
  return out;
}

ClientResult<Listed> list(ChainClient& chain, const AccountId& owner) {
  const FinalHead at = TALLY_TRY(chain.finalized());
  return list_from(chain, at, owner, CheckpointIndex(0));
}

}  // namespace tally::checkpoint
