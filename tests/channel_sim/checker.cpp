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

void Checker::was_restored(const std::optional<channels::CoSignedState>& from_backup,
                           const std::optional<channels::CoSignedState>& at_peer) {
  restored_ = true;
  held_version_ = floor_version_;
  held_mine_ = floor_mine_;
  if (from_backup) hold(*from_backup);
  if (at_peer) hold(*at_peer);
}

u128 Checker::mine(const channels::ChannelState& state) const {
  return (setup_.side == Side::a ? state.balance_a : state.balance_b).micro;
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
  if (state.version.value <= held_version_ || restored_) return;
  if (state.version.value % 2 == (setup_.side == Side::a ? 1U : 0U)) return;  // its own proposal
  if (mine(state) < owed_now()) breach_ = "the party signed credits away with " + what;
}

u128 Checker::owed_now() const {
  u128 owed = held_mine_;
  for (const auto& [version, amount] : offers_) {
    if (version > held_version_) owed = std::min(owed, amount);
  }
  return owed;
}

void Checker::sent(const channel::Message& message) {
  if (const auto* offer = std::get_if<channel::Offer>(&message)) {
    offered(offer->state);
  } else if (const auto* signed_update = std::get_if<channel::Countersigned>(&message)) {
    keeps(signed_update->update.state, "an update");
    hold(signed_update->update);
  } else if (const auto* close = std::get_if<channel::CloseAccepted>(&message)) {
    keeps(close->close.state, "a close");
  } else if (const auto* splice = std::get_if<channel::SpliceOffer>(&message)) {
    splices_[splice->splice.state.version.value] = splice->splice;
  } else if (const auto* accepted = std::get_if<channel::SpliceAccepted>(&message)) {
    splices_[accepted->splice.state.version.value] = accepted->splice;
  }
}

void Checker::offered(const channels::ChannelState& state) {
  offers_[state.version.value] = mine(state);
}

void Checker::received(const channel::Message& message) {
  if (const auto* update = std::get_if<channel::Countersigned>(&message)) hold(update->update);
  if (const auto* hello = std::get_if<channel::Hello>(&message)) {
    if (hello->newest) hold(*hello->newest);
  }
}

void Checker::on_final_event(const channels::Event& event) {
  if (const auto* fraud = std::get_if<channels::FraudProved>(&event)) {
    if (fraud->cheater == setup_.side) breach_ = "an honest party was named a cheater";
  } else if (const auto* spliced = std::get_if<channels::ChannelSpliced>(&event)) {
    const auto body = splices_.find(spliced->version.value);
    if (body == splices_.end()) {
      if (!restored_) breach_ = "a splice that the party never signed";
      return;
    }
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

void Checker::check_payout(const channels::ChannelClosed& event) {
  closed_ = true;
  const u128 owed = owed_now();
  const u128 paid = (setup_.side == Side::a ? event.payouts.to_a : event.payouts.to_b).micro;
  // The fee is on what stands in the end, which may be more than what is owed.
  const i128 gain = static_cast<i128>(std::max(owed, paid)) - base_mine_;
  u128 less = gain > 0 ? static_cast<u128>(gain) / 99 + 1 : 0;
  if (restored_) less += kCredit.micro;
  if (paid + less < owed) {
    breach_ = "owed " + to_decimal(owed) + ", paid " + to_decimal(paid) + " at version " +
              std::to_string(event.version.value) + ", held " + std::to_string(held_version_);
  }
}

}  // namespace tally::channel_sim
