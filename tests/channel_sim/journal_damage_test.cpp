// The journal of a party, and the one of a tower, as channels fill them, cut at every byte and with
// every bit flipped. The party goes on from what it had written, or is told what to do; and it
// signs nothing in a channel whose peer holds more than what is left.
//
// Shown to fail: with a journal whose last mark was not on the disk, flips of the last frame let
// the party go on below what it signed.
#include <catch2/catch.hpp>

#include <deque>

#include "client-sdk/channel/driver.hpp"
#include "client-sdk/channel/journal_records.hpp"
#include "client-sdk/channel/tower.hpp"
#include "primitives/crypto/hash.hpp"
#include "tests/channel_sim/chain.hpp"
#include "tests/channel_sim/disk.hpp"
#include "tests/channel_sim/signer.hpp"

namespace tally::channel {
namespace {

using channel_sim::key_of;
using channel_sim::Pair;
using channel_sim::SimDisk;
using channels::Side;

constexpr Balance kDeposit{50'000'000};

struct Wire final : Effects {
  std::deque<Bytes> out;
  std::vector<channels::Call> submitted;
  void send(const ChannelId&, const AccountId&, Bytes message) override { out.push_back(message); }
  void submit(const ChannelId&, const channels::Call& call, bool) override {
    submitted.push_back(call);
  }
  void set_timer(const ChannelId&, TimerKind, DurationMs) override {}
  void tell(const ChannelId&, const Tell&) override {}
};

// Two parties that paid each other in two channels; what the first one's journal was after each
// write, and what it held then.
struct Recorded {
  Pair pair{key_of("alice"), key_of("bob")};
  ChannelId ids[2] = {*ChannelId::from(blake2_256(as_bytes("one"))),
                      *ChannelId::from(blake2_256(as_bytes("two")))};
  SimDisk disk;
  SimDisk peers_disk;
  Wire wire;
  Wire peers_wire;
  std::unique_ptr<ChannelDriver> driver;
  std::unique_ptr<ChannelDriver> peer;
  // By the length of the file: the records that it must give.
  std::map<std::size_t, std::vector<Record>> written;

