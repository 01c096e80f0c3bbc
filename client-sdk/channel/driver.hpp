// Runs the parties of all channels of one account: keeps their journal, turns messages and chain
// events into their events, and lets their actions leave in the right order.
//
//   ChannelDriver driver(std::move(journal), key, policy, effects);
//   driver.open(terms);                                      // after the open was agreed on
//   driver.on_message(peer, bytes);
//   driver.step(id, Pay{price, {receipt_hash}});
//   driver.finish_turn();                                    // one sync, then everything leaves
//
// Contract: between a step and the next finish_turn() nothing leaves; finish_turn() writes the
// last record of every channel that changed with one sync and then lets sends, submissions, timers
// and notices go, in the order in which they came up. A write that fails ends the process. One
// thread. Timers come back through step(id, TimerFired{kind}).
//
// The chain is followed by its final blocks: every event of the channels module through on_event(),
// then on_final_block(). After a start, on_record() brings each channel up to date; an older block
// than one that was acted on, by this process or an earlier one, ends no channel.
#pragma once

#include <map>
#include <set>

#include "client-sdk/channel/journal.hpp"
#include "client-sdk/channel/party.hpp"
#include "modules/channels/events.hpp"

namespace tally::channel {

class Effects {
 public:
  virtual ~Effects() = default;
  virtual void send(const ChannelId& channel, const AccountId& peer, Bytes message) = 0;
  // by_third_party: not from this account (a tower's, or another of the user's).
  virtual void submit(const ChannelId& channel, const channels::Call& call,
                      bool by_third_party) = 0;
  virtual void set_timer(const ChannelId& channel, TimerKind kind, DurationMs after) = 0;
  virtual void tell(const ChannelId& channel, const Tell& notice) = 0;
};

enum class DriverError : std::uint8_t { unknown_channel, known_channel, not_the_peer, malformed };
TALLY_DESCRIBE_ENUM(DriverError, unknown_channel, known_channel, not_the_peer, malformed);

class ChannelDriver {
 public:
  // Takes up every channel of the journal that this key is a party of.
  ChannelDriver(Journal journal, const KeyPair& key, const Policy& policy, Effects& effects);

  // The final block in which this journal began (journal_records.hpp). Nothing until begin_at(),
  // which is called once; written with the next finish_turn().
  std::optional<BlockNumber> begun_at() const { return begun_at_; }
  void begin_at(BlockNumber number);
  // The chain that this journal is of. Nothing until bind_to(), which is called once; written with
  // the next finish_turn().
  const std::optional<Hash>& genesis_hash() const { return genesis_hash_; }
  void bind_to(const Hash& genesis_hash);
  // The newest final block that was acted on. It goes to the journal with whatever else does, and
  // alone every 1,024 blocks: what the journal knows of a channel is from no later block.
  std::optional<BlockNumber> newest_final() const { return newest_final_; }

  // Written with the next finish_turn(). `opening`: my own open, to be submitted after that.
  Result<void, DriverError> open(const Terms& terms, std::optional<Opening> opening = std::nullopt);
  // An open that never was: the channel leaves the journal with the next finish_turn().
  void forget_unopened(const ChannelId& channel);
  // From a backup (backup.hpp): the channel follows rule 5 from now on.
  Result<void, DriverError> restore(const Record& record);

  Result<void, Rejection> step(const ChannelId& channel, const Event& event);
  // A message that the party refuses is dropped; one on top of something unknown is answered with
  // a Hello.
  Result<void, DriverError> on_message(const AccountId& peer, ByteView message);
  void on_connected(const AccountId& peer);

  void on_event(const channels::Event& event);
  // What the final block `at` says of the channel.
  void on_record(const ChannelId& channel, const std::optional<channels::Channel>& on_chain,
                 BlockNumber at);
  void on_final_block(BlockNumber number);
  // Whether a call that was submitted would still do what it is for, by what the chain said since.
  bool still_due(const ChannelId& channel, const channels::Call& call) const;
  // Of a channel in challenge: when it ends, in the chain's time.
  std::optional<TimestampMs> deadline(const ChannelId& channel) const;

  void finish_turn();

  const Party* find(const ChannelId& channel) const;
  const std::map<ChannelId, Party>& parties() const { return parties_; }
  bool journal_tail_was_cut() const { return journal_.tail_was_cut(); }

 private:
  struct Leaving {
    ChannelId channel;
    Action action;
  };
  struct Challenge {
    ChannelVersion standing;
    TimestampMs deadline;
  };
  // Writes and what leaves, for the next finish_turn().
  void take(const ChannelId& channel, Actions actions);
  void let_go(const Leaving& leaving);
  void try_step(const ChannelId& channel, const Event& event);
  void saw_final(BlockNumber number);
  void note_challenge(const channels::Event& event);

  Journal journal_;
  KeyPair key_;
  Policy policy_;
  Effects& effects_;
  std::optional<BlockNumber> begun_at_;
  std::optional<Hash> genesis_hash_;
  std::optional<BlockNumber> newest_final_;
  std::optional<BlockNumber> written_final_;  // of it, what the journal has
  std::map<ChannelId, Party> parties_;
  std::map<ChannelId, OpenedOnChain> pending_opens_;
  std::map<ChannelId, Challenge> challenges_;
  std::set<ChannelId> stepped_;
  Journal::Entries to_write_;
  std::vector<Leaving> leaving_;
};

}  // namespace tally::channel
