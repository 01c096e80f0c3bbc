// The chain's metadata, version 14, made from the same descriptions as the codec and the
// dispatcher.
#pragma once

#include "primitives/bytes.hpp"
#include "primitives/ids.hpp"
#include "runtime/metadata/types.hpp"

namespace tally::metadata {

// What the metadata tells of a chain spec. Everything else is the same for every chain of this
// version.
struct Parameters {
  DurationMs min_block_interval;  // Timestamp.MinimumPeriod is half of it
};

MetadataV14 build(const Parameters& parameters);
// The blob that state_getMetadata answers. Made anew at each call: keep it.
Bytes encoded(const Parameters& parameters);

}  // namespace tally::metadata
