// Two hosts over one chain, wired to each other without a network, for the tests of this folder.
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <thread>

#include "client-sdk/host/channel_host.hpp"
#include "primitives/derivation.hpp"
#include "tests/channel_sim/served_chain.hpp"
#include "tests/support/process.hpp"

namespace tally::client {

using namespace std::chrono_literals;

inline const KeyPair kAlice = dev_key(KeyScheme::ecdsa, "Alice");
inline const KeyPair kBob = dev_key(KeyScheme::ecdsa, "Bob");
inline const KeyPair kTower = dev_key(KeyScheme::ecdsa, "Dave");

inline bool eventually(const std::function<bool()>& holds) {
  return tests::eventually(20s, holds);
}

struct FixtureOptions {
  TowerPort* tower_a = nullptr;
  TowerPort* tower_b = nullptr;
  std::uint32_t submit_deadline_ms = 10'000;
  std::chrono::milliseconds open_patience{10'000};
  std::chrono::milliseconds behind_patience{10'000};
  DurationMs chain_lags{};  // behind the hosts' clock
  DurationMs period_min{};
  std::function<void(const std::string&)> log{};
  channel::Policy policy{
      .close_wait = DurationMs(500), .answer_wait = DurationMs(300), .retry = DurationMs(200)};
};

class Fixture {
 public:
  explicit Fixture(FixtureOptions given = {}) : options(std::move(given)) {
    restart_a();
    restart_b();
  }
  ~Fixture() { disconnect(); }

  ChannelHost& a() { return *a_; }
  ChannelHost& b() { return *b_; }
  // The journal of a as it is now, under another name; a must be stopped.
  void keep_journal(const std::string& name) {
    std::filesystem::copy(path("a"), path(name), std::filesystem::copy_options::recursive);
  }
  void bring_journal_back(const std::string& name) {
    std::filesystem::remove_all(path("a"));
    std::filesystem::copy(path(name), path("a"), std::filesystem::copy_options::recursive);
  }
  void lose_journal(const std::string& name) { std::filesystem::remove_all(path(name)); }
  void stop_a() { disconnect(), a_.reset(); }
  void stop_b() { disconnect(), b_.reset(); }
  void restart_a() { stop_a(), a_ = start(kAlice, *a_chain_, "a"); }
  void restart_b() { stop_b(), b_ = start(kBob, *b_chain_, "b"); }
  // What a start of a is refused with; nothing if it is not.
  std::string refusal_of_a() {
    stop_a();
    const auto started = try_start(kAlice, *a_chain_, "a");
    return started ? "" : started.error().message;
  }
  // As in a new process, a's client has seen no block yet.
  void forget_chain_of_a() { stop_a(), a_chain_ = chain.connect(options.submit_deadline_ms); }
  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }

  OpenRequest request(Balance deposit) const {
    return {
        .counterparty = kBob.account(), .deposit = deposit, .challenge_period = DurationMs(10'000)};
  }
  // Open at both ends.
  ChannelId open(Balance deposit) {
    const auto opened = a().open(request(deposit));
    if (!opened) FAIL(opened.error().message);
    REQUIRE(
        b().wait(
               *opened,
               [](const ChannelView& view) { return view.record.stage == channel::Stage::ready; },
               20s)
            .ok());
    return *opened;
  }

  // Messages go straight from one host to the other; each can be cut off.
  void connect() {
    disconnect();
    connected_ = true;
    ++connection_;
    const auto line = [this](std::unique_ptr<ChannelHost>& to, const AccountId& from) {
      return [this, &to, from](Bytes message) {
        if (connected_ && to) TALLY_ASSERT(to->peer_message(from, message).ok());
      };
    };
    a().peer_connected(kBob.account(), connection_, line(b_, kAlice.account()));
    b().peer_connected(kAlice.account(), connection_, line(a_, kBob.account()));
  }
  void disconnect() {
    if (!connected_) return;
    connected_ = false;
    if (a_) a_->peer_gone(kBob.account(), connection_);
    if (b_) b_->peer_gone(kAlice.account(), connection_);
  }

  Result<void, Error> pay(const ChannelId& id, Balance amount) {
    return a().step(id, channel::Pay{amount, {}});
  }
  // Both hold this version of the update.
  bool agreed(const ChannelId& id) {
    return eventually([&] {
      const auto mine = a().find(id);
      const auto peers = b().find(id);
      return mine && peers && !mine->record.offer && mine->record.newest &&
             mine->record.newest == peers->record.newest;
    });
  }

  FixtureOptions options;
  channel_sim::ServedChain chain{{kAlice, kBob, kTower}};

 private:
  std::unique_ptr<ChannelHost> start(const KeyPair& key, ChainClient& client,
                                     const std::string& name) {
    auto started = try_start(key, client, name);
    if (!started) FAIL(started.error().message);
    return *std::move(started);
  }
  Result<std::unique_ptr<ChannelHost>, Error> try_start(const KeyPair& key, ChainClient& client,
                                                        const std::string& name) {
    HostConfig config;
    config.journal_folder = path(name);
    config.key = key;
    config.policy = options.policy;
    config.take_channels = key.account() == kBob.account();
    config.period_min = options.period_min;
    config.log = options.log;
    config.open_patience = options.open_patience;
    config.behind_patience = options.behind_patience;
    config.now = [this] {
      return TimestampMs(testing::FakeChain::kGenesisTime.value + options.chain_lags.value);
    };
    config.tower = name == "a" ? options.tower_a : options.tower_b;
    return ChannelHost::start(std::move(config), client);
  }

  tests::TempFolder folder_;
  std::unique_ptr<ChainClient> a_chain_ = chain.connect(options.submit_deadline_ms);
  std::unique_ptr<ChainClient> b_chain_ = chain.connect(options.submit_deadline_ms);
  std::unique_ptr<ChannelHost> a_;
  std::unique_ptr<ChannelHost> b_;
  std::atomic<bool> connected_ = false;
  std::uint64_t connection_ = 0;
};

}  // namespace tally::client
