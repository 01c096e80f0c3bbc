#include "modules/channels/payout.hpp"

#include "modules/channels/dispatch.hpp"
#include "modules/channels/storage.hpp"
#include "modules/credits/api.hpp"
#include "primitives/assert.hpp"

namespace tally::channels {
namespace {

using credits::HoldReason;

Balance sub(Balance a, Balance b) {
  const auto rest = checked_sub(a, b);
  TALLY_ASSERT(rest.ok());
  return *rest;
}

Balance half(Balance amount) {
  return Balance(amount.micro / 2);
}

// move(account whose hold it is, part) until the amount is taken, the first side's part first.
template <class Move>
void take_held(Channel& channel, Side first, Balance amount, Move&& move) {
  for (const Side side : {first, other(first)}) {
    Balance& held = of(side, channel.held);
    const Balance part = min(held, amount);
    if (part.is_zero()) continue;
    held = sub(held, part);
    amount = sub(amount, part);
    move(channel.account(side), part);
  }
  TALLY_ASSERT(amount.is_zero());
}

void pay(Context& ctx, Channel& channel, Side first, const AccountId& to, Balance amount) {
  take_held(channel, first, amount, [&](const AccountId& from, Balance part) {
    credits::pay_held(ctx, {from, HoldReason::channel, to, part});
  });
}

void burn(Context& ctx, Channel& channel, Balance amount, credits::BurnReason reason) {
  take_held(channel, Side::a, amount, [&](const AccountId& from, Balance part) {
    credits::burn_held(ctx, from, HoldReason::channel, part, reason);
  });
}

}  // namespace

void pay_side(Context& ctx, Channel& channel, Side to, Balance amount) {
  pay(ctx, channel, to, channel.account(to), amount);
}

void end_channel(Context& ctx, Channel channel, const End& end, const Division& division) {
  const Payouts& payouts = division.payouts;
  const Balance total = locked(channel);
  // The sides first, so that credits that stay with their account do not move at all.
  pay_side(ctx, channel, Side::a, payouts.to_a);
  pay_side(ctx, channel, Side::b, payouts.to_b);
  if (channel.challenge) {
    for (const Side side : kBothSides) {
      const auto& mark = of(side, channel.challenge->fraud);
      if (!mark || !mark->tower) continue;
      pay(ctx, channel, side, *mark->tower, of(side, division.to_tower));
    }
  }
  const Balance burned = half(payouts.settlement_fee);
  burn(ctx, channel, burned, credits::BurnReason::channel_fee);
  take_held(channel, Side::a, sub(payouts.settlement_fee, burned),
            [&](const AccountId& from, Balance part) {
              credits::pay_held_to_pool(ctx, from, HoldReason::channel, part);
            });
  const Balance burned_fees = half(payouts.transaction_fees);
  burn(ctx, channel, burned_fees, credits::BurnReason::fee);
  pay(ctx, channel, Side::a, ctx.block.proposer, sub(payouts.transaction_fees, burned_fees));
  TALLY_ASSERT(locked(channel).is_zero());

  lower_locked(ctx, total);
  forget_channel(ctx, channel, end.channel_id);
  ctx.events.emit(kModule, ChannelClosed{end.channel_id, channel.opener, channel.counterparty,
                                         end.ending, end.version, end.receipts_count, payouts});
}

void settle_standing(Context& ctx, const Channel& channel, const ChannelId& channel_id,
                     Ending ending) {
  const Position& standing = channel.challenge->standing;
  end_channel(ctx, channel, {channel_id, ending, standing.version, standing.receipts_count},
              divide_challenge(channel, ctx.config<Config>()));
}

void forget_channel(Context& ctx, const Channel& channel, const ChannelId& channel_id) {
  kChannels.erase(ctx.state, channel_id);
  const std::uint32_t open = kOpenCount.get(ctx.state, channel.opener);
  TALLY_ASSERT(open > 0);
  if (open == 1) {
    kOpenCount.erase(ctx.state, channel.opener);
  } else {
    kOpenCount.put(ctx.state, channel.opener, open - 1);
  }
}

void raise_locked(Context& ctx, Balance by) {
  const auto sum = checked_add(kLocked.get(ctx.state), by);
  TALLY_ASSERT(sum.ok());
  kLocked.put(ctx.state, *sum);
}

void lower_locked(Context& ctx, Balance by) {
  kLocked.put(ctx.state, sub(kLocked.get(ctx.state), by));
}

}  // namespace tally::channels
