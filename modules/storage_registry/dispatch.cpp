#include "modules/storage_registry/dispatch.hpp"

#include <algorithm>

#include "modules/credits/api.hpp"
#include "modules/storage_registry/errors.hpp"
#include "modules/storage_registry/events.hpp"
#include "modules/storage_registry/storage.hpp"
#include "primitives/assert.hpp"
#include "primitives/content_id.hpp"

namespace tally::storage_registry {

namespace {

using credits::HoldReason;
constexpr ModuleIndex kModule = ModuleIndex::storage_registry;

// A checkpoint that a link, a list or `latest` names: these only ever name live ones.
StorageEntry<Checkpoint> linked(Context& ctx, const AccountId& owner, CheckpointIndex index) {
  auto entry = kCheckpoints.at(ctx.state, owner, index);
  TALLY_ASSERT(entry.exists());
  return entry;
}

DispatchResult take_deposit(Context& ctx, const AccountId& owner, Balance deposit) {
  const Balance all = TALLY_TRY(checked_add(kDeposits.get(ctx.state), deposit));
  TALLY_TRY(credits::hold(ctx, owner, HoldReason::storage_deposit, deposit));
  kDeposits.put(ctx.state, all);
  return {};
}

void give_back(Context& ctx, const AccountId& owner, Balance deposit) {
  const auto rest = checked_sub(kDeposits.get(ctx.state), deposit);
  TALLY_ASSERT(rest.ok());
  credits::release(ctx, owner, HoldReason::storage_deposit, deposit);
  kDeposits.put(ctx.state, *rest);
}

DispatchResult run(Context& ctx, const Origin& origin, const RecordCheckpoint& call) {
  const AccountId& owner = origin.signer;
  const Config& config = ctx.config<Config>();
  if (!label_is_valid(call.label)) return fail(reject(Error::bad_label));
  if (!content_id_is_valid(call.store, call.content_id)) {
    return fail(reject(Error::bad_content_id));
  }
  if (call.parent && !kCheckpoints.contains(ctx.state, owner, *call.parent)) {
    return fail(reject(Error::unknown_parent));
  }
  auto account = kOwners.at(ctx.state, owner);
  Owner record = account.get();
  const CheckpointIndex index = record.next;
  if (record.live.size() >= config.checkpoints_max || !record.live.push_back(index)) {
    return fail(reject(Error::too_many_checkpoints));
  }
  record.next = index.next();
  TALLY_TRY(take_deposit(ctx, owner, config.deposit));

  auto latest = kLatest.at(ctx.state, owner, call.label);
  Checkpoint checkpoint{.label = call.label,
                        .state_hash = call.state_hash,
                        .store = call.store,
                        .content_id = call.content_id,
                        .size_bytes = call.size_bytes.value,
                        .parent = call.parent,
                        .deposit = config.deposit,
                        .block = ctx.block.number,
                        .time = ctx.block.header_time,
                        .attestation = std::nullopt,
                        .older = latest.find(),
                        .newer = std::nullopt};
  if (checkpoint.older) {
    auto older = linked(ctx, owner, *checkpoint.older);
    Checkpoint neighbour = older.get();
    neighbour.newer = index;
    older.put(neighbour);
  }
  kCheckpoints.put(ctx.state, owner, index, checkpoint);
  latest.put(index);
  account.put(record);
  ctx.events.emit(kModule, CheckpointRecorded{owner, index, call.label, call.state_hash, call.store,
                                              call.content_id, config.deposit});
  return {};
}

// Its neighbours become each other's. Returns the label's latest after that.
std::optional<CheckpointIndex> unlink(Context& ctx, const AccountId& owner,
                                      const Checkpoint& removed) {
  if (removed.older) {
    auto older = linked(ctx, owner, *removed.older);
    Checkpoint neighbour = older.get();
    neighbour.newer = removed.newer;
    older.put(neighbour);
  }
  auto latest = kLatest.at(ctx.state, owner, removed.label);
  if (removed.newer) {
    auto newer = linked(ctx, owner, *removed.newer);
    Checkpoint neighbour = newer.get();
    neighbour.older = removed.older;
    newer.put(neighbour);
  } else if (removed.older) {
    latest.put(*removed.older);
  } else {
    latest.erase();
  }
  return latest.find();
}

DispatchResult run(Context& ctx, const Origin& origin, const RemoveCheckpoint& call) {
  const AccountId& owner = origin.signer;
  auto entry = kCheckpoints.at(ctx.state, owner, call.index);
  const auto removed = entry.find();
  if (!removed) return fail(reject(Error::unknown_checkpoint));
  const auto latest = unlink(ctx, owner, *removed);
  entry.erase();
  auto account = kOwners.at(ctx.state, owner);
  Owner record = account.get();
  const auto place = std::lower_bound(record.live.begin(), record.live.end(), call.index);
  TALLY_ASSERT(place != record.live.end() && *place == call.index);
  record.live.erase(place);
  account.put(record);
  give_back(ctx, owner, removed->deposit);
  ctx.events.emit(kModule,
                  CheckpointRemoved{owner, call.index, removed->label, removed->deposit, latest});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const Attest& call) {
  const Attesters attesters = kAttesters.get(ctx.state);
  if (std::find(attesters.begin(), attesters.end(), origin.signer) == attesters.end()) {
    return fail(reject(Error::not_an_attester));
  }
  auto entry = kCheckpoints.at(ctx.state, call.owner, call.index);
  auto checkpoint = entry.find();
  if (!checkpoint) return fail(reject(Error::unknown_checkpoint));
  if (checkpoint->attestation && checkpoint->attestation->availability >= call.availability) {
    return fail(reject(Error::not_a_step_forward));
  }
  checkpoint->attestation =
      Attestation{call.availability, origin.signer, ctx.block.number, ctx.block.header_time};
  entry.put(*checkpoint);
  ctx.events.emit(kModule,
                  CheckpointAttested{call.owner, call.index, call.availability, origin.signer});
  return {};
}

}  // namespace

bool label_is_valid(std::string_view label) {
  const auto fits = [](char c) { return c > ' ' && c <= '~'; };
  return !label.empty() && label.size() <= kMaxLabel &&
         std::all_of(label.begin(), label.end(), fits);
}

DispatchResult dispatch(Context& ctx, const Origin& origin, const Call& call) {
  return std::visit([&](const auto& alternative) { return run(ctx, origin, alternative); }, call);
}

}  // namespace tally::storage_registry
