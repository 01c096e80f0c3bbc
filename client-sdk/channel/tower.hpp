// Watches channels for parties that are away: keeps the newest co-signed state of each, in a
// journal of its own, and refutes what is older.
//
//   tower.give({update, appointment}, *on_chain);      // any number of times, in any order
//   for (const Refutation& r : tower.on_event(event)) submit(r.call) …
//
// The highest version wins; giving the same or an older one again does nothing. There are no
// sessions and no sequence numbers. Events must come from final blocks that the caller proved by
// their certificates. The tower never signs for a party: it submits from its own account, and
// earns its tenth only with the victim's appointment.
//
// What is not refuted in time was lost to a busy chain: on_final_block() offers every refutation
// that is still due again, every few blocks.
#pragma once

#include <map>
#include <optional>
#include <vector>

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

enum class TowerError : std::uint8_t { bad_signature, bad_appointment, not_on_chain, wrong_sum };
TALLY_DESCRIBE_ENUM(TowerError, bad_signature, bad_appointment, not_on_chain, wrong_sum);

struct Refutation {
  ChannelId channel_id;
  channels::Refute call;
};

class Tower {
 public:
  Tower(Journal journal, const AccountId& account);

  // On disk when it returns. `on_chain` is the channel's record in a final block. Returns whether
  // it was newer than what the tower had.
  Result<bool, TowerError> give(const Watch& watch,
                                const std::optional<channels::Channel>& on_chain);
  const Watch* find(const ChannelId& channel) const;
  std::size_t watched() const { return watches_.size(); }

  std::vector<Refutation> on_event(const channels::Event& event);
  // After a start.
  std::vector<Refutation> on_record(const ChannelId& channel,
                                    const std::optional<channels::Channel>& on_chain);
  std::vector<Refutation> on_final_block(BlockNumber number);
  const std::map<ChannelId, Watch>& watches() const { return watches_; }

 private:
  std::vector<Refutation> due(const ChannelId& channel) const;
  void write(const ChannelId& channel, Bytes value);

  Journal journal_;
  AccountId account_;
  std::map<ChannelId, Watch> watches_;
  std::map<ChannelId, ChannelVersion> standing_;  // of channels in challenge
};

}  // namespace tally::channel
