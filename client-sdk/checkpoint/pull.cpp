#include "client-sdk/chain/calls.hpp"
#include "client-sdk/checkpoint/failure.hpp"
#include "client-sdk/checkpoint/folder.hpp"
#include "primitives/ss58.hpp"

namespace tally::checkpoint {

namespace {

std::string name_of(const Wanted& wanted) {
  if (const auto* label = std::get_if<std::string>(&wanted.which)) {
    return "no live checkpoint with the label \"" + *label + "\"";
  }
  return "no live checkpoint " + std::to_string(std::get<CheckpointIndex>(wanted.which).value);
}

CheckpointResult<Entry> find_entry(client::ChainClient& chain, const Wanted& wanted) {
  auto entry = TALLY_TRY(of_chain(find(chain, wanted)));
  if (entry) return *std::move(entry);
  return failure(Fault::not_found,
                 "the account " + to_ss58(wanted.owner) + " has " + name_of(wanted));
}

CheckpointResult<Entry> fetchable(client::ChainClient& chain, const Wanted& wanted) {
  Entry entry = TALLY_TRY(find_entry(chain, wanted));
  if (entry.record.size_bytes > kMaxStateBytes) {
    return failure(Fault::invalid, "the checkpoint's state has " +
                                       std::to_string(entry.record.size_bytes) +
                                       " bytes by its record, more than the " +
                                       std::to_string(kMaxStateBytes) + " that are fetched");
  }
  return entry;
}

struct Fetched {
  Bytes state;
  std::uint64_t blob_bytes{};
  storage::BlobStore* store{};
};

CheckpointResult<Fetched> fetch(const Entry& entry, const PullOptions& options,
                                const StoreFinder& stores) {
  const Checkpoint& record = entry.record;
  storage::BlobStore* store = stores(record.store);
  if (store == nullptr) {
    return failure(Fault::store, "the checkpoint lies in a store of the kind " +
                                     std::string(enumerator_name(record.store)) +
                                     ", and none is configured here");
  }
  const auto blob = store->get({record.store, record.content_id}, blob_bytes_max(record.size_bytes),
                               options.stop);
  if (!blob.ok()) return store_failure(blob.error());
  auto state = unpack(*blob, {record.state_hash, record.size_bytes});
  if (!state.ok()) return failure(Fault::mismatch, state.error().message);
  return Fetched{*std::move(state), blob->size(), store};
}

}  // namespace

CheckpointResult<Pulled> pull(const Wanted& wanted, const PullOptions& options,
                              const PullSource& from) {
  const auto folder = Folder::open(options.folder);
  if (!folder.ok()) return local_failure(folder.error());
  Entry entry = TALLY_TRY(fetchable(from.chain, wanted));
  auto cached = folder->state(entry.record.state_hash);
  if (cached && cached->size() == entry.record.size_bytes) {
    return Pulled{*std::move(cached), std::move(entry), Source::cache};
  }
  Fetched fetched = TALLY_TRY(fetch(entry, options, from.stores));
  folder->note_match(wanted.owner, entry);
  const auto kept = folder->keep_state(entry.record.state_hash, fetched.state);
  if (!kept.ok()) return local_failure(kept.error());
  return Pulled{std::move(fetched.state), std::move(entry), Source::store};
}

CheckpointResult<Verified> verify(const Wanted& wanted, const PullOptions& options,
                                  const PullSource& from) {
  const auto folder = Folder::open(options.folder);
  if (!folder.ok()) return local_failure(folder.error());
  Entry entry = TALLY_TRY(fetchable(from.chain, wanted));
  const Fetched fetched = TALLY_TRY(fetch(entry, options, from.stores));
  const auto status =
      fetched.store->status({entry.record.store, entry.record.content_id}, options.stop);
  if (!status.ok()) return store_failure(status.error());
  folder->note_match(wanted.owner, entry);
  return Verified{std::move(entry), fetched.blob_bytes, *status};
}

CheckpointResult<Removed> remove(client::ChainClient& chain, const KeyPair& key,
                                 CheckpointIndex index, const client::SubmitOptions& options) {
  Entry entry = TALLY_TRY(find_entry(chain, {key.account(), index}));
  const Bytes call = client::call_bytes(storage_registry::RemoveCheckpoint{index});
  auto outcome = TALLY_TRY(of_chain(chain.submit(key, call, options)));
  if (outcome.failure) {
    auto refused = failure(Fault::refused, "the chain refused to remove the checkpoint: " +
                                               runtime::to_text(*outcome.failure));
    refused.error.refusal = outcome.failure;
    return refused;
  }
  return Removed{std::move(outcome), std::move(entry)};
}

}  // namespace tally::checkpoint
