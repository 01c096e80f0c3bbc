#include "tests/channel_sim/checker.hpp"

#include <algorithm>

#include "modules/channels/signing.hpp"
#include "primitives/crypto/sign.hpp"

namespace tally::channel_sim {

using channels::Side;

Checker::Checker(const Setup& setup)
    : setup_(setup),
      held_mine_((setup.side == Side::a ? setup.deposit_a : setup.deposit_b).micro),
      floor_mine_(held_mine_),
      base_mine_(static_cast<i128>(held_mine_)) {}

void Checker::fail(const std::string& what) {
  if (!breach_) breach_ = (setup_.side == Side::a ? "the opener: " : "the counterparty: ") + what;
}

void Checker::was_restored(const Restore& restore) {
  restored_ = true;
  knows_ = restore.party_knows;
  held_version_ = floor_version_;
  held_mine_ = floor_mine_;
  if (restore.came_back) hold(*restore.came_back);
  if (restore.peer_is_honest && restore.at_peer) hold(*restore.at_peer);
  // What it countersigned and has forgotten may still be used. Closes need not be counted: none
  // gives less than the newest own offer (sent() and keeps() see to that), and those are known.
  for (const auto& [version, what] : signed_) {
    if (what.intent == Intent::update) offer(version, what.mine);
  }
  signed_.clear();
  closing_.reset();
  splice_open_.reset();
}

u128 Checker::mine(const channels::ChannelState& state) const {
  return (setup_.side == Side::a ? state.balance_a : state.balance_b).micro;
}

bool Checker::proposed_here(const channels::ChannelState& state) const {
  return state.version.value % 2 == (setup_.side == Side::a ? 1U : 0U);
}

bool Checker::signed_by_both(const channels::CoSignedState& update) const {
  const Bytes bytes = channels::update_bytes(update.state);
  return verify_offchain(setup_.account_a, bytes, update.signature_a).ok() &&
         verify_offchain(setup_.account_b, bytes, update.signature_b).ok();
}

void Checker::hold(const channels::CoSignedState& update) {
  if (update.state.version.value <= held_version_ || !signed_by_both(update)) return;
  held_version_ = update.state.version.value;
  held_mine_ = mine(update.state);
}

// The party never signs its own credits away: no state of the peer's takes it below what it holds
// or what it offered itself.
void Checker::keeps(const channels::ChannelState& state, const std::string& what) {
  if (state.version.value <= held_version_ || restored_ || proposed_here(state)) return;
  if (mine(state) < owed_now()) fail("signed credits away with " + what);
}

void Checker::signs(const channels::ChannelState& state, Intent intent, Bytes bytes) {
  if (restored_) {
    const bool new_one =
        intent == Intent::splice || (intent == Intent::update && proposed_here(state));
    if (knows_ && new_one) fail("signed something new in a restored channel");
    return;
  }
  const std::uint64_t version = state.version.value;
  const auto known = signed_.find(version);
  if (known != signed_.end()) {
    if (known->second.bytes != bytes) {
      fail("signed version " + std::to_string(version) + " twice, differently");
    }
    return;  // said again
  }
  const std::string what = " at version " + std::to_string(version);
  if (!signed_.empty() && version < signed_.rbegin()->first) fail("signed below what it signed");
  if (intent != Intent::close && claimed_) fail("signed after its claim" + what);
  if (closing_ && (intent != Intent::close || mine(state) != *closing_)) {
    fail("signed something else after a close" + what);
  }
  if (splice_open_) fail("signed while a splice may still be included" + what);
  if (intent == Intent::close) closing_ = mine(state);
  signed_[version] = {intent, std::move(bytes), mine(state)};
}

u128 Checker::owed_now() const {
  u128 owed = held_mine_;
  for (const auto& [version, amount] : offers_) {
    if (version > held_version_) owed = std::min(owed, amount);
  }
  return owed;
}

void Checker::sent(const channel::Message& message) {
  const auto splices = [&](const channels::SpliceBody& body) {
    splices_[body.state.version.value] = body;
    const bool again = signed_.count(body.state.version.value) != 0;
    signs(body.state, Intent::splice, channels::splice_bytes(body));
    if (!again && !restored_) splice_open_ = body;
  };
  if (const auto* offer = std::get_if<channel::Offer>(&message)) {
    signs(offer->state, Intent::update, channels::update_bytes(offer->state));
    offered(offer->state);
  } else if (const auto* answer = std::get_if<channel::Countersigned>(&message)) {
    const channels::ChannelState& state = answer->update.state;
    keeps(state, "an update");
    // The newest that both hold is told again, whoever proposed it.
    if (!proposed_here(state)) signs(state, Intent::update, channels::update_bytes(state));
    hold(answer->update);
  } else if (const auto* close = std::get_if<channel::CloseOffer>(&message)) {
    if (!restored_ && mine(close->state) < owed_now()) fail("offered its credits away in a close");
    signs(close->state, Intent::close, channels::close_bytes(close->state));
  } else if (const auto* closed = std::get_if<channel::CloseAccepted>(&message)) {
    keeps(closed->close.state, "a close");
    signs(closed->close.state, Intent::close, channels::close_bytes(closed->close.state));
  } else if (const auto* splice = std::get_if<channel::SpliceOffer>(&message)) {
    splices(splice->splice);
  } else if (const auto* accepted = std::get_if<channel::SpliceAccepted>(&message)) {
    splices(accepted->splice);
  }
}

void Checker::submitted(const channels::Call& call) {
  const bool claims = std::holds_alternative<channels::CloseUnilateral>(call);
  if (!claims && !std::holds_alternative<channels::RequestClose>(call)) return;
  claimed_ = true;
  if (claims && restored_ && knows_) fail("claimed after it was restored");
}

void Checker::wrote(const channel::Record& record) {
  if (record.newest && !proposed_here(record.newest->state)) {
    const channels::ChannelState& state = record.newest->state;
    signs(state, Intent::update, channels::update_bytes(state));
  }
  if (!record.offer) return;
  const channels::ChannelState& state = record.offer->state;
  if (!restored_) signs(state, Intent::update, channels::update_bytes(state));
  offered(state);
}

// A party that was restored unknown to itself may use a version twice: the lower counts.
void Checker::offer(std::uint64_t version, u128 amount) {
  const auto [known, added] = offers_.emplace(version, amount);
  if (!added) known->second = std::min(known->second, amount);
}

void Checker::offered(const channels::ChannelState& state) {
  offer(state.version.value, mine(state));
}

void Checker::received(const channel::Message& message) {
  if (const auto* update = std::get_if<channel::Countersigned>(&message)) hold(update->update);
  if (const auto* hello = std::get_if<channel::Hello>(&message)) {
    if (hello->newest) hold(*hello->newest);
  }
}

void Checker::on_final_event(const channels::Event& event) {
  if (const auto* fraud = std::get_if<channels::FraudProved>(&event)) {
    if (fraud->cheater == setup_.side) fail("was named a cheater");
  } else if (std::holds_alternative<channels::ChallengeStarted>(event)) {
    splice_open_.reset();  // it is too late for any
  } else if (const auto* spliced = std::get_if<channels::ChannelSpliced>(&event)) {
    const auto body = splices_.find(spliced->version.value);
    if (body == splices_.end()) {
      fail("a splice that it never signed was included");
      return;
    }
    splice_open_.reset();
    held_version_ = spliced->version.value;
    held_mine_ = mine(body->second.state);
    floor_version_ = held_version_;
    floor_mine_ = held_mine_;
    const BalanceDelta delta = setup_.side == Side::a ? body->second.delta_a : body->second.delta_b;
    base_mine_ += delta.micro;
  } else if (const auto* closed = std::get_if<channels::ChannelClosed>(&event)) {
    check_payout(*closed);
  }
}

void Checker::on_final_block(BlockNumber number) {
  if (splice_open_ && number > splice_open_->valid_until) splice_open_.reset();
}

void Checker::check_payout(const channels::ChannelClosed& event) {
  closed_ = true;
  const u128 owed = owed_now();
  const u128 paid = (setup_.side == Side::a ? event.payouts.to_a : event.payouts.to_b).micro;
  // The fee is on what stands in the end, which may be more than what is owed.
  const i128 gain = static_cast<i128>(std::max(owed, paid)) - base_mine_;
  u128 less = gain > 0 ? static_cast<u128>(gain) / 99 + 1 : 0;
  if (restored_) less += kCredit.micro;
  if (paid + less < owed) {
    fail("owed " + to_decimal(owed) + ", paid " + to_decimal(paid) + " at version " +
         std::to_string(event.version.value) + ", held " + std::to_string(held_version_));
  }
}

}  // namespace tally::channel_sim
