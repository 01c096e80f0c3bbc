// Private to the runtime: the accounts of transactions that come next are brought into the overlay
// together, so that their keys are hashed and their memory is fetched side by side.
#pragma once

#include <span>

#include "modules/support/overlay.hpp"
#include "runtime/transaction.hpp"

namespace tally::runtime {

// Transactions that read_ahead() is given at a time.
constexpr std::size_t kReadAhead = 16;

// `state` lies above `below`. Reads only: it has no influence on any result.
void read_ahead(const StateReader& below, const Overlay& state,
                std::span<const CheckedTransaction* const> coming);

}  // namespace tally::runtime
