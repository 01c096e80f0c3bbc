// Newest states to the tower, and back from it.
#include "client-sdk/host/host_state.hpp"
#include "modules/channels/signing.hpp"

namespace tally::client {

// Gives the tower every update that it lacks; false if one did not get there.
bool ChannelHost::State::deliver() {
  if (config.tower == nullptr) return true;
  bool all = true;
  for (const auto& [id, party] : driver->parties()) {
    const channel::Record& record = party.record();
    if (record.stage == channel::Stage::closed || !record.newest) continue;
    AtTower& there = at_tower[id];
    if (there.version >= record.newest->state.version) continue;
    channel::Watch watch{*record.newest, std::nullopt};
    if (config.appointed_tower) {
      watch.appointment =
          config.key.sign(channels::appointment_bytes({id, *config.appointed_tower}));
    }
    if (const auto given = config.tower->give(watch); !given) {
      all = false;
      const ChannelVersion version = record.newest->state.version;
      if (version <= there.complained_of) continue;
      there.complained_of = version;
      log("the tower does not have version " + to_decimal(version.value) + " of channel " +
          to_hex_prefixed(id) + ", so it does not count yet: " + given.error().message);
      continue;
    }
    there.version = record.newest->state.version;
    there.received = party.received();
    received_in_turn.insert(id);
  }
  return all;
}

Balance ChannelHost::State::safe_received(const channel::Party& party) const {
  if (config.tower == nullptr) return party.received();
  const auto there = at_tower.find(party.record().terms.channel_id);
  return there == at_tower.end() ? Balance{} : min(there->second.received, party.received());
}

// A tower that is ahead of the journal shows that the journal is an old one: the party then follows
// rule 5. Signatures are the party's to check.
void ChannelHost::State::learn_from_tower(const ChannelId& channel) {
  if (config.tower == nullptr || driver->find(channel) == nullptr) return;
  const auto newest = config.tower->newest(channel);
  if (newest) static_cast<void>(driver->step(channel, channel::Learn{*newest}));
}

}  // namespace tally::client
