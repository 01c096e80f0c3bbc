#include "tests/channel_sim/trace.hpp"

namespace tally::channel_sim {

void Trace::note(std::string_view what, ByteView bytes) {
  const auto fold = [&](std::uint8_t byte) { value_ = (value_ ^ byte) * 1'099'511'628'211u; };
  for (const char c : what) fold(static_cast<std::uint8_t>(c));
  for (const std::uint8_t byte : bytes) fold(byte);
  if (out_ != nullptr) *out_ << what << '\n';
}

void Trace::message(std::string_view from, const channel::Message& message) {
  const channels::ChannelState* state = nullptr;
  if (const auto* offer = std::get_if<channel::Offer>(&message)) state = &offer->state;
  if (const auto* update = std::get_if<channel::Countersigned>(&message)) {
    state = &update->update.state;
  }
  if (const auto* close = std::get_if<channel::CloseOffer>(&message)) state = &close->state;
  if (const auto* close = std::get_if<channel::CloseAccepted>(&message)) {
    state = &close->close.state;
  }
  if (const auto* splice = std::get_if<channel::SpliceOffer>(&message)) {
    state = &splice->splice.state;
  }
  if (const auto* splice = std::get_if<channel::SpliceAccepted>(&message)) {
    state = &splice->splice.state;
  }
  const auto* hello = std::get_if<channel::Hello>(&message);
  if (hello != nullptr && hello->newest) state = &hello->newest->state;
  const std::string_view name =
      std::visit([](const auto& m) { return std::decay_t<decltype(m)>::kName; }, message);
  std::string text = std::string(from) + " says " + std::string(name);
  if (state != nullptr) {
    text += " " + std::to_string(state->version.value) + ", acked " +
            std::to_string(state->acked.value) + ", " + to_decimal(state->balance_a.micro) + " : " +
            to_decimal(state->balance_b.micro);
  }
  note(text, channel::encode_message(message));
}

void Trace::block(const BlockContext& block) {
  note("block " + std::to_string(block.number.value) + " at " + std::to_string(block.time.value) +
       " ms, stretch " + std::to_string(block.period_stretch.value));
}

void Trace::call(const AccountId& signer, const channels::Call& call, bool applied) {
  const channels::ChannelState* state = nullptr;
  if (const auto* claim = std::get_if<channels::CloseUnilateral>(&call)) {
    if (claim->claim) state = &claim->claim->state;
  } else if (const auto* refutation = std::get_if<channels::Refute>(&call)) {
    state = &refutation->update.state;
  } else if (const auto* close = std::get_if<channels::Close>(&call)) {
    state = &close->close.state;
  }
  const std::string_view name =
      std::visit([](const auto& c) { return std::decay_t<decltype(c)>::kName; }, call);
  std::string text =
      "  " + to_hex(signer).substr(0, 6) + (applied ? " " : " tries ") + std::string(name);
  if (state != nullptr) text += " of version " + std::to_string(state->version.value);
  note(text);
}

}  // namespace tally::channel_sim
