// vector_search: exact k nearest neighbours over int8 vectors, the same bits on every machine and
// on a GPU. Scores are int32 sums that cannot overflow at kMaxDimensions; of equal scores the lower
// id is nearer. The input's layout is that of client-sdk/task/specs.hpp.
#pragma once

#include <vector>

#include "client-sdk/task/specs.hpp"
#include "primitives/bytes.hpp"

namespace tally::executors {

// k matches a query, nearest first, queries in order. The spec has passed task::check for this
// input. Uses the GPU when this process has opened one (cuda/device.hpp), else the CPU.
std::vector<task::VectorMatch> nearest_vectors(const task::VectorSearchSpec& spec, ByteView input);
std::vector<task::VectorMatch> nearest_vectors_cpu(const task::VectorSearchSpec& spec,
                                                   ByteView input);

}  // namespace tally::executors
