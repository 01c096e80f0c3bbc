// Why a storage registry call is refused. Numbers are part of the wire and never reused.
//
// Order of precedence: where several reasons hold, the one that comes first in this list is
// reported, except that a shortage of funds (credits' own errors) is always last.
#pragma once

#include <cstdint>

#include "modules/support/error.hpp"

namespace tally::storage_registry {

enum class Error : std::uint8_t {
  not_an_attester = 0,
  bad_label = 1,             // 1 to 64 characters from '!' to '~'
  bad_content_id = 2,        // not in a form that the store has
  unknown_checkpoint = 3,    // of this owner; never recorded, or removed
  unknown_parent = 4,        // not a live checkpoint of the caller
  too_many_checkpoints = 5,  // remove one first
  not_a_step_forward = 6,    // what stands already says as much or more
};
TALLY_DESCRIBE_ENUM(Error, not_an_attester, bad_label, bad_content_id, unknown_checkpoint,
                    unknown_parent, too_many_checkpoints, not_a_step_forward);

inline DispatchError reject(Error error) {
  return module_error(ModuleIndex::storage_registry, error);
}

}  // namespace tally::storage_registry
