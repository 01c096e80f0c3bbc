#include <chrono>
#include <condition_variable>
#include <mutex>

#include "client-sdk/chain/calls.hpp"
#include "client-sdk/chain/events.hpp"
#include "client-sdk/checkpoint/failure.hpp"
#include "client-sdk/checkpoint/folder.hpp"
#include "client-sdk/checkpoint/push_journal.hpp"
#include "modules/storage_registry/errors.hpp"
#include "modules/storage_registry/events.hpp"
#include "modules/storage_registry/storage.hpp"
#include "modules/system/storage.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::checkpoint {

namespace {

using storage_registry::RecordCheckpoint;

constexpr std::uint32_t kMortalityBlocks = 1'024;
// Attempts to have it included before the push gives up for this time.
constexpr int kAttempts = 10;

void wait(std::uint32_t milliseconds, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock(mutex);
  woken.wait_for(lock, stop, std::chrono::milliseconds(milliseconds), [] { return false; });
}

// What the chain says, at one block, of a push that may have been recorded.
struct ChainView {
  client::FinalHead at;
  Nonce nonce;  // of the signer's next transaction
  std::optional<Entry> recorded;
};

class Push {
 public:
  Push(ByteView state, const PushOptions& options, const PushTarget& target, Folder folder)
      : state_(state),
        options_(options),
        target_(target),
        folder_(std::move(folder)),
        hash_(state_hash(state)),
        id_(blake2_256({target.chain.root().genesis_hash.view(), target.key.account().view(),
                        hash_.view(), encode(target.store.kind()), encode(options.label)})),
        work_(folder_.push_folder(id_)) {}

  CheckpointResult<Pushed> run();

 private:
  const AccountId& owner() const { return target_.key.account(); }
  CheckpointResult<std::optional<Pushed>> already_there();
  CheckpointResult<void> admissible(std::size_t live) const;
  CheckpointResult<void> begin();
  CheckpointResult<void> upload();
  CheckpointResult<void> read_back();
  CheckpointResult<void> record(Pushed& pushed);
  CheckpointResult<ChainView> look() const;
  CheckpointResult<void> sign();
  CheckpointResult<bool> submit(Pushed& pushed);
  CheckpointResult<void> finish(const Pushed& pushed);

  CheckpointResult<void> put();
  CheckpointResult<void> save() const;
  bool is_ours(const Checkpoint& record) const;
  RecordCheckpoint call() const;
  storage::ContentId content() const { return {target_.store.kind(), journal_.stored->content_id}; }
  CheckpointResult<void> reached(Step step) const;

