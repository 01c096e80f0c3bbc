// The watchtower: what it needs to know before it follows blocks, what ends a watch, and what it
// gives out to be submitted.
#include "client-sdk/channel/tower.hpp"

#include <catch2/catch.hpp>

#include "modules/channels/signing.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::channel {
namespace {

KeyPair key(std::string_view name) {
  return *KeyPair::from_secret(KeyScheme::ed25519, Secret(blake2_256(as_bytes(name)).bytes));
}
const KeyPair kA = key("alice");
const KeyPair kB = key("bob");
const KeyPair kTower = key("tower");

ChannelId id_of(std::uint8_t n) {
  ChannelId id;
  id.bytes.fill(n);
  return id;
}
const ChannelId kOne = id_of(1);
const ChannelId kTwo = id_of(2);

Watch watch(const ChannelId& id, std::uint64_t version) {
  const channels::ChannelState state{id, ChannelVersion(version), kCredit, Balance(), Hash{},
                                     0,  ChannelVersion(0)};
  const Bytes bytes = channels::update_bytes(state);
  return {{state, kA.sign(bytes), kB.sign(bytes)}, std::nullopt};
}

channels::Channel open_record() {
  channels::Channel out;
  out.opener = kA.account();
  out.counterparty = kB.account();
  out.phase = channels::Phase::open;
  out.floor = {ChannelVersion(0), kCredit, Balance(), 0};
  return out;
}
channels::Channel challenged(std::uint64_t standing) {
  channels::Channel out = open_record();
  out.phase = channels::Phase::challenge;
  out.challenge.emplace();
  out.challenge->standing = {ChannelVersion(standing), kCredit, Balance(), 0};
  return out;
}
channels::Event started(const ChannelId& id, std::uint64_t standing, std::uint64_t deadline) {
  return channels::ChallengeStarted{id, channels::Side::a, false, ChannelVersion(standing),
                                    TimestampMs(deadline)};
}
channels::Event refuted(const ChannelId& id, std::uint64_t standing, std::uint64_t deadline) {
  return channels::ChallengeRefuted{id, kB.account(), ChannelVersion(standing),
                                    TimestampMs(deadline)};
}

// What is on a disk, and how often it was synced.
struct Disk {
  Bytes bytes;
  int syncs = 0;

  class File final : public JournalFile {
   public:
    explicit File(Disk& disk) : disk_(disk) {}
    Result<Bytes, Error> read() override { return disk_.bytes; }
    Result<void, Error> append(ByteView more) override {
      tally::append(disk_.bytes, more);
      return {};
    }
    Result<void, Error> sync() override {
      ++disk_.syncs;
      return {};
    }
    Result<void, Error> cut(std::size_t size) override {
      disk_.bytes.resize(size);
      return {};
    }
    Result<void, Error> replace(ByteView whole) override {
      disk_.bytes = to_bytes(whole);
      return {};
    }

   private:
    Disk& disk_;
  };
  Tower start() { return {*Journal::open(std::make_unique<File>(*this)), kTower.account()}; }
};

void give(Tower& tower, const ChannelId& id, std::uint64_t version, std::uint32_t at) {
  REQUIRE(tower.give(watch(id, version), open_record(), BlockNumber(at)).value_or({}).newer);
}
// "channel:version" of what is due next.
std::string taken(Tower& tower) {
  const auto due = tower.take();
  if (!due) return "nothing";
  return std::to_string(due->channel_id.bytes[0]) + ":" +
         std::to_string(due->call.update.state.version.value);
}

}  // namespace

