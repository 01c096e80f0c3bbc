#include "tests/sim/checkpoints.hpp"

#include <map>
#include <vector>

#include "primitives/crypto/hash.hpp"

namespace tally::sim {
namespace {

constexpr std::size_t kPrefix = 32;         // of an item
constexpr std::size_t kHashedAccount = 48;  // blake2_128 and the account

using Entries = std::vector<std::pair<Bytes, Bytes>>;  // key behind the prefix, value

Entries entries_of(const ports::Store& store, std::string_view module, std::string_view item) {
  Bytes prefix = to_bytes(twox_128(as_bytes(module)));
  append(prefix, twox_128(as_bytes(item)));
  Entries out;
  store.scan(ports::Column::state, prefix, [&](ByteView key, ByteView value) {
    if (key.size() < kPrefix || !equal(key.first(kPrefix), prefix)) return false;
    out.emplace_back(to_bytes(key.subspan(kPrefix)), to_bytes(value));
    return true;
  });
  return out;
}

// What is read of a Checkpoint: the label, and behind hash, store, content id, size and parent the
// deposit.
struct Read {
  std::string label;
  Balance deposit;
};
std::optional<Read> read_checkpoint(ByteView value) {
  Decoder in(value);
  Read out;
  ByteView skipped;
  std::string content_id;
  std::optional<std::uint64_t> parent;
  const bool ok = decode_from(in, out.label) && in.take(32 + 1, skipped) &&
                  decode_from(in, content_id) && in.take(8, skipped) && decode_from(in, parent) &&
                  decode_from(in, out.deposit);
  return ok ? std::optional(out) : std::nullopt;
}

using Owned = std::map<std::pair<Bytes, std::uint64_t>, Read>;  // by owner and index

// The newest index of each owner and label.
std::map<std::pair<Bytes, std::string>, std::uint64_t> newest_of(const Owned& checkpoints) {
  std::map<std::pair<Bytes, std::string>, std::uint64_t> out;
  for (const auto& [key, read] : checkpoints) out[{key.first, read.label}] = key.second;
  return out;
}

std::optional<std::string> audit_latest(const ports::Store& store, const Owned& checkpoints) {
  std::map<std::pair<Bytes, std::string>, std::uint64_t> named;
  for (const auto& [key, value] : entries_of(store, "StorageRegistry", "Latest")) {
    const ByteView account = ByteView(key).subspan(16, 32);
    const auto label = decode<std::string>(ByteView(key).subspan(kHashedAccount + 16));
    const auto index = decode<std::uint64_t>(value);
    if (!label.ok() || !index.ok()) return "an entry of Latest does not decode";
    named[{to_bytes(account), *label}] = *index;
  }
  if (named != newest_of(checkpoints)) return "Latest is not the newest checkpoint of each label";
  return std::nullopt;
}

std::optional<std::string> audit_lists(const ports::Store& store, const Owned& checkpoints) {
  std::size_t listed = 0;
  for (const auto& [key, value] : entries_of(store, "StorageRegistry", "Owners")) {
    const Bytes account = to_bytes(ByteView(key).subspan(16, 32));
    Decoder in(value);
    std::uint64_t next = 0;
    std::vector<std::uint64_t> live;
    if (!decode_from(in, next) || !decode_from(in, live)) return "an owner does not decode";
    for (const std::uint64_t index : live) {
      if (!checkpoints.contains({account, index}) || index >= next) {
        return "an owner's list names a checkpoint that is not there";
      }
    }
    listed += live.size();
  }
  if (listed != checkpoints.size()) return "a checkpoint is in no list";
  return std::nullopt;
}

}  // namespace

runtime::RuntimeCall checkpoint_call(Random& random) {
  using namespace storage_registry;
  if (random.chance(300)) {
    return runtime::StorageRegistryCall{RemoveCheckpoint{CheckpointIndex(random.below(8))}};
  }
  RecordCheckpoint call;
  call.label = std::string(1, static_cast<char>('a' + random.below(3)));
  call.state_hash.bytes = blake2_256(encode(random.next())).bytes;
  call.store = StoreKind::directory;
  call.content_id = raw_cid(encode(random.next())).to_text();
  call.size_bytes = {random.below(1 << 20)};
  if (random.chance(300)) call.parent = CheckpointIndex(random.below(8));
  return runtime::StorageRegistryCall{call};
}

std::optional<std::string> audit_checkpoints(const ports::Store& store) {
  Owned checkpoints;
  u128 deposits = 0;
  for (const auto& [key, value] : entries_of(store, "StorageRegistry", "Checkpoints")) {
    const auto read = read_checkpoint(value);
    if (!read || key.size() != kHashedAccount + 16) return "a checkpoint does not decode";
    const auto index = decode<std::uint64_t>(ByteView(key).subspan(kHashedAccount + 8));
    deposits += read->deposit.micro;
    checkpoints[{to_bytes(ByteView(key).subspan(16, 32)), *index}] = *read;
  }
  constexpr std::uint8_t kStorageDeposit = 4;
  u128 held = 0;
  for (const auto& [key, value] : entries_of(store, "Credits", "HeldTotal")) {
    if (key.back() == kStorageDeposit) held = *decode<u128>(value);
  }
  if (held != deposits) return "what is held for checkpoints is not the sum of their deposits";
  if (auto found = audit_lists(store, checkpoints)) return found;
  return audit_latest(store, checkpoints);
}

}  // namespace tally::sim