  Terms terms(std::size_t i, Side side) const {
    return {ids[i], pair.a.account(), pair.b.account(), kDeposit, kDeposit, DurationMs(20'000),
            side};
  }
  void end_turns() {
    driver->finish_turn();
    std::vector<Record> records;
    for (const auto& [id, party] : driver->parties()) records.push_back(party.record());
    written[disk.synced().size()] = records;
    peer->finish_turn();
  }
  void exchange() {
    while (!wire.out.empty() || !peers_wire.out.empty()) {
      for (const Bytes& m : std::exchange(wire.out, {})) {
        static_cast<void>(peer->on_message(pair.a.account(), m));
      }
      for (const Bytes& m : std::exchange(peers_wire.out, {})) {
        static_cast<void>(driver->on_message(pair.b.account(), m));
      }
      end_turns();
    }
  }

  Recorded() {
    driver = std::make_unique<ChannelDriver>(*Journal::open(*disk.open()), pair.a, Policy{}, wire);
    peer = std::make_unique<ChannelDriver>(*Journal::open(*peers_disk.open()), pair.b, Policy{},
                                           peers_wire);
    driver->begin_at(BlockNumber(7));
    for (std::size_t i = 0; i < 2; ++i) {
      REQUIRE(driver->open(terms(i, Side::a)).ok());
      REQUIRE(peer->open(terms(i, Side::b)).ok());
      const channels::ChannelOpened opened{ids[i],   pair.a.account(), pair.b.account(),
                                           kDeposit, kDeposit,         DurationMs(20'000),
                                           false};
      driver->on_event(opened);
      peer->on_event(opened);
    }
    end_turns();
    for (std::uint64_t n = 0; n < 4; ++n) {
      const std::vector<Hash> receipts{blake2_256(encode(n))};
      REQUIRE(driver->step(ids[n % 2], Pay{Balance(1'000 + n), receipts}).ok());
      if (n % 3 == 1) REQUIRE(peer->step(ids[1], Pay{Balance(77), {}}).ok());
      end_turns();
      exchange();
    }
  }
};

const Recorded& recorded() {
  static const Recorded out;
  return out;
}

std::vector<Record> newest_before(const Recorded& r, std::size_t size) {
  auto at = r.written.upper_bound(size);
  return at == r.written.begin() ? std::vector<Record>{} : std::prev(at)->second;
}

// The party meets its peer, and is then asked to pay. In a channel whose newer states are lost it
// must not.
void check_signs_nothing_old(const Recorded& r, const Bytes& file) {
  SimDisk disk;
  disk.restore_image(file);
  Wire wire;
  ChannelDriver driver(*Journal::open(*disk.open()), r.pair.a, Policy{}, wire);
  for (const ChannelId& id : r.ids) {
    if (driver.find(id) == nullptr || driver.find(id)->record().stage == Stage::unopened) continue;
    const Record& at_peer = r.peer->find(id)->record();
    const Bytes hello = encode_message(Message(Hello{id, at_peer.newest, false}));
    REQUIRE(driver.on_message(r.pair.b.account(), hello).ok());
    const ChannelVersion before = driver.find(id)->record().highest_signed;
    const auto paid = driver.step(id, Pay{Balance(5), {}});
    const Record& now = driver.find(id)->record();
    const Record& whole = r.driver->find(id)->record();
    if (paid.ok()) {
      CHECK(now.highest_signed > whole.newest_version());
    } else {
      CHECK(now.highest_signed == before);
    }
  }
}

}  // namespace

// Shown to fail where a record that is missing ends a channel whatever the block: the journal would
// have it closed for good.
TEST_CASE("journal: an older block than one that was acted on ends no channel") {
  Recorded r;
  SimDisk disk;
  disk.restore_image(r.disk.synced());
  Wire wire;
  {
    ChannelDriver driver(*Journal::open(*disk.open()), r.pair.a, Policy{}, wire);
    driver.on_final_block(BlockNumber(1'100));  // far enough to be written by itself
    driver.finish_turn();
  }
  ChannelDriver again(*Journal::open(*disk.open()), r.pair.a, Policy{}, wire);
  REQUIRE(again.newest_final() == BlockNumber(1'100));
  again.on_record(r.ids[0], std::nullopt, BlockNumber(1'099));
  CHECK(again.find(r.ids[0])->record().stage == Stage::ready);
  again.on_record(r.ids[0], std::nullopt, BlockNumber(1'100));
  CHECK(again.find(r.ids[0])->record().stage == Stage::closed);
}

TEST_CASE("a party's journal, cut at every byte, gives what was written up to there") {
  const Recorded& r = recorded();
  const Bytes whole = r.disk.image();
  REQUIRE(r.written.size() > 8);
  std::size_t checked = 0;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    SimDisk cut;
    cut.restore_image(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    const auto journal = Journal::open(*cut.open());
    REQUIRE(journal.ok());
    CHECK(records_of(*journal) == newest_before(r, size));
    // Every file that is left like this is one of few; each is met once, at its first byte.
    if (r.written.count(size) != 0 || size == whole.size()) {
      check_signs_nothing_old(r, cut.image());
      ++checked;
    }
  }
  CHECK(checked >= r.written.size());
}

TEST_CASE("a party's journal with any bit flipped gives all that was written, or is refused") {
  const Recorded& r = recorded();
  const Bytes whole = r.disk.image();
  const std::vector<Record> all = r.written.rbegin()->second;
  std::size_t refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes bad = whole;
      bad[at] ^= static_cast<std::uint8_t>(1U << bit);
      SimDisk flipped;
      flipped.restore_image(std::move(bad));
      const auto journal = Journal::open(*flipped.open());
      if (journal.ok()) {
        if (records_of(*journal) != all) FAIL("older records at byte " << at << ", bit " << bit);
        continue;
      }
      ++refused;
      if (journal.error().message.find("Restore the channels from a backup") == std::string::npos) {
        FAIL(journal.error().message);
      }
    }
  }
  CHECK(refused > whole.size() * 7);  // all but the marks
}

TEST_CASE("a tower's journal, cut at every byte or with any bit flipped") {
  const Recorded& r = recorded();
  const AccountId account = key_of("tower").account();
  SimDisk disk;
  std::map<std::size_t, ChannelVersion> written;
  {
    Tower tower(*Journal::open(*disk.open()), account);
    const channels::Channel on_chain = [&] {
      channels::Channel out;
      out.opener = r.pair.a.account();
      out.counterparty = r.pair.b.account();
      out.phase = channels::Phase::open;
      out.floor = {ChannelVersion(0), kDeposit, kDeposit, 0};
      return out;
    }();
    for (std::uint64_t version = 1; version <= 5; ++version) {
      const channels::ChannelState state{
          r.ids[0], ChannelVersion(version), kDeposit, kDeposit, Hash{}, 0, ChannelVersion(0)};
      REQUIRE(tower.give({r.pair.update(state), std::nullopt}, on_chain, BlockNumber(7)).ok());
      written[disk.synced().size()] = state.version;
    }
  }
  const Bytes whole = disk.image();
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    SimDisk cut;
    cut.restore_image(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    Tower tower(*Journal::open(*cut.open()), account);
    const auto at = written.upper_bound(size);
    const Watch* watch = tower.find(r.ids[0]);
    REQUIRE((watch == nullptr) == (at == written.begin()));
    if (watch != nullptr) CHECK(watch->update.state.version == std::prev(at)->second);
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes bad = whole;
      bad[at] ^= static_cast<std::uint8_t>(1U << bit);
      SimDisk flipped;
      flipped.restore_image(std::move(bad));
      auto journal = Journal::open(*flipped.open());
      if (!journal.ok()) continue;
      const Tower tower(*std::move(journal), account);
      REQUIRE(tower.find(r.ids[0]) != nullptr);
      CHECK(tower.find(r.ids[0])->update.state.version == ChannelVersion(5));
    }
  }
}

}  // namespace tally::channel