// Fails when records that are missing are passed over, or blocks are followed without them: a
// challenge that began meanwhile is never heard of.
TEST_CASE("a tower follows blocks once it has the records of all that it watches") {
  Disk disk;
  {
    Tower before = disk.start();
    give(before, kOne, 5, 10);
    give(before, kTwo, 7, 10);
  }
  Tower tower = disk.start();
  CHECK_FALSE(tower.next_block());
  const auto half = tower.catch_up({{kTwo, challenged(1)}}, BlockNumber(20));
  REQUIRE_FALSE(half.ok());
  CHECK(half.error() == TowerError::records_missing);
  CHECK_FALSE(tower.next_block());
  CHECK(taken(tower) == "nothing");
  REQUIRE(tower.catch_up({{kOne, challenged(2)}, {kTwo, challenged(1)}}, BlockNumber(21)).ok());
  CHECK(tower.next_block() == BlockNumber(22));
  CHECK(taken(tower) == "1:5");
  CHECK(taken(tower) == "2:7");

  tower.on_final_block(BlockNumber(22));
  CHECK(tower.next_block() == BlockNumber(23));
  // A block whose events it could not read.
  tower.lose_track();
  CHECK_FALSE(tower.next_block());
  REQUIRE(tower.catch_up({{kOne, challenged(2)}, {kTwo, challenged(1)}}, BlockNumber(30)).ok());
  CHECK(tower.next_block() == BlockNumber(31));
}

// Fails when every record that is not there ends its watch: a node that is behind, or lies, does
// not have the channel yet.
TEST_CASE("a channel that is not there in an older block is watched on") {
  Disk disk;
  {
    Tower before = disk.start();
    give(before, kOne, 5, 10);
    REQUIRE(before.catch_up({{kOne, open_record()}}, BlockNumber(30)).ok());
    const int syncs = disk.syncs;
    for (std::uint32_t n = 31; n < 60; ++n) before.on_final_block(BlockNumber(n));
    CHECK(disk.syncs == syncs);
  }
  Tower tower = disk.start();
  const auto behind = tower.catch_up({{kOne, std::nullopt}}, BlockNumber(29));
  REQUIRE_FALSE(behind.ok());
  CHECK(behind.error() == TowerError::node_behind);
  tower.on_record(kOne, std::nullopt, BlockNumber(29));
  CHECK(tower.find(kOne) != nullptr);
  CHECK(disk.start().find(kOne) != nullptr);

  REQUIRE(tower.catch_up({{kOne, std::nullopt}}, BlockNumber(30)).ok());
  CHECK(tower.find(kOne) == nullptr);
  Tower after = disk.start();
  CHECK(after.find(kOne) == nullptr);
  // Nothing is watched that a node could be behind with.
  CHECK(after.catch_up({}, BlockNumber(3)).ok());
}

