// Watches channels for parties that are away: keeps the newest co-signed state of each, in a
// journal of its own, and refutes what is older.
//
//   tower.give({update, appointment}, on_chain, head);  // any number of times, in any order
//   tower.on_event(event) …, tower.on_final_block(number);
//   while (const auto due = tower.take()) tower.ended(*due, submit(due->call));  // an Attempt
//
// The highest version wins; giving the same or an older one again does nothing. There are no
// sessions and no sequence numbers. Events must come from final blocks that the caller proved by
// their certificates. The tower never signs for a party: it submits from its own account, and
// earns its tenth only with the victim's appointment.
//
// What take() gives out is under way until it ended, and meanwhile not given out again. What is due
// after that was lost to a busy chain: on_final_block() queues it again, every few blocks. What
// failed in its block was paid for: it waits longer each time, and behind all that has not; unless
// another refutation came before it, so that no cheater makes it wait with one older state after
// the other.
//
// A record that is not there is a channel that ended, but only in a block that is not older than
// those in which the tower saw its channels: a node may be behind, or lie. So the journal names the
// chain that it is of.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "client-sdk/channel/journal.hpp"
#include "modules/channels/calls.hpp"
#include "modules/channels/events.hpp"

namespace tally::channel {

// What a party gives its tower.
struct Watch {
  channels::CoSignedState update;
  std::optional<MultiSignature> appointment;  // over appointment_bytes for the tower's account
  friend bool operator==(const Watch&, const Watch&) = default;
};
TALLY_DESCRIBE(Watch, update, appointment);

enum class TowerError : std::uint8_t {
  bad_signature,
  not_on_chain,
  wrong_sum,
  acked_not_below_version,
  node_behind,      // the block is older than one in which the tower saw its channels
  records_missing,  // of channels that it watches
};
TALLY_DESCRIBE_ENUM(TowerError, bad_signature, not_on_chain, wrong_sum, acked_not_below_version,
                    node_behind, records_missing);

struct Given {
  bool newer = false;              // than what the tower had
  bool appointment_holds = false;  // false also if there is none: it is then watched for nothing
};

constexpr DurationMs kRefusedStays{86'400'000};
// Whether a state that was refused so long ago may still be taken: its channel's open or splice may
// not be final yet, or not known to the tower's node.
bool may_be_early(TowerError why, const channels::ChannelState& state,
                  const std::optional<channels::Channel>& on_chain, DurationMs ago);

struct Refutation {
  ChannelId channel_id;
  channels::Refute call;
};
// What became of one. `failed`: it is in a final block, and failed there.
enum class Attempt : std::uint8_t { included, failed, not_included };

class Tower {
 public:
  using Records = std::map<ChannelId, std::optional<channels::Channel>>;

  Tower(Journal journal, const AccountId& account);

  // From then on the journal is of this chain. False: channels of another one are watched.
  bool bind_to(const Hash& genesis_hash);
  const std::optional<Hash>& genesis_hash() const { return genesis_hash_; }

  // On disk when it returns. `on_chain` is the channel's record in the final block `at`. A state
  // whose appointment does not hold for this tower's account is watched all the same.
  Result<Given, TowerError> give(const Watch& watch,
                                 const std::optional<channels::Channel>& on_chain, BlockNumber at);
  const Watch* find(const ChannelId& channel) const;
  std::size_t watched() const { return watches_.size(); }
  const std::map<ChannelId, Watch>& watches() const { return watches_; }

  // The first block whose events it has not heard. None, as after a start: it needs the records of
  // all that it watches, as they are in one final block.
  std::optional<BlockNumber> next_block() const { return next_block_; }
  Result<void, TowerError> catch_up(const Records& records, BlockNumber at);
  // Events were missed.
  void lose_track() { next_block_.reset(); }

  void on_event(const channels::Event& event);
  void on_record(const ChannelId& channel, const std::optional<channels::Channel>& on_chain,
                 BlockNumber at);
  void on_final_block(BlockNumber number);

  // What is due, one refutation a channel: what failed least, of that the earliest deadline.
  std::optional<Refutation> take();
  void ended(const Refutation& refutation, Attempt attempt);

 private:
  // Of a channel in challenge. Neither version nor deadline falls.
  struct Standing {
    ChannelVersion version;
    TimestampMs deadline;
    std::uint32_t failures = 0;
    BlockNumber again_from;
  };
  bool due(const ChannelId& channel) const;
  bool appoints(const Watch& watch, const channels::Channel& on_chain) const;
  void queue(const ChannelId& channel);
  void stands(const ChannelId& channel, ChannelVersion version, TimestampMs deadline,
              bool by_event);
  void forget(const ChannelId& channel);
  void write(const Journal::Entries& entries);

  Journal journal_;
  AccountId account_;
  std::optional<Hash> genesis_hash_;
  std::map<ChannelId, Watch> watches_;
  std::map<ChannelId, Standing> standing_;
  std::set<ChannelId> queued_;
  std::map<ChannelId, ChannelVersion> under_way_;  // what stood when it was given out
  BlockNumber seen_;  // the newest in which what it watches is known to have been on chain
  std::optional<BlockNumber> next_block_;
};

}  // namespace tally::channel
