// What is signed in a channel, byte by byte, and that no signature passes for another.
#include "modules/channels/signing.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>

namespace tally::channels {
namespace {

template <class Id>
Id filled(std::uint8_t byte) {
  Id id;
  id.bytes.fill(byte);
  return id;
}

ChannelState state() {
  return {filled<ChannelId>(0x11), ChannelVersion(3),  Balance(7),
          Balance(0x0102),         filled<Hash>(0x22), 5,
          ChannelVersion(1)};
}
SpliceBody splice() {
  return {state(), BalanceDelta(-1), BalanceDelta(2), BlockNumber(9)};
}
OpenConsent consent() {
  return {filled<ChannelId>(0x11), Balance(7), Balance(8), BlockNumber(9)};
}
TowerAppointment appointment() {
  return {filled<ChannelId>(0x11), filled<AccountId>(0x33)};
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}
std::string zeros(std::size_t bytes) {
  return repeated("00", bytes);
}
// ASCII of tallystick/<thing>/v1.
std::string tag(std::string_view thing) {
  const std::string text = "tallystick/" + std::string(thing) + "/v1";
  return to_hex(as_bytes(text));
}
std::string state_hex() {
  return repeated("11", 32) + "03" + zeros(7) + "07" + zeros(15) + "0201" + zeros(14) +
         repeated("22", 32) + "05" + zeros(7) + "01" + zeros(7);
}

}  // namespace

TEST_CASE("golden bytes: an update and a close differ in their intent") {
  CHECK(to_hex(update_bytes(state())) == tag("channel-state") + "00" + state_hex());
  CHECK(to_hex(close_bytes(state())) == tag("channel-state") + "01" + state_hex());
}

TEST_CASE("golden bytes: a splice") {
  CHECK(to_hex(splice_bytes(splice())) == tag("channel-state") + "02" + state_hex() +
                                              repeated("ff", 16) + "02" + zeros(15) + "09000000");
}

TEST_CASE("golden bytes: consent to an open, and a tower's appointment") {
  CHECK(to_hex(open_consent_bytes(consent())) == tag("channel-open") + repeated("11", 32) + "07" +
                                                     zeros(15) + "08" + zeros(15) + "09000000");
  CHECK(to_hex(appointment_bytes(appointment())) ==
        tag("tower-appointment") + repeated("11", 32) + repeated("33", 32));
}

TEST_CASE("a channel's id depends on the chain, both accounts, the counter and the period") {
  const ChannelIdInput input{filled<Hash>(1), filled<AccountId>(2), filled<AccountId>(3), 4,
                             DurationMs(5)};
  std::set<ChannelId> ids{channel_id_of(input)};
  const auto other = [&](auto&& change) {
    ChannelIdInput changed = input;
    change(changed);
    return ids.insert(channel_id_of(changed)).second;
  };
  CHECK(other([](ChannelIdInput& i) { i.genesis_hash.bytes[0] = 9; }));
  CHECK(other([](ChannelIdInput& i) { std::swap(i.opener, i.counterparty); }));
  CHECK(other([](ChannelIdInput& i) { i.counter = 5; }));
  CHECK(other([](ChannelIdInput& i) { i.challenge_period = DurationMs(6); }));
}

}  // namespace tally::channels