  ByteView state_;
  const PushOptions& options_;
  const PushTarget& target_;
  Folder folder_;
  StateHash hash_;
  Hash id_;  // of this push
  PushFolder work_;
  PushJournal journal_;
  Bytes blob_;
};

CheckpointResult<void> Push::reached(Step step) const {
  if (options_.progress) options_.progress({step, blob_.size(), blob_.size()});
  if (options_.stop.stop_requested() && step != Step::recorded && step != Step::cached) {
    return stopped("before the checkpoint was recorded; push again to go on");
  }
  return {};
}

CheckpointResult<void> Push::save() const {
  const auto written = work_.write(journal_);
  if (!written.ok()) return local_failure(written.error());
  return {};
}

bool Push::is_ours(const Checkpoint& record) const {
  return record.label == options_.label && record.state_hash == hash_ &&
         record.store == target_.store.kind() &&
         (!journal_.stored || record.content_id == journal_.stored->content_id);
}

RecordCheckpoint Push::call() const {
  return {.label = options_.label,
          .state_hash = hash_,
          .store = target_.store.kind(),
          .content_id = journal_.stored->content_id,
          .size_bytes = {state_.size()},
          .parent = journal_.parent};
}

// The label's latest may be this state already; then it only has to be readable.
CheckpointResult<std::optional<Pushed>> Push::already_there() {
  const auto newest = TALLY_TRY(of_chain(latest(target_.chain, owner(), options_.label)));
  const auto listed =
      TALLY_TRY(of_chain(target_.chain.read_item(storage_registry::kOwners, owner())));
  journal_.state_hash = hash_;
  journal_.parent = options_.parent;
  journal_.first = listed ? listed->next : CheckpointIndex(0);
  if (!newest || !is_ours(newest->record)) {
    TALLY_TRY(admissible(listed ? listed->live.size() : 0));
    return std::optional<Pushed>();
  }
  // A blob that is lost goes up again; under the same id it needs no second record.
  journal_.first = newest->index;
  const storage::ContentId there{newest->record.store, newest->record.content_id};
  const auto blob = target_.store.get(there, blob_bytes_max(state_.size()), options_.stop);
  if (!blob.ok() && blob.error().fault == storage::StoreFault::interrupted) {
    return store_failure(blob.error());
  }
  if (!blob.ok() || !unpack(*blob, {hash_, state_.size()}).ok()) return std::optional<Pushed>();
  Pushed pushed;
  pushed.entry = *newest;
  pushed.was_recorded = true;
  pushed.blob_bytes = blob->size();
  return std::optional<Pushed>(std::move(pushed));
}

Failure<CheckpointError> refused_by(storage_registry::Error error) {
  const DispatchError refusal = storage_registry::reject(error);
  auto out = failure(Fault::refused, "the chain would refuse to record the checkpoint: " +
                                         runtime::to_text(refusal));
  out.error.refusal = refusal;
  return out;
}

// What the chain would refuse now, before a store is paid for it.
CheckpointResult<void> Push::admissible(std::size_t live) const {
  client::ChainClient& chain = target_.chain;
  if (options_.parent) {
    const auto parent = TALLY_TRY(
        of_chain(chain.read_item(storage_registry::kCheckpoints, owner(), *options_.parent)));
    if (!parent) return refused_by(storage_registry::Error::unknown_parent);
  }
  const auto config = TALLY_TRY(of_chain(chain.read_item(storage_registry::kConfig)));
  if (!config) return failure(Fault::chain, "the chain has no parameters of the registry");
  if (live >= config->checkpoints_max) {
    return refused_by(storage_registry::Error::too_many_checkpoints);
  }
  const Balance free = TALLY_TRY(of_chain(chain.account(owner()))).data.free;
  if (free <= config->deposit) {
    return failure(Fault::refused, "recording the checkpoint holds a deposit of " +
                                       to_text(config->deposit) + " and costs a fee, and " +
                                       to_text(free) + " are free: nothing was uploaded");
  }
  return {};
}

CheckpointResult<void> Push::begin() {
  auto blob = pack(state_);
  if (!blob.ok()) return failure(Fault::invalid, blob.error().message);
  blob_ = *std::move(blob);
  const auto written = work_.write_blob(blob_);
  if (!written.ok()) return local_failure(written.error());
  return save();
}

CheckpointResult<void> Push::put() {
  storage::PutOptions options{.folder = work_.store_folder(), .stop = options_.stop};
  if (options_.progress) {
    options.progress = [this](const storage::Progress& progress) {
      options_.progress({Step::uploading, progress.done_bytes, progress.total_bytes});
    };
  }
  const auto stored = target_.store.put(blob_, options);
  if (!stored.ok()) return store_failure(stored.error());
  const StoredBlob now{stored->id.id, stored->cost_winston, false};
  if (journal_.stored == now) return {};
  journal_.stored = now;
  return save();
}

CheckpointResult<void> Push::upload() {
  if (journal_.stored) return {};
  TALLY_TRY(put());
  return reached(Step::uploaded);
}

CheckpointResult<void> Push::read_back() {
  if (journal_.stored->read_back) return {};
  using std::chrono::steady_clock;
  const auto deadline = steady_clock::now() + std::chrono::milliseconds(options_.read_back_ms);
  while (true) {
    const auto got = target_.store.get(content(), blob_.size(), options_.stop);
    if (got.ok() && *got == blob_) break;
    if (!got.ok() && (got.error().fault == storage::StoreFault::interrupted ||
                      got.error().fault == storage::StoreFault::unsupported)) {
      return store_failure(got.error());
    }
    const std::string why = got.ok() ? "the store gave other bytes" : got.error().message;
    if (steady_clock::now() >= deadline) {
      return failure(Fault::unavailable,
                     "the checkpoint is uploaded as " + content().id +
                         " and does not come back yet (" + why +
                         "); nothing is recorded: push again later to go on from here");
    }
    wait(options_.poll_ms, options_.stop);
    if (options_.stop.stop_requested()) {
      return stopped("while the store did not give the bytes back yet; push again to go on");
    }
    TALLY_TRY(put());  // sends again what was lost
  }
  journal_.stored->read_back = true;
  TALLY_TRY(save());
  return reached(Step::read_back);
}

CheckpointResult<ChainView> Push::look() const {
  ChainView view;
  view.at = TALLY_TRY(of_chain(target_.chain.finalized()));
  const auto listed =
      TALLY_TRY(of_chain(list_from(target_.chain, view.at, owner(), journal_.first)));
  for (const Entry& entry : listed.entries) {
    if (is_ours(entry.record)) view.recorded = entry;
  }
  const auto account = TALLY_TRY(
      of_chain(target_.chain.read_at(view.at, {to_bytes(system::kAccount.key(owner()))})));
  if (account.front()) {
    const auto info = decode<system::AccountInfo>(*account.front());
    if (!info.ok()) return failure(Fault::chain, "the account's record does not decode");
    view.nonce = info->nonce;
  }
  return view;
}

CheckpointResult<void> Push::sign() {
  client::SubmitOptions options;
  options.mortality_blocks = kMortalityBlocks;
  const Bytes call_to_sign = client::call_bytes(storage_registry::Call(call()));
  const client::SignedExtrinsic made =
      TALLY_TRY(of_chain(target_.chain.sign(target_.key, call_to_sign, options)));
  const auto decoded = decode_extrinsic(made.bytes);
  TALLY_ASSERT(decoded.ok() && decoded->signature.has_value());
  // The era began at or before this block, so it is over at the latest so many blocks after it.
  const auto head = TALLY_TRY(of_chain(target_.chain.finalized()));
  journal_.signed_record = SignedRecord{made.bytes, decoded->signature->extra.nonce.value,
                                        BlockNumber(head.number.value + kMortalityBlocks)};
  TALLY_TRY(save());
  return reached(Step::tx_signed);
}

// True when it is recorded, false when it is worth looking again.
CheckpointResult<bool> Push::submit(Pushed& pushed) {
  client::SubmitOptions options;
  options.stop = options_.stop;
  const auto outcome = target_.chain.submit_signed(journal_.signed_record->extrinsic, options);
  if (!outcome.ok()) {
    const auto kind = outcome.error().kind;
    const bool again =
        kind == client::ClientErrorKind::expired ||
        (kind == client::ClientErrorKind::rejected && outcome.error().code == "stale_nonce");
    if (!again) return chain_failure(outcome.error());
    return false;
  }
  const auto records = client::decode_events(outcome->events.records);
  if (!records.ok()) return failure(Fault::chain, "the block's events do not decode");
  if (outcome->failure) {
    journal_.signed_record.reset();
    TALLY_TRY(save());
    auto refused = failure(Fault::refused, "the chain refused to record the checkpoint: " +
                                               runtime::to_text(*outcome->failure));
    refused.error.refusal = outcome->failure;
    return refused;
  }
  const auto recorded =
      client::find_event<storage_registry::CheckpointRecorded>(*records, outcome->at.index);
  if (!recorded) return failure(Fault::chain, "the block's events do not tell of the checkpoint");
  const auto entry = TALLY_TRY(of_chain(find(target_.chain, {owner(), recorded->index})));
  if (!entry) {
    return failure(Fault::not_found, "the checkpoint was recorded and removed again meanwhile");
  }
  pushed.entry = *entry;
  pushed.at = outcome->at;
  if (const auto paid = client::find_event<credits::FeePaid>(*records, outcome->at.index)) {
    pushed.fee = paid->fee;
  }
  return true;
}

CheckpointResult<void> Push::record(Pushed& pushed) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const ChainView view = TALLY_TRY(look());
    if (view.recorded) {
      pushed.entry = *view.recorded;
      pushed.was_recorded = true;
      return reached(Step::recorded);
    }
    const auto& signed_record = journal_.signed_record;
    // At this block it is not recorded, and from it on these bytes can never be included.
    if (signed_record &&
        (view.nonce > signed_record->nonce || view.at.number >= signed_record->dead_at)) {
      journal_.signed_record.reset();
      TALLY_TRY(save());
    }
    if (!journal_.signed_record) TALLY_TRY(sign());
    if (TALLY_TRY(submit(pushed))) return reached(Step::recorded);
    wait(options_.poll_ms, options_.stop);
    if (options_.stop.stop_requested()) return stopped("before the record was final");
  }
  return failure(Fault::chain,
                 "the transaction that records the checkpoint is neither included nor refused for "
                 "good: is another program sending from this account? Push again to go on");
}

