// Whether this node votes in the epoch, and why not, for its operator.
#pragma once

#include <cstdint>
#include <string>

#include "primitives/ids.hpp"

namespace tally::consensus {

enum class Silence : std::uint8_t {
  none,             // it votes
  not_a_member,     // no keys, or not in the set of this epoch
  listening,        // looks for another copy of itself first
  log_damaged,      // the vote log has damage before its end
  votes_missing,    // vote log and high-water file are both gone
  database_behind,  // it has signed in a later epoch than its database knows of
  another_copy,     // its key has signed what its own log does not know
  signer_away,      // the signer process does not answer
  signer_refuses,   // the signer will not sign what this node asks for
};

struct Standing {
  Silence silence{};
  std::string detail;     // what was seen, with another_copy, signer_away and signer_refuses
  DurationMs listened{};  // with listening
  DurationMs listens_for{};
};

}  // namespace tally::consensus
