// Two hosts with real journals over a chain that runs the real channels module.
#include <catch2/catch.hpp>

#include "client-sdk/channel/journal_records.hpp"
#include "client-sdk/host/submit_queue.hpp"
#include "tests/channel_sim/two_hosts.hpp"

namespace tally::client {
namespace {

using Calls = std::vector<std::string>;

bool reaches(ChannelHost& host, const ChannelId& id, channel::Stage stage) {
  return eventually([&] {
    const auto view = host.find(id);
    return view && view->record.stage == stage;
  });
}

// Into the journal of a, which must be stopped. Nothing forgets the entry.
void put_entry(const Fixture& f, const channel::JournalKey& key, const Bytes& value) {
  auto journal = channel::Journal::open(*channel::open_journal_file(f.path("a")));
  REQUIRE(journal.ok());
  REQUIRE(journal->write({{key, value}}).ok());
}

bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

bool closed_at(ChannelHost& host, const ChannelId& id) {
  return reaches(host, id, channel::Stage::closed);
}

TEST_CASE("payments, a close, and both ends see it") {
  Fixture f;
  const ChannelId id = f.open(Balance(10'000'000));
  f.connect();
  for (int i = 0; i < 5; ++i) REQUIRE(f.pay(id, kCredit).ok());
  REQUIRE(f.agreed(id));
  CHECK(f.b().find(id)->received == Balance(5'000'000));
  REQUIRE(f.a().close(id, 20s).ok());
  CHECK(closed_at(f.b(), id));
  CHECK(f.chain.calls() == Calls{"open", "close"});
}

// Fails when an End that is not begun is not in the journal.
TEST_CASE("an end that was asked for is carried out by the next start") {
  Fixture f;
  const ChannelId id = f.open(Balance(10'000'000));
  f.connect();
  REQUIRE(f.pay(id, kCredit).ok());
  REQUIRE(f.agreed(id));
  f.disconnect();
  REQUIRE(f.a().step(id, channel::End{}).ok());
  f.stop_a();
  CHECK(f.chain.calls() == Calls{"open"});
  f.restart_a();
  REQUIRE(eventually([&] { return f.chain.channel(id)->challenge.has_value(); }));
  CHECK(f.chain.channel(id)->challenge->standing.version ==
        f.b().find(id)->record.newest_version());
  REQUIRE(f.chain.settle(id));
  CHECK(closed_at(f.a(), id));
  CHECK(closed_at(f.b(), id));
}

// Fails when a start does not set the timers of what the last process was to submit.
TEST_CASE("a close that was signed and never got into a block is submitted by the next start") {
  Fixture f;
  const ChannelId id = f.open(Balance(10'000'000));
  f.connect();
  f.chain.hold_back();
  const std::size_t before = f.chain.submissions();
  REQUIRE(f.a().step(id, channel::CloseTogether{}).ok());
  REQUIRE(eventually([&] { return f.chain.submissions() > before; }));
  f.stop_a();
  f.stop_b();
  f.chain.release(false);
  f.restart_a();
  CHECK(closed_at(f.a(), id));
  CHECK(f.chain.calls() == Calls{"open", "close"});
}

TEST_CASE("a cheater is refuted by a host that was away when it claimed") {
  Fixture f;
  const ChannelId id = f.open(Balance(10'000'000));
  f.connect();
  REQUIRE(f.pay(id, kCredit).ok());
  REQUIRE(f.agreed(id));
  f.stop_a();
  f.keep_journal("old");
  f.restart_a();
  f.connect();
  for (int i = 0; i < 2; ++i) {
    REQUIRE(f.pay(id, kCredit).ok());
    REQUIRE(f.agreed(id));
  }
  f.stop_a();
  f.stop_b();
  f.bring_journal_back("old");
  f.restart_a();
  REQUIRE(f.a().step(id, channel::End{}).ok());
  REQUIRE(eventually([&] { return f.chain.channel(id)->challenge.has_value(); }));
  f.restart_b();
  REQUIRE(closed_at(f.b(), id));
  REQUIRE(f.chain.closed().size() == 1);
  CHECK(f.chain.closed().front().payouts.to_a == Balance());
}

TEST_CASE("a channel opened while its worker was away is taken on, unless it is in a challenge") {
  Fixture f;
  f.stop_b();
  const auto id = f.a().open(f.request(kCredit));
  REQUIRE(id.ok());
  SECTION("open") {
    f.restart_b();
    const auto standing = f.b().standing(*id, kAlice.account());
    if (!standing) FAIL(standing.error().message);
    CHECK(standing->spendable == Balance(990'000));
    CHECK_FALSE(f.b().standing(*id, kTower.account()).ok());
    // From then on its challenges are heard.
    REQUIRE(f.a().step(*id, channel::End{}).ok());
    CHECK(eventually([&] { return f.b().find(*id)->record.stage == channel::Stage::ending; }));
  }
  // Fails when a payment in a channel that is not known yet is only refused.
  SECTION("by its first payment") {
    f.restart_b();
    f.connect();
    REQUIRE(f.pay(*id, Balance(10'000)).ok());
    CHECK(f.agreed(*id));
  }
  SECTION("in a challenge") {
    REQUIRE(f.a().step(*id, channel::End{}).ok());
    REQUIRE(eventually([&] { return f.chain.channel(*id)->challenge.has_value(); }));
    f.restart_b();
    CHECK_FALSE(f.b().standing(*id, kAlice.account()).ok());
  }
}

// While blocks come as fast as they can, a record that was read is soon an old one. They end, so
// that a slow machine catches up with them.
TEST_CASE("a channel is taken on under a stream of blocks, and its challenge is not missed") {
  Fixture f;
  f.stop_b();
  const auto id = f.a().open(f.request(kCredit));
  REQUIRE(id.ok());
  f.restart_b();
  std::thread miner([&] {
    for (int i = 0; i < 300; ++i) f.chain.blocks(1);
  });
  std::thread claimer([&] { static_cast<void>(f.a().step(*id, channel::End{})); });
  const auto standing = f.b().standing(*id, kAlice.account());
  claimer.join();
  miner.join();
  REQUIRE(eventually([&] { return f.chain.channel(*id)->challenge.has_value(); }));
  if (standing.ok()) {
    CHECK(eventually([&] { return f.b().find(*id)->record.stage == channel::Stage::ending; }));
  }
}

TEST_CASE("a flood of a peer's messages is taken piece by piece, and what is good is heard") {
  Fixture f;
  const ChannelId id = f.open(Balance(10'000'000));
  f.connect();
  const Bytes garbage(100, 0xee);
  for (int i = 0; i < 5'000; ++i) REQUIRE(f.b().peer_message(kAlice.account(), garbage).ok());
  REQUIRE(f.pay(id, kCredit).ok());
  CHECK(f.agreed(id));
}

TEST_CASE("what was paid to a worker is not lost when both restart in the middle") {
  Fixture f;
  const ChannelId id = f.open(Balance(10'000'000));
  f.connect();
  for (int i = 0; i < 3; ++i) REQUIRE(f.pay(id, kCredit).ok());
  f.stop_b();
  for (int i = 0; i < 3; ++i) REQUIRE(f.pay(id, kCredit).ok());
  f.restart_a();
  f.restart_b();
  f.connect();
  REQUIRE(f.agreed(id));
  CHECK(f.b().find(id)->received == Balance(6'000'000));
}

// Fails when received() is told as soon as it is signed.
TEST_CASE("with a tower a payment counts once the tower has it") {
  tests::TempFolder folder;
  FolderTower tower(folder.path());
  Fixture f({.tower_b = &tower});
  const ChannelId id = f.open(Balance(10'000'000));
  f.connect();
  REQUIRE(f.pay(id, kCredit).ok());
  REQUIRE(f.agreed(id));
  CHECK(f.b().find(id)->received == Balance());
  CHECK(f.b().standing(id, kAlice.account())->received == Balance());
  std::filesystem::create_directories(tower_states(folder.path()));
  CHECK(eventually([&] { return f.b().find(id)->received == kCredit; }));
  REQUIRE(tower.newest(id).has_value());
  CHECK(tower.newest(id)->state.version == f.b().find(id)->record.newest_version());
  REQUIRE(f.pay(id, kCredit).ok());
  CHECK(eventually([&] { return f.b().find(id)->received == Balance(2'000'000); }));
  // The one before is not left behind.
  const std::filesystem::directory_iterator files(tower_states(folder.path()));
  CHECK(std::distance(begin(files), end(files)) == 1);
}

// Fails where each turn that does not get through begins retries of its own: they never end.
TEST_CASE("a tower that takes nothing is asked again once a second, whatever happens meanwhile") {
  struct Full final : TowerPort {
    std::atomic<std::int64_t> asked = 0;
    Result<void, Error> give(const channel::Watch&) override {
      ++asked;
      return fail_with("the disk is full");
    }
    std::optional<channels::CoSignedState> newest(const ChannelId&) override { return {}; }
  };
  Full tower;
  Fixture f({.tower_b = &tower});
  const ChannelId id = f.open(Balance(10'000'000));
  f.connect();
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 8; ++i) {
    REQUIRE(f.pay(id, kCredit).ok());
    REQUIRE(f.agreed(id));
  }
  const std::int64_t asked = tower.asked;
  const auto took = std::chrono::steady_clock::now() - began;
  CHECK(asked >= 1);
  CHECK(asked <= 2 + std::chrono::duration_cast<std::chrono::seconds>(took).count());
}

// Fails when the tower is not asked: the old state is claimed, and all is lost to the refutation.
TEST_CASE("a party with an old journal learns from its tower, and claims nothing old") {
  tests::TempFolder folder;
  std::filesystem::create_directories(tower_states(folder.path()));
  FolderTower tower(folder.path());
  Fixture f({.tower_a = &tower});
  const ChannelId id = f.open(Balance(10'000'000));
  f.connect();
  REQUIRE(f.pay(id, kCredit).ok());
  REQUIRE(f.agreed(id));
  f.stop_a();
  f.keep_journal("old");
  f.restart_a();
  f.connect();
  for (int i = 0; i < 2; ++i) {
    REQUIRE(f.pay(id, kCredit).ok());
    REQUIRE(f.agreed(id));
  }
  f.stop_a();
  f.bring_journal_back("old");
  f.restart_a();
  REQUIRE(f.a().step(id, channel::End{}).ok());
  REQUIRE(eventually([&] { return f.chain.channel(id)->challenge.has_value(); }));
  CHECK(f.a().find(id)->record.restored);
  CHECK(f.chain.calls().at(1) == "request_close");
  REQUIRE(f.chain.settle(id));
  CHECK(f.chain.closed().front().payouts.to_a > Balance(6'000'000));
}

// Fails when the tower is asked in a challenge only: until then the party works on from below what
// it signed.
TEST_CASE("a start with an old journal asks the tower for every channel") {
  tests::TempFolder folder;
  std::filesystem::create_directories(tower_states(folder.path()));
  FolderTower tower(folder.path());
  Fixture f({.tower_a = &tower});
  const ChannelId id = f.open(Balance(10'000'000));
  f.connect();
  REQUIRE(f.pay(id, kCredit).ok());
  REQUIRE(f.agreed(id));
  f.stop_a();
  f.keep_journal("old");
  f.restart_a();
  f.connect();
  REQUIRE(f.pay(id, kCredit).ok());
  REQUIRE(f.agreed(id));
  f.stop_a();
  f.bring_journal_back("old");
  f.restart_a();
  CHECK(f.a().find(id)->record.stage == channel::Stage::restored);
  CHECK(f.a().find(id)->record.newest == f.b().find(id)->record.newest);
}

// The wish of a restored party, over a connection.
TEST_CASE("a party with an old journal asks its peer for a close and gets what both signed") {
  Fixture f;
  const ChannelId id = f.open(Balance(10'000'000));
  f.connect();
  REQUIRE(f.pay(id, kCredit).ok());
  REQUIRE(f.agreed(id));
  f.stop_a();
  f.keep_journal("old");
  f.restart_a();
  f.connect();
  REQUIRE(f.pay(id, kCredit).ok());
  REQUIRE(f.agreed(id));
  f.stop_a();
  f.bring_journal_back("old");
  f.restart_a();
  f.connect();
  REQUIRE(eventually([&] { return f.a().find(id)->record.stage == channel::Stage::restored; }));
  REQUIRE(f.a().step(id, channel::AskClose{}).ok());
  CHECK(closed_at(f.a(), id));
  REQUIRE(f.chain.closed().size() == 1);
  CHECK(f.chain.closed().front().payouts.to_a == Balance(8'000'000));
}

// Fails when every open channel without a signature in the journal is taken on as new: the worker
// then signs versions that it signed before.
TEST_CASE("a worker that lost its journal works in no channel that it may have signed in") {
  Fixture f;
  const ChannelId id = f.open(Balance(10'000'000));
  f.connect();
  for (int i = 0; i < 3; ++i) REQUIRE(f.pay(id, kCredit).ok());
  REQUIRE(f.agreed(id));
  f.stop_b();
  f.lose_journal("b");
  f.restart_b();
  CHECK_FALSE(f.b().standing(id, kAlice.account()).ok());
  f.connect();
  REQUIRE(reaches(f.b(), id, channel::Stage::restored));
  SECTION("its peer closes it, and all that was paid is there") {
    REQUIRE(f.a().close(id, 20s).ok());
    CHECK(f.chain.calls() == Calls{"open", "close"});
    REQUIRE(f.chain.closed().size() == 1);
    CHECK(f.chain.closed().front().payouts.to_a == Balance(7'000'000));
  }
  SECTION("a later channel is new") {
    const ChannelId later = f.open(Balance(5'000'000));
    REQUIRE(f.pay(later, kCredit).ok());
    CHECK(f.agreed(later));
    CHECK(f.b().standing(later, kAlice.account())->received == kCredit);
  }
}

TEST_CASE(
    "a journal begins with a recent block: a node that lags may show one from before a loss") {
  Fixture f({.chain_lags = DurationMs(600'000)});
  const auto opened = f.a().open(f.request(Balance(10'000'000)));
  REQUIRE(opened.ok());
  const auto refused = f.b().standing(*opened, kAlice.account());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("newest final block is old") != std::string::npos);
  CHECK(f.b().channels().empty());
}

TEST_CASE("a peer that names channels which are none is soon not looked at") {
  Fixture f;
  std::string last;
  for (std::uint8_t i = 0; i < 20; ++i) {
    const auto none = *ChannelId::from(Bytes(32, i));
    last = f.b().standing(none, kAlice.account()).error().message;
  }
  CHECK(last.find("wait a second") != std::string::npos);
  const ChannelId id = f.open(Balance(10'000'000));
  CHECK(f.b().standing(id, kAlice.account()).ok());
}

// Fails when a channel that a final block does not have is closed, whatever the block: it is closed
// in the journal for good, and nobody refutes in it.
TEST_CASE("a node that is behind the journal ends no channel, and is waited for") {
  bool waited = false;
  Fixture f({.behind_patience = 100ms});
  f.chain.blocks(3);
  const BlockNumber before_the_open = f.chain.newest();
  const ChannelId id = f.open(Balance(10'000'000));
  f.forget_chain_of_a();
  f.chain.show_up_to(before_the_open);
  SECTION("the journal says what it has seen") {
    CHECK(contains(f.refusal_of_a(), "the node is behind: its newest final block is"));
  }
  SECTION("the journal does not say it, and the block is old") {
    put_entry(f, channel::kNewestFinalKey, {});
    f.options.chain_lags = DurationMs(600'000);
    CHECK(contains(f.refusal_of_a(), "the node is behind: its newest final block, "));
  }
  f.options.behind_patience = 20s;
  f.options.log = [&](const std::string& line) {
    if (!contains(line, "waiting: the node is behind")) return;
    waited = true;
    f.chain.show_up_to(std::nullopt);
  };
  f.restart_a();
  CHECK(waited);
  CHECK(f.a().find(id)->record.stage == channel::Stage::ready);
}

// Fails when a journal is taken for one of whatever chain is there: that chain has none of its
// channels, and all are closed.
TEST_CASE("a journal of another chain is refused, and one that names none takes the first") {
  Fixture f;
  const ChannelId id = f.open(Balance(10'000'000));
  f.stop_a();
  put_entry(f, channel::kGenesisKey, encode(Hash{}));
  const std::string refusal = f.refusal_of_a();
  CHECK(contains(refusal, to_hex_prefixed(Hash{})));
  CHECK(contains(refusal, to_hex_prefixed(f.chain.genesis_hash())));
  put_entry(f, channel::kGenesisKey, {});
  f.restart_a();
  CHECK(f.a().find(id)->record.stage == channel::Stage::ready);
  f.stop_a();
  const auto journal = channel::Journal::open(*channel::open_journal_file(f.path("a")));
  REQUIRE(journal.ok());
  CHECK(channel::genesis_hash(*journal) == f.chain.genesis_hash());
}

// Fails when every retry is submitted in its turn: all but the first fail and cost a fee.
TEST_CASE("of each channel and kind of call one waits, and one is under way") {
  SubmitQueue queue;
  const auto call = [](std::uint8_t channel) {
    const ChannelId id = *ChannelId::from(Bytes(32, channel));
    return ToSubmit{.channel = id, .call = channels::RequestClose{id}, .deadline = {}};
  };
  queue.put(call(1));
  const auto first = queue.take();
  REQUIRE(first);
  for (int retry = 0; retry < 3; ++retry) queue.put(call(1));
  CHECK_FALSE(queue.take());
  queue.put(call(2));
  CHECK(queue.take()->channel == call(2).channel);
  queue.done(*first);
  CHECK(queue.take()->channel == first->channel);
  CHECK_FALSE(queue.take());
}

TEST_CASE("a claim that waits in the pool is submitted once, however often it is due") {
  Fixture f;
  const ChannelId id = f.open(Balance(10'000'000));
  f.connect();
  REQUIRE(f.pay(id, kCredit).ok());
  REQUIRE(f.agreed(id));
  f.disconnect();
  f.chain.hold_back();
  const std::size_t before = f.chain.submissions();
  REQUIRE(f.a().step(id, channel::End{}).ok());
  REQUIRE(eventually([&] { return f.chain.submissions() > before; }));
  f.chain.release();
  REQUIRE(reaches(f.b(), id, channel::Stage::ending));
  CHECK(f.chain.submissions() == before + 1);
  CHECK(f.chain.calls() == Calls{"open", "close_unilateral"});
}

// Fails when a call is submitted once the one before it is final.
TEST_CASE("calls of several channels are under way at the same time") {
  Fixture f;
  std::vector<ChannelId> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(f.open(kCredit));
  f.chain.hold_back();
  const std::size_t before = f.chain.submissions();
  for (const ChannelId& id : ids) REQUIRE(f.a().step(id, channel::End{}).ok());
  CHECK(eventually([&] { return f.chain.submissions() == before + 3; }));
  f.chain.release();
  for (const ChannelId& id : ids) CHECK(reaches(f.b(), id, channel::Stage::ending));
  CHECK(f.chain.calls() ==
        Calls{"open", "open", "open", "close_unilateral", "close_unilateral", "close_unilateral"});
}

// Fails when calls leave in the order in which they came.
TEST_CASE("the challenge that ends first is answered first, and one call of a kind at a time") {
  SubmitQueue queue;
  const auto put = [&](std::uint8_t channel, std::optional<TimestampMs> deadline) {
    const auto id = *ChannelId::from(Bytes(32, channel));
    queue.put({id, channels::RequestClose{id}, false, deadline});
  };
  const auto taken = [](const std::optional<ToSubmit>& item) {
    return item ? int{item->channel.view()[0]} : -1;
  };
  put(1, std::nullopt);
  put(2, TimestampMs(900));
  put(3, TimestampMs(500));
  put(1, std::nullopt);
  const auto first = queue.take();
  CHECK(taken(first) == 3);
  CHECK(taken(queue.take()) == 2);
  CHECK(taken(queue.take()) == 1);
  CHECK(taken(queue.take()) == -1);
  put(3, TimestampMs(600));
  put(3, TimestampMs(700));
  CHECK(taken(queue.take()) == -1);
  queue.done(*first);
  const auto second = queue.take();
  REQUIRE(taken(second) == 3);
  CHECK(second->deadline == TimestampMs(700));
  CHECK(taken(queue.take()) == -1);
}

// Fails when each is read by itself: the block may be pruned before the last one is.
TEST_CASE("a start reads all channels at once") {
  Fixture f;
  for (int i = 0; i < 5; ++i) f.open(kCredit);
  f.stop_a();
  f.stop_b();
  const std::size_t before = f.chain.state_reads();
  f.restart_a();
  CHECK(f.chain.state_reads() == before + 1);
  CHECK(f.a().channels().size() == 5);
}

TEST_CASE("a channel whose challenge period is too short to refute in is not taken on") {
  Fixture f({.period_min = DurationMs(60'000)});
  const auto opened = f.a().open(f.request(kCredit));
  REQUIRE(opened.ok());
  const auto standing = f.b().standing(*opened, kAlice.account());
  REQUIRE_FALSE(standing.ok());
  CHECK(contains(standing.error().message, "its challenge period is 10000 ms"));
  CHECK(f.b().channels().empty());
}

// Fails when such a block is passed over: the challenge in it is never heard of.
TEST_CASE("a challenge in a block whose events do not decode is found in the state") {
  Fixture f;
  const ChannelId id = f.open(Balance(10'000'000));
  f.connect();
  REQUIRE(f.pay(id, kCredit).ok());
  REQUIRE(f.agreed(id));
  f.disconnect();
  f.chain.garble_events(true);
  REQUIRE(f.a().step(id, channel::End{}).ok());
  REQUIRE(eventually([&] { return f.chain.channel(id)->challenge.has_value(); }));
  CHECK(reaches(f.b(), id, channel::Stage::ending));
  CHECK(reaches(f.a(), id, channel::Stage::ending));
  f.chain.garble_events(false);
  REQUIRE(f.chain.settle(id));
  CHECK(closed_at(f.b(), id));
}

}  // namespace
}  // namespace tally::client