CheckpointResult<void> Push::finish(const Pushed& pushed) {
  folder_.note_match(owner(), pushed.entry);
  const auto kept = folder_.keep_state(hash_, state_);
  if (!kept.ok()) return local_failure(kept.error());
  const auto removed = work_.remove();
  if (!removed.ok()) return local_failure(removed.error());
  return reached(Step::cached);
}

CheckpointResult<Pushed> Push::run() {
  const auto lock = folder_.lock(id_);
  if (!lock.ok()) return local_failure(lock.error());
  if (!lock->has_value()) {
    return failure(Fault::busy,
                   "another process is pushing this state under this label: wait for "
                   "it, or stop it and push again");
  }
  const auto journal = work_.read();
  if (!journal.ok()) return local_failure(journal.error());
  if (journal->has_value()) {
    journal_ = **journal;
    auto blob = work_.read_blob();
    if (!blob.ok()) return local_failure(blob.error());
    blob_ = *std::move(blob);
  } else {
    auto there = TALLY_TRY(already_there());
    if (there) {
      TALLY_TRY(finish(*there));
      return *std::move(there);
    }
    TALLY_TRY(begin());
  }
  TALLY_TRY(reached(Step::packed));
  TALLY_TRY(upload());
  TALLY_TRY(read_back());
  Pushed pushed;
  pushed.blob_bytes = blob_.size();
  pushed.cost_winston = journal_.stored->cost_winston;
  TALLY_TRY(record(pushed));
  TALLY_TRY(finish(pushed));
  return pushed;
}

}  // namespace

CheckpointResult<Pushed> push(ByteView state, const PushOptions& options,
                              const PushTarget& target) {
  if (!storage_registry::label_is_valid(options.label)) {
    return failure(Fault::invalid, "a label has 1 to 64 printable characters and no space; got \"" +
                                       options.label + "\"");
  }
  if (state.size() > kMaxStateBytes) {
    return failure(Fault::invalid, "a state may have " + std::to_string(kMaxStateBytes) +
                                       " bytes, this one has " + std::to_string(state.size()) +
                                       ": store it in parts");
  }
  auto folder = Folder::open(options.folder);
  if (!folder.ok()) return local_failure(folder.error());
  return Push(state, options, target, *std::move(folder)).run();
}

}  // namespace tally::checkpoint
