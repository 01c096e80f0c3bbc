#include "runtime/validity.hpp"

#include <algorithm>

#include "modules/channels/dispatch.hpp"
#include "modules/credits/api.hpp"
#include "runtime/checks.hpp"
#include "runtime/configs.hpp"

namespace tally::runtime {

namespace {

constexpr std::uint64_t kPicosecondsPerMicrosecond = 1'000'000;
constexpr std::uint64_t kOperationalBit = std::uint64_t{1} << 63;

std::uint64_t priority_of(const Transaction& tx, Balance paid) {
  const u128 weight_us = std::max<u128>(tx.properties.weight.value / kPicosecondsPerMicrosecond, 1);
  const auto rate =
      static_cast<std::uint64_t>(std::min<u128>(paid.micro / weight_us, kOperationalBit - 1));
  return tx.operational() ? (rate | kOperationalBit) : rate;
}

// The channel that it defends, if it is of the kind that may_owe_fee() says yes to.
std::optional<ChannelId> refuted_channel(const Transaction& tx) {
  const auto* call = std::get_if<ChannelsCall>(&tx.call);
  if (call == nullptr || !tx.extra.tip.value.is_zero()) return std::nullopt;
  if (const auto* refute = std::get_if<channels::Refute>(&call->value)) {
    return refute->update.state.channel_id;
  }
  const auto* claimed = std::get_if<channels::CloseUnilateral>(&call->value);
  return claimed != nullptr && claimed->claim ? std::optional(claimed->channel_id) : std::nullopt;
}

}  // namespace

struct TransactionValidator::Inner {
  explicit Inner(const system::Parent& parent)
      : state(parent.state),
        configs(Configs::read(parent.state)),
        config_set(configs.set()),
        fork{state, parent.hash, system::block_number(parent.state).next(),
             system::genesis_hash(parent)} {
    block.number = fork.block;
    block.time = system::kChainTime.get(parent.state);
    block.period_stretch = system::period_stretch(system::kLaneUsage.get(parent.state));
  }

  Overlay state;
  Configs configs;
  ConfigSet config_set;
  Fork fork;
  BlockContext block;
  EventSink events;
};

TransactionValidator::TransactionValidator(const system::Parent& parent)
    : inner_(std::make_unique<Inner>(parent)) {}
TransactionValidator::~TransactionValidator() = default;

Result<SignedAdditional, InvalidTransaction> TransactionValidator::additional(
    const Transaction& tx) const {
  if (tx.bytes.size() > inner_->configs.system.extrinsic_bytes_max) {
    return fail(InvalidTransaction::exhausts_resources);
  }
  return additional_for(inner_->fork, tx);
}

Result<Balance, InvalidTransaction> TransactionValidator::fee(const Transaction& tx) const {
  return fee_for(inner_->configs.credits, tx);
}

bool TransactionValidator::may_owe(const Transaction& tx) const {
  const auto due = fee(tx);
  const Context ctx{inner_->state, inner_->block, inner_->events, inner_->config_set};
  return due.ok() && may_owe_fee(ctx, tx, *due);
}

TransactionValidator::Payer TransactionValidator::payer(const AccountId& account) const {
  const Context ctx{inner_->state, inner_->block, inner_->events, inner_->config_set};
  return {system::kAccount.get(inner_->state, account).nonce,
          credits::spendable_balance(ctx, account)};
}

Result<ValidTransaction, InvalidTransaction> TransactionValidator::validate(
    const CheckedTransaction& checked) const {
  const ValidTransaction valid = TALLY_TRY(preview(checked));
  if (valid.spendable < valid.paid && !may_owe(checked.tx())) {
    return fail(InvalidTransaction::payment);
  }
  return valid;
}

Result<ValidTransaction, InvalidTransaction> TransactionValidator::preview(
    const CheckedTransaction& checked) const {
  const Transaction& tx = checked.tx();
  if (TALLY_TRY(additional(tx)) != checked.additional()) {
    return fail(InvalidTransaction::bad_proof);
  }
  ValidTransaction valid;
  valid.sender = tx.signer;
  valid.nonce = tx.extra.nonce.value;
  const Payer sender = payer(tx.signer);
  valid.account_nonce = sender.nonce;
  if (valid.nonce < valid.account_nonce) return fail(InvalidTransaction::stale);
  valid.fee = TALLY_TRY(fee(tx));
  valid.tip = tx.extra.tip.value;
  const auto paid = checked_add(valid.fee, valid.tip);
  if (!paid.ok()) return fail(InvalidTransaction::payment);
  valid.paid = *paid;
  valid.spendable = sender.spendable;
  valid.refutes = refuted_channel(tx);
  if (valid.spendable < valid.paid && !valid.refutes) return fail(InvalidTransaction::payment);
  valid.priority = priority_of(tx, valid.paid);
  valid.death = tx.extra.era.death(inner_->fork.block);
  valid.operational = tx.operational();
  valid.weight = tx.properties.weight;
  return valid;
}

}  // namespace tally::runtime
