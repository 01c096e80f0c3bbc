// Watches channels for parties that are away: keeps the newest co-signed state of each, in a
// journal of its own, and refutes what is older.
//
//   tower.give({update, appointment}, on_chain, head);  // any number of times, in any order
//   tower.on_event(event) …, tower.on_final_block(number);
//   while (const auto due = tower.take()) tower.ended(*due, submit(due->call));
//
// The highest version wins; giving the same or an older one again does nothing. There are no
// sessions and no sequence numbers. Events must come from final blocks that the caller proved by
// their certificates. The tower never signs for a party: it submits from its own account, and
// earns its tenth only with the victim's appointment.
//
// What take() gives out is under way until it ended, and meanwhile not given out again. What is due
// after that was lost to a busy chain: on_final_block() queues it again, every few blocks.
//
// A record that is not there is a channel that ended, but only in a block that is not older than
// those in which the tower saw its channels: a node may be behind, or lie.
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
  bad_appointment,
  not_on_chain,
  wrong_sum,
  node_behind,      // the block is older than one in which the tower saw its channels
  records_missing,  // of channels that it watches
};
TALLY_DESCRIBE_ENUM(TowerError, bad_signature, bad_appointment, not_on_chain, wrong_sum,
                    node_behind, records_missing);

constexpr DurationMs kRefusedStays{86'400'000};
// Whether a state that was refused so long ago may still be taken: its channel's open or splice may
// not be final yet, or not known to the tower's node.
bool may_be_early(TowerError why, const channels::ChannelState& state,
                  const std::optional<channels::Channel>& on_chain, DurationMs ago);

struct Refutation {
  ChannelId channel_id;
  channels::Refute call;
};

class Tower {
 public:
  using Records = std::map<ChannelId, std::optional<channels::Channel>>;

  Tower(Journal journal, const AccountId& account);

  // On disk when it returns. `on_chain` is the channel's record in the final block `at`. Returns
  // whether it was newer than what the tower had.
  Result<bool, TowerError> give(const Watch& watch,
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

  // What is due with the earliest deadline, one refutation a channel.
  std::optional<Refutation> take();
  // `included`: it is in a final block, and did not fail there.
  void ended(const Refutation& refutation, bool included);

 private:
  // Of a channel in challenge. Neither falls.
  struct Standing {
    ChannelVersion version;
    TimestampMs deadline;
  };
  bool due(const ChannelId& channel) const;
  void queue(const ChannelId& channel);
  void stands(const ChannelId& channel, ChannelVersion version, TimestampMs deadline);
  void forget(const ChannelId& channel);
  void write(const Journal::Entries& entries);

  Journal journal_;
  AccountId account_;
  std::map<ChannelId, Watch> watches_;
  std::map<ChannelId, Standing> standing_;
  std::set<ChannelId> queued_;
  std::set<ChannelId> under_way_;
  BlockNumber seen_;  // the newest in which what it watches is known to have been on chain
  std::optional<BlockNumber> next_block_;
};

}  // namespace tally::channel
