// An account's channels, alive: the channel driver with a chain, peers, timers and threads around
// it. The worker and the command line use it alike; a worker's built-in watchtower is this, since a
// party whose journal is followed refutes by itself.
//
//   auto host = TALLY_TRY(ChannelHost::start(config, chain));
//   ChannelId id = TALLY_TRY(host->open({.counterparty = worker, .deposit = …}));
//   …  Session::connect(session_config, *host) and session->run(task), which pays
//   ClosedChannel end = TALLY_TRY(host->close(id, 30s));
//
// One thread owns the driver: it takes what came in, lets the driver step through all of it, and
// then finishes the turn with one sync (group commit). Others follow the chain and submit. Calls
// from outside wait until their turn is on disk, except pay(), which returns once the payment is
// signed: it leaves when it is on disk, while the caller goes on. A journal that cannot be written
// ends the process.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client-sdk/chain/client.hpp"
#include "client-sdk/channel/driver.hpp"
#include "client-sdk/host/tower_port.hpp"
#include "client-sdk/task/channel_port.hpp"

namespace tally::client {

// A call that the host submitted, and how it ended.
struct Submission {
  ChannelId channel_id;
  std::string call;  // "open", "close", …
  ClientResult<TxOutcome> outcome;
};

struct HostConfig {
  std::filesystem::path journal_folder;
  KeyPair key;
  channel::Policy policy;
  // Take on every channel that others open towards this account without a deposit of ours. One
  // that was open before the journal began is only ended (rule 5): adoption.cpp.
  bool take_channels = false;
  // The shortest challenge period of a channel that is taken on: in it a claim has to be refuted.
  DurationMs period_min{};
  // The wall clock; nothing: the system's.
  std::function<TimestampMs()> now;
  // Refutes for channels that were restored (rule 5); none: such channels are not refuted from
  // here.
  std::optional<KeyPair> tower_key;
  // Where the newest states go for the time when this process is away. An update then counts as
  // received only once the tower has it, and before a claim or a refutation the tower is asked for
  // anything newer. Must outlive the host.
  TowerPort* tower = nullptr;
  // Earns a tenth of what a cheater loses, if it is the tower that refutes.
  std::optional<AccountId> appointed_tower;
  // How long open() waits for what it submitted to be final, or to fail.
  std::chrono::milliseconds open_patience{60'000};
  // How long start() waits for a node whose final block is older than one that the journal acted
  // on, and what says that it is to wait no longer.
  std::chrono::milliseconds behind_patience{20'000};
  std::function<bool()> give_up{};
  // Called from the host's threads; must not call the host.
  std::function<void(const ChannelId&, const channel::Tell&)> on_notice;
  std::function<void(const Submission&)> on_submitted;
  std::function<void(const std::string&)> log;
};

struct OpenRequest {
  AccountId counterparty;
  Balance deposit;
  DurationMs challenge_period;
};

// How the chain ended a channel: the event, and the final block that it is in.
struct Payout {
  channels::ChannelClosed event;
  BlockNumber block;
};

struct ChannelView {
  channel::Record record;
  Balance locked;
  Balance payable;      // what we could still pay
  Balance own_balance;  // ours if every offer of ours were countersigned
  Balance received;     // what the channel gave us and counts as safe: no deposits, no splices
  std::optional<Balance> close_offered;  // what a close that waits for our consent would pay us
  std::optional<Payout> payout;  // if it was closed since the host's start, in a block heard
};

class ChannelHost final : public task::PayerPort, public task::EarnerPort {
 public:
  // Brings every channel of the journal up to date with the chain before it returns; refuses a
  // journal of another chain. `chain` must outlive the host.
  static Result<std::unique_ptr<ChannelHost>, Error> start(HostConfig config, ChainClient& chain);
  // Ends its threads; what was begun goes on from the journal at the next start.
  ~ChannelHost() override;

  // Returns when the open is final. The counterparty brings nothing. An open that is not final in
  // time is still under way: the same request again waits for that very one; any other is refused
  // until it is final or too late. So one request locks one deposit, whatever is lost on the way.
  Result<ChannelId, Error> open(const OpenRequest& request);
  // Offers the peer a close, and returns when the channel's end is final. Needs the peer connected.
  Result<void, Error> close(const ChannelId& channel, std::chrono::milliseconds patience);
  // Any event of the party, for what has no call of its own here (claims, splices, payments).
  Result<void, Error> step(const ChannelId& channel, const channel::Event& event);
  // Waits until the predicate holds of the channel; the error says what the channel looks like.
  Result<void, Error> wait(const ChannelId& channel,
                           const std::function<bool(const ChannelView&)>& until,
                           std::chrono::milliseconds patience);

  std::optional<ChannelView> find(const ChannelId& channel);
  std::vector<ChannelView> channels();
  // Whether the last process died while it wrote the journal (nothing signed is lost by that).
  bool journal_tail_was_cut() const;

  // task::PayerPort and task::EarnerPort
  void peer_connected(const AccountId& peer, std::uint64_t connection,
                      task::SendChannelMessage send) override;
  void peer_gone(const AccountId& peer, std::uint64_t connection) override;
  Result<void, Error> peer_message(const AccountId& peer, ByteView message) override;
  Result<void, Error> pay(const task::SignedReceipt& receipt) override;
  Result<void, Error> pay_ahead(const ChannelId& channel, Balance price) override;
  Result<task::EarnerStanding, Error> standing(const ChannelId& channel,
                                               const AccountId& requester) override;
  Result<void, Error> issued(const task::SignedReceipt& receipt) override;
  void on_paid(std::function<void(const ChannelId&, Balance received)> callback) override;

 private:
  struct State;
  explicit ChannelHost(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tally::client
