// What the parts of ChannelHost share. Internal to client-sdk/host.
#pragma once

#include <atomic>
#include <map>
#include <set>
#include <stop_token>

#include "client-sdk/host/channel_host.hpp"
#include "client-sdk/host/submit_queue.hpp"
#include "client-sdk/host/turn_loop.hpp"
#include "modules/channels/storage.hpp"

namespace tally::client {

inline Failure<Error> error_of(const ClientError& error) {
  return fail_with(error.message);
}

// What became of an open.
enum class OpenState : std::uint8_t { under_way, opened, never };
struct OpenFate {
  OpenState state{};
  ChannelId channel;  // if opened: its id, which another open of this account may have moved
  std::string why;    // if never
};

struct ChannelHost::State final : channel::Effects {
  State(HostConfig host_config, ChainClient& chain_client)
      : config(std::move(host_config)), chain(chain_client), loop([this] { end_turn(); }) {}
  ~State() override { loop.stop(); }  // it uses all the rest

  HostConfig config;
  ChainClient& chain;
  std::unique_ptr<channel::ChannelDriver> driver;  // the loop's thread only
  TurnLoop loop;
  std::jthread follower;
  std::vector<std::jthread> submitters;
  BlockNumber next_block;

  // Of the loop's thread.
  struct Peer {
    std::uint64_t connection;
    task::SendChannelMessage send;
  };
  std::map<AccountId, Peer> peers;
  std::atomic<std::size_t> unread = 0;  // messages of peers that wait for their turn
  BlockNumber taken;                    // the newest final block that the driver knows of
  std::function<void(const ChannelId&, Balance)> paid;
  // What the tower has, and what is received by that; only with a tower.
  struct AtTower {
    ChannelVersion version;
    Balance received;
    ChannelVersion complained_of;  // could not be given, and it was said
  };
  std::map<ChannelId, AtTower> at_tower;
  std::map<ChannelId, Payout> payouts;  // heard since the start
  std::set<ChannelId> received_in_turn;
  bool delivers_again = false;  // a turn will begin for what the tower has not taken

  // What outside threads look at.
  std::mutex mutex;
  std::condition_variable changed;
  std::condition_variable submit_changed;  // under the same mutex: of the submitters
  std::map<ChannelId, ChannelView> views;
  SubmitQueue to_submit;
  BlockNumber taken_by_driver;
  std::uint64_t turns = 0;
  // Tasks that were paid, by channel, so that an answer which came twice is not paid twice.
  std::map<ChannelId, std::set<std::uint64_t>> paid_tasks;

  // channel::Effects, called by the driver on the loop's thread when a turn ends.
  void send(const ChannelId& channel, const AccountId& peer, Bytes message) override;
  void submit(const ChannelId& channel, const channels::Call& call, bool by_third_party) override;
  void set_timer(const ChannelId& channel, channel::TimerKind kind, DurationMs after) override;
  void tell(const ChannelId& channel, const channel::Tell& notice) override;

  void end_turn();
  // tower_delivery.cpp
  bool deliver();
  Balance safe_received(const channel::Party& party) const;
  void learn_from_tower(const ChannelId& channel);

  // What a final block says of the channels that are not closed.
  struct Records {
    FinalHead head;
    std::map<ChannelId, std::optional<channels::Channel>> found;
  };
  Result<void, Error> check_chain() const;
  ClientResult<Records> read_records();
  ClientResult<bool> take_up(const Records& records);
  ClientResult<void> check_not_behind(const Records& records) const;
  ClientResult<void> catch_up();
  ClientResult<void> catch_up_at_start();
  void follow(const std::stop_token& stop);
  bool on_block(const FollowedBlock& block);

  // submitting.cpp
  std::mutex one_nonce;  // held from a signature until the node's pool has what was signed
  std::mutex telling;    // of submissions
  void tell_submitted(const Submission& done);
  ClientResult<TxOutcome> submit_call(const KeyPair& key, const channels::Call& call,
                                      const std::stop_token& stop);
  void submit_one(const ToSubmit& next, const std::stop_token& stop);
  void submit_all(const std::stop_token& stop);

  // adoption.cpp
  struct Adoptions {  // of one peer
    int failed = 0;
    TimestampMs since;
  };
  std::map<AccountId, Adoptions> adoptions;  // under the mutex
  TimestampMs now() const;
  bool is_recent(const FinalHead& head) const;
  void begin_journal(const FinalHead& head);
  bool opened_since_we_began(BlockNumber opened_in) const;
  void take_on(const channels::ChannelOpened& opened, BlockNumber opened_in);
  Result<void, Error> adopt(const AccountId& peer, const ChannelId& channel);
  Result<void, Error> adopt_now(const AccountId& peer, const ChannelId& channel);
  Result<bool, Error> try_adopt(const AccountId& peer, const ChannelId& channel);
  bool may_look_for_channel(const AccountId& peer);
  void adopt_channel_of(const AccountId& peer, ByteView message);

  // opening.cpp
  std::mutex one_open;  // held from an open's signature until its end is known
  Result<ChannelId, Error> open(const OpenRequest& request);
  Result<channel::Record, Error> sign_open(const OpenRequest& request);
  Result<ChannelId, Error> submit_open(const channel::Record& record,
                                       std::unique_lock<std::mutex> turn);
  Result<OpenFate, Error> fate_of(const channel::Record& record);
  Result<OpenFate, Error> fate_in(const channel::Record& record, const RawEvents& events,
                                  std::uint32_t index);
  Result<void, Error> settle_open(const channel::Record& record, const OpenFate& fate);
  void settle_opens(std::optional<BlockNumber> final_block);
  void forget_open(const ChannelId& channel);
  Result<void, Error> follow_own(const channel::Terms& terms);
  std::vector<channel::Record> opens_under_way();
  Result<void, channel::Rejection> step(const ChannelId& channel, const channel::Event& event);
  Result<void, Error> pay(const ChannelId& channel, const channel::Pay& pay);
  bool claim_task(const ChannelId& channel, std::uint64_t task);
  Result<void, channel::Rejection> sign(const ChannelId& channel, const channel::Pay& pay);
  void log(const std::string& text) const {
    if (config.log) config.log(text);
  }
};

}  // namespace tally::client