// Fails when what is due is given out at every look: a backlog is then submitted many times over.
TEST_CASE("a refutation that waits or is under way is not given out again") {
  Disk disk;
  Tower tower = disk.start();
  give(tower, kOne, 5, 10);
  give(tower, kTwo, 5, 10);
  tower.on_event(started(kOne, 1, 9'000));
  tower.on_event(started(kTwo, 1, 8'000));
  tower.on_final_block(BlockNumber(12));
  SECTION("one a channel, the earliest deadline first, in its newest version") {
    give(tower, kOne, 7, 13);
    CHECK(taken(tower) == "2:5");
    CHECK(taken(tower) == "1:7");
    CHECK(taken(tower) == "nothing");
    tower.on_event(refuted(kOne, 3, 9'500));
    tower.on_final_block(BlockNumber(16));
    CHECK(taken(tower) == "nothing");
  }
  SECTION("a deadline that moved counts as it is") {
    tower.on_event(channels::DeadlineMoved{kTwo, TimestampMs(9'500)});
    CHECK(taken(tower) == "1:5");
  }
  SECTION("dropped when it is no longer due") {
    tower.on_event(refuted(kTwo, 5, 8'500));
    channels::ChannelClosed closed;
    closed.channel_id = kOne;
    tower.on_event(closed);
    CHECK(taken(tower) == "nothing");
  }
  SECTION("what failed is due again some blocks later") {
    const auto due = tower.take();
    REQUIRE(due);
    tower.ended(*due, Attempt::not_included);
    CHECK(taken(tower) == "1:5");
    CHECK(taken(tower) == "nothing");
    tower.on_final_block(BlockNumber(15));
    CHECK(taken(tower) == "nothing");
    tower.on_final_block(BlockNumber(16));
    CHECK(taken(tower) == "2:5");
  }
  SECTION("what got in is not, though older blocks are still to be heard") {
    const auto due = tower.take();
    REQUIRE(due);
    CHECK(due->channel_id == kTwo);
    tower.ended(*due, Attempt::included);
    CHECK(taken(tower) == "1:5");
    tower.on_event(refuted(kTwo, 3, 8'500));
    tower.on_final_block(BlockNumber(16));
    CHECK(taken(tower) == "nothing");
  }
}

// Fails where what failed is tried as often as what was never included, or comes first again.
TEST_CASE("a refutation that failed in its block waits longer each time, behind the others") {
  Disk disk;
  Tower tower = disk.start();
  give(tower, kOne, 5, 10);
  give(tower, kTwo, 5, 10);
  tower.on_event(started(kOne, 1, 8'000));
  tower.on_event(started(kTwo, 1, 9'000));
  tower.on_final_block(BlockNumber(12));
  auto due = tower.take();
  REQUIRE(due);
  CHECK(due->channel_id == kOne);
  tower.ended(*due, Attempt::failed);
  CHECK(taken(tower) == "2:5");
  // From block 13 on eight blocks, and then sixteen.
  for (const std::uint32_t again : {24u, 44u}) {
    for (std::uint32_t n = again - 11; n < again; ++n) {
      tower.on_final_block(BlockNumber(n));
      REQUIRE(taken(tower) == "nothing");
    }
    tower.on_final_block(BlockNumber(again));
    due = tower.take();
    REQUIRE(due);
    CHECK(due->channel_id == kOne);
    tower.ended(*due, Attempt::failed);
  }
  // What comes later and never failed is first, whatever its deadline.
  const ChannelId three = id_of(3);
  give(tower, three, 5, 45);
  tower.on_event(started(three, 1, 99'000));
  tower.on_final_block(BlockNumber(80));  // from 45 on thirty-two blocks
  CHECK(taken(tower) == "3:5");
  CHECK(taken(tower) == "1:5");
}

// Fails where such a failure counts: a few cheap calls of the cheater, each of a block that has the
// tower's, make the tower wait until the deadline is over.
TEST_CASE("older states that get in before the tower's do not make it wait") {
  Disk disk;
  Tower tower = disk.start();
  give(tower, kOne, 50, 10);
  tower.on_event(started(kOne, 1, 8'000));
  std::uint32_t block = 12;
  for (std::uint64_t older = 2; older < 12; ++older) {
    const auto due = tower.take();
    REQUIRE(due);
    if (older % 2 == 0) {  // the block is heard first, or the outcome is
      tower.on_event(refuted(kOne, older, 8'000));
      tower.ended(*due, Attempt::failed);
    } else {
      tower.ended(*due, Attempt::failed);
      tower.on_event(refuted(kOne, older, 8'000));
    }
    for (int i = 0; i < 4; ++i) tower.on_final_block(BlockNumber(block++));
  }
  CHECK(taken(tower) == "1:50");
}

// Fails where its party learns of a wrong account by losing a channel.
TEST_CASE("a state that appoints somebody else, or nobody, is watched all the same") {
  Disk disk;
  Tower tower = disk.start();
  Watch given = watch(kOne, 5);
  given.appointment = kA.sign(channels::appointment_bytes({kOne, kTower.account()}));
  auto taken_in = tower.give(given, open_record(), BlockNumber(10));
  REQUIRE(taken_in.ok());
  CHECK(taken_in->newer);
  CHECK(taken_in->appointment_holds);
  Watch other = watch(kOne, 6);
  other.appointment = kA.sign(channels::appointment_bytes({kOne, kB.account()}));
  taken_in = tower.give(other, open_record(), BlockNumber(11));
  REQUIRE(taken_in.ok());
  CHECK(taken_in->newer);
  CHECK_FALSE(taken_in->appointment_holds);
  REQUIRE(tower.find(kOne) != nullptr);
  CHECK(tower.find(kOne)->update.state.version == ChannelVersion(6));
  CHECK(tower.find(kOne)->appointment == given.appointment);  // the one that holds is kept
}

// Fails where the chain would refuse, and the tower pay for, what it takes.
TEST_CASE("a state that the chain never takes is not watched") {
  Disk disk;
  Tower tower = disk.start();
  Watch given = watch(kOne, 5);
  given.update.state.acked = ChannelVersion(5);
  const Bytes bytes = channels::update_bytes(given.update.state);
  given.update = {given.update.state, kA.sign(bytes), kB.sign(bytes)};
  const auto refused = tower.give(given, open_record(), BlockNumber(10));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error() == TowerError::acked_not_below_version);
}

// Fails where a start on another chain, which has none of its channels, ends all watches.
TEST_CASE("a tower's journal is of one chain while it watches anything") {
  const Hash one = blake2_256(as_bytes("one"));
  const Hash other = blake2_256(as_bytes("other"));
  Disk disk;
  {
    Tower tower = disk.start();
    CHECK(tower.bind_to(other));  // nothing is watched yet
    REQUIRE(tower.bind_to(one));
    give(tower, kOne, 5, 1'000);
  }
  {
    Tower tower = disk.start();
    CHECK(tower.genesis_hash() == one);
    CHECK(tower.bind_to(one));
    CHECK_FALSE(tower.bind_to(other));
    CHECK(tower.genesis_hash() == one);
    REQUIRE(tower.catch_up({{kOne, std::nullopt}}, BlockNumber(2'000)).ok());
  }
  Tower tower = disk.start();
  REQUIRE(tower.bind_to(other));
  give(tower, kTwo, 5, 3);  // below what was seen of the first chain
  CHECK(tower.catch_up({{kTwo, open_record()}}, BlockNumber(4)).ok());
}

// Fails when what was refused once counts as gone: its party takes it for delivered.
TEST_CASE("a state that its tower cannot check yet stays for a day") {
  Disk disk;
  Tower tower = disk.start();
  const Watch given = watch(kOne, 5);
  const channels::ChannelState& state = given.update.state;
  const DurationMs now(0);
  const auto unknown = tower.give(given, std::nullopt, BlockNumber(10));
  REQUIRE_FALSE(unknown.ok());
  CHECK(may_be_early(unknown.error(), state, std::nullopt, now));
  CHECK(may_be_early(unknown.error(), state, std::nullopt, DurationMs(kRefusedStays.value - 1)));
  CHECK_FALSE(may_be_early(unknown.error(), state, std::nullopt, kRefusedStays));

  channels::Channel before_splice = open_record();
  before_splice.floor.balance_b = kCredit;
  const auto other_sum = tower.give(given, before_splice, BlockNumber(10));
  REQUIRE_FALSE(other_sum.ok());
  CHECK(may_be_early(other_sum.error(), state, before_splice, now));
  CHECK_FALSE(may_be_early(other_sum.error(), state, before_splice, kRefusedStays));
  // The splice that its sum was for is over.
  channels::Channel after_splice = before_splice;
  after_splice.floor.version = ChannelVersion(5);
  CHECK_FALSE(may_be_early(other_sum.error(), state, after_splice, now));
  // What will never be good.
  CHECK_FALSE(may_be_early(TowerError::bad_signature, state, open_record(), now));
  CHECK_FALSE(may_be_early(TowerError::acked_not_below_version, state, open_record(), now));
}

}  // namespace tally::channel
