#include "runtime/executor.hpp"

#include <algorithm>
#include <cstring>

#include "modules/channels/dispatch.hpp"
#include "modules/credits/api.hpp"
#include "modules/disputes/dispatch.hpp"
#include "modules/validators/api.hpp"
#include "primitives/crypto/vrf.hpp"
#include "primitives/merkle/merkle.hpp"
#include "runtime/checks.hpp"
#include "runtime/events.hpp"
#include "runtime/invariants.hpp"
#include "runtime/read_ahead.hpp"

namespace tally::runtime {

namespace {

// One block in this many is checked in the `sampled` mode.
constexpr std::uint32_t kInvariantSample = 64;
constexpr std::uint64_t kPercent = 100;

std::uint64_t overlay_seed(const Hash& parent_hash) {
  std::uint64_t seed = 0;
  std::memcpy(&seed, parent_hash.bytes.data(), sizeof(seed));
  return seed;
}

}  // namespace

BlockExecutor::BlockExecutor(const StateReader& parent, const BlockInput& input,
                             InvariantChecks checks)
    : parent_(parent),
      input_(input),
      checks_(checks),
      configs_(Configs::read(parent)),
      config_set_(configs_.set()),
      state_(parent, overlay_seed(input.parent_hash)),
      ctx_{state_, block_, events_, config_set_} {}

Result<void, BlockError> BlockExecutor::start() {
  const TimestampMs header_time = input_.consensus.time;
  if (input_.number != system::block_number(parent_).next()) {
    return fail(BlockError{BlockErrorCode::wrong_number});
  }
  if (header_time <= system::kHeaderTime.get(parent_)) {
    return fail(BlockError{BlockErrorCode::time_not_after_parent});
  }
  if (input_.consensus.epoch != validators::epoch_info(parent_).epoch) {
    return fail(BlockError{BlockErrorCode::wrong_epoch});
  }
  const auto output = vrf_proof_to_hash(input_.consensus.vrf_proof);
  if (!output) return fail(BlockError{BlockErrorCode::bad_vrf_proof});

  block_.genesis_hash = system::genesis_hash({parent_, input_.parent_hash});
  block_.parent_hash = input_.parent_hash;
  block_.number = input_.number;
  block_.time = system::next_chain_time(parent_, configs_.system, header_time);
  block_.header_time = header_time;
  block_.epoch = input_.consensus.epoch;
  block_.view = input_.consensus.view;
  block_.proposer = input_.proposer;
  block_.beacon = validators::fold_beacon(validators::beacon(parent_), *output);
  block_.draw_ready =
      validators::draw_ready(parent_, {input_.number, input_.consensus.view, input_.proposer});
  block_.period_stretch = system::period_stretch(system::kLaneUsage.get(parent_));

  system::on_block_start(ctx_);
  validators::on_block_start(ctx_);
  channels::on_block_start(ctx_);
  disputes::on_block_start(ctx_);
  return {};
}

void BlockExecutor::expect(std::span<const CheckedTransaction* const> coming) const {
  read_ahead(parent_, state_, coming.first(std::min(coming.size(), kReadAhead)));
}

Result<void, InvalidTransaction> BlockExecutor::check_room(const Transaction& tx) const {
  const system::Config& config = configs_.system;
  const std::uint64_t share = tx.operational() ? kPercent : kPercent - config.operational_percent;
  const std::uint64_t weight_max = config.block_weight.value / kPercent * share;
  const std::uint64_t bytes_max = config.block_bytes_max * share / kPercent;
  const bool fits = tx.bytes.size() <= config.extrinsic_bytes_max &&
                    bytes_ + tx.bytes.size() <= bytes_max &&
                    weight_ + tx.properties.weight.value <= weight_max;
  if (!fits) return fail(InvalidTransaction::exhausts_resources);
  return {};
}

void BlockExecutor::take_room(const Transaction& tx) {
  weight_ += tx.properties.weight.value;
  bytes_ += tx.bytes.size();
  if (tx.operational()) operational_weight_ += tx.properties.weight.value;
}

Result<void, InvalidTransaction> BlockExecutor::charge(const Transaction& tx, Balance fee) {
  if (credits::charge_fee(ctx_, tx.signer, {fee, tx.extra.tip.value}).ok()) return {};
  // A party without free credits may still defend its channel: its side of the channel pays.
  if (!may_owe_fee(ctx_, tx, fee)) return fail(InvalidTransaction::payment);
  channels::owe_fee(ctx_, {tx.signer, fee}, std::get<ChannelsCall>(tx.call).value);
  return {};
}

Result<void, InvalidTransaction> BlockExecutor::apply(const CheckedTransaction& checked) {
  const Transaction& tx = checked.tx();
  TALLY_TRY(check_room(tx));
  const Fork fork{state_, block_.parent_hash, block_.number, block_.genesis_hash};
  if (TALLY_TRY(additional_for(fork, tx)) != checked.additional()) {
    return fail(InvalidTransaction::bad_proof);
  }
  auto account = system::kAccount.at(state_, tx.signer);
  const Nonce nonce = account.get().nonce;
  if (tx.extra.nonce.value < nonce) return fail(InvalidTransaction::stale);
  if (tx.extra.nonce.value > nonce) return fail(InvalidTransaction::future);
  const Balance fee = TALLY_TRY(fee_for(configs_.credits, tx));

  events_.set_phase(PhaseApply{static_cast<std::uint32_t>(results_.size())});
  TALLY_TRY(charge(tx, fee));
  system::AccountInfo info = account.get();
  info.nonce = nonce.next();
  account.put(info);

  const DispatchResult result =
      atomically(ctx_, [&] { return dispatch(ctx_, Origin{tx.signer}, tx.call); });
  const system::DispatchInfo dispatch_info{
      {{tx.properties.weight.value}, {0}}, tx.properties.dispatch_class, system::Pays::yes};
  TransactionResult outcome{std::nullopt, fee, tx.properties.weight};
  if (result.ok()) {
    events_.emit(system::kModule, system::ExtrinsicSuccess{dispatch_info});
  } else {
    outcome.error = result.error();
    events_.emit(system::kModule, system::ExtrinsicFailed{result.error(), dispatch_info});
  }
  take_room(tx);
  results_.push_back(std::move(outcome));
  hashes_.push_back(tx.hash);
  if (checks_ == InvariantChecks::every_transaction) check_invariants();
  return {};
}

BlockOutcome BlockExecutor::finish() {
  events_.set_phase(PhaseFinalization{});
  const std::uint64_t lane =
      configs_.system.block_weight.value / kPercent * configs_.system.operational_percent;
  system::on_block_end(ctx_, {Weight(operational_weight_), Weight(lane)});
  disputes::on_block_end(ctx_);
  BlockOutcome outcome;
  outcome.named_set = validators::on_block_end(ctx_);
  outcome.events = events_.encoded();
  kEvents.put_encoded(state_, outcome.events);
  const bool sampled = input_.number.value % kInvariantSample == 0;
  if (checks_ != InvariantChecks::sampled || sampled) check_invariants();
  outcome.changes = state_.changes();
  outcome.results = std::move(results_);
  outcome.extrinsics_root = merkle_root(hashes_);
  outcome.weight = Weight(weight_);
  return outcome;
}

void BlockExecutor::check_invariants() const {
  const StateChanges changes = state_.changes();
  const Violation violation = find_violation(ChangeView(parent_, changes), state_, configs_);
  if (violation) assertion_failed(violation->c_str(), __FILE__, __LINE__);
}

}  // namespace tally::runtime
