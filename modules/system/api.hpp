// What the runtime and the credits module may do with the system module.
#pragma once

#include <cstdint>
#include <optional>

#include "modules/support/context.hpp"
#include "modules/system/calls.hpp"
#include "modules/system/config.hpp"
#include "modules/system/events.hpp"
#include "modules/system/storage.hpp"

namespace tally::system {

inline constexpr ModuleIndex kModule = ModuleIndex::system;

// Hashes of this many blocks are known on chain, so a mortal extrinsic can be at most this old.
constexpr std::uint32_t kBlockHashCount = 4'096;

// A block that one can build on: its state says its number, and only its hash is missing there.
struct Parent {
  const StateReader& state;
  Hash hash;
};

BlockNumber block_number(const StateReader& state);
// Of the chain that the parent belongs to.
Hash genesis_hash(const Parent& parent);
// Of the parent or of a block below it, if it is not too old.
std::optional<Hash> block_hash(const Parent& parent, BlockNumber number);

// Chain time of a block on this state: it advances by the header times' difference, but by no more
// than two idle intervals, so that no deadline passes while the chain stands still.
TimestampMs next_chain_time(const StateReader& state, const Config& config,
                            TimestampMs header_time);

// From the use of the operational lane over the last hour: 1,000 up to half used, rising in a
// straight line to 4,000 when all of it was.
PeriodStretch period_stretch(const LaneUsage& usage);

// First thing in a block: number, hashes and times.
void on_block_start(Context& ctx);
// Last thing in a block: how full the lane was.
struct LaneUse {
  Weight used;
  Weight capacity;
};
void on_block_end(Context& ctx, const LaneUse& use);

CallProperties properties(const Call& call);
DispatchResult dispatch(Context& ctx, const Origin& origin, const Call& call);

}  // namespace tally::system
