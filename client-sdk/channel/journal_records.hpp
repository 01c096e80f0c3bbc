// What a party's journal holds: a record a channel, under the channel's id, the block in which the
// journal began, the chain that it is of, and the newest final block that was acted on.
//
// The beginning tells a channel that is new from one that only this journal does not know. Nobody
// signs in a channel before its open is final; so in a channel that was opened after the beginning
// this account has signed nothing that is not in here. In any other it may have, before its journal
// was lost, and rule 5 holds (party.hpp).
//
// The chain and the newest final block tell an end from a head that does not have the channel: one
// of another chain, or one from before the channel's open.
#pragma once

#include "client-sdk/channel/journal.hpp"
#include "client-sdk/channel/record.hpp"

namespace tally::channel {

// Fixed texts, which no hash of a channel is.
extern const JournalKey kBegunAtKey;
extern const JournalKey kGenesisKey;
extern const JournalKey kNewestFinalKey;
JournalKey key_of(const ChannelId& channel);

// Asserted to be well-formed: frames are checksummed, only this program writes them.
std::vector<Record> records_of(const Journal& journal);
std::optional<BlockNumber> begun_at(const Journal& journal);
std::optional<Hash> genesis_hash(const Journal& journal);
std::optional<BlockNumber> newest_final(const Journal& journal);

}  // namespace tally::channel
