// The hash of an output, as it stands in the receipt: blake2_256 of the output's bytes, except for
// image_resize, where it is over the decoded pixels of the file (so that two encoders that agree on
// the pixels agree on the hash).
#pragma once

#include "client-sdk/task/specs.hpp"
#include "primitives/ids.hpp"

namespace tally::task {

// Fails when the output is not of the form that type and spec ask for.
Result<Hash, Error> output_hash(TaskType type, ByteView spec, ByteView output);

}  // namespace tally::task
