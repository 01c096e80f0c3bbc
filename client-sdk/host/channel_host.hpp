// All channels of one account, running: the channel driver with its journal, a chain to follow and to
// submit to, and the peers' connections. Wallets, the command line and the worker use this.
//
//   auto host = TALLY_TRY(ChannelHost::start({folder, key, {}}, chain));
//   ChannelId id = TALLY_TRY(host->open({worker, 10 CC})).channel_id;     // final when it returns
//   auto session = TALLY_TRY(task::Session::connect(config, *host));      // the peer's connection
//   TALLY_TRY(host->pay_amount(id, 1 CC));                                // countersigned
//   ClosedChannel end = TALLY_TRY(host->close(id));                       // paid out, final
//
// One thread runs the driver; one follows final blocks, each proved; one submits. What others open
// with this account as the counterparty is taken up once its open is final, provided they bring the
// whole deposit. A block that was final before the folder was first used is not looked at: a channel
// from that time is unknown here and wants `restore`.
//
// Contract: `chain` outlives the host. Calls may come from any thread; they block until what they say
// has happened, the given deadline has passed or the host stops. The folder is locked: one host a
// folder. A journal that cannot be written ends the process.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client-sdk/chain/client.hpp"
#include "client-sdk/channel/driver.hpp"
#include "client-sdk/task/channel_port.hpp"

namespace tally::client {

struct HostConfig {
  std::filesystem::path folder;  // journal, receipts and the place in the chain
  KeyPair key;
  channel::Policy policy;
  std::chrono::milliseconds patience{120'000};  // of a call that waits for a peer or the chain
  std::function<void(const std::string&)> log;  // for people; may be empty
};

struct OpenRequest {
  AccountId counterparty;
  Balance deposit;
  std::optional<DurationMs> challenge_period;  // none: the chain's default
};
struct OpenedChannel {
  ChannelId channel_id;
  TxOutcome outcome;
};

struct ClosedChannel {
  ChannelId channel_id;
  channels::ChannelClosed event;  // who got what
  FinalHead head;                 // the block that paid out
};

// A channel as this account knows it.
struct HostedChannel {
  channel::Record record;
  Balance own;      // as it would be if every offer of mine were countersigned
  Balance payable;  // what I can still pay
};

class ChannelHost final : public task::PayerPort, public task::EarnerPort {
 public:
  static Result<std::unique_ptr<ChannelHost>, Error> start(HostConfig config, ChainClient& chain);
  ~ChannelHost() override;  // as stop()
  // Countersigns nothing more and returns when the threads have ended. Idempotent.
  void stop();

  std::vector<HostedChannel> channels() const;
  std::optional<HostedChannel> find(const ChannelId& channel) const;

  Result<OpenedChannel, Error> open(const OpenRequest& request);
  // Offers the amount with these receipts' hashes and waits for the countersignature.
  Result<ChannelVersion, Error> pay_amount(const ChannelId& channel, Balance amount,
                                           const std::vector<Hash>& receipts = {});
  // Waits until every offer of mine is countersigned.
  Result<void, Error> settle_offers(const ChannelId& channel);
  // Together with the peer, which must be connected; waits for the payout.
  Result<ClosedChannel, Error> close(const ChannelId& channel);
  // Without the peer: claims the newest state that I hold. Returns when the claim is final; the payout
  // comes at the deadline.
  Result<void, Error> claim(const ChannelId& channel);
  // Moves credits in (positive) or out (negative) of an open channel, with the peer's consent.
  Result<void, Error> splice(const ChannelId& channel, BalanceDelta own_delta);
  // Waits until the channel was paid out.
  Result<ClosedChannel, Error> wait_closed(const ChannelId& channel);
  Result<void, Error> restore(const channel::Record& record);

  // task::PayerPort, task::EarnerPort
  void peer_connected(const AccountId& peer, std::uint64_t connection,
                      task::SendChannelMessage send) override;
  void peer_gone(const AccountId& peer, std::uint64_t connection) override;
  Result<void, Error> peer_message(const AccountId& peer, ByteView message) override;
  Result<void, Error> pay(const task::SignedReceipt& receipt) override;
  Result<task::EarnerStanding, Error> standing(const ChannelId& channel,
                                               const AccountId& requester) override;
  Result<void, Error> issued(const task::SignedReceipt& receipt) override;
  void on_paid(std::function<void(const ChannelId&, Balance received)> callback) override;

  struct State;

 private:
  explicit ChannelHost(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tally::client
