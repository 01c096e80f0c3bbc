// Why the node refuses an extrinsic, as clients are told.
#pragma once

#include <cstdint>
#include <string>

#include "primitives/codec/describe.hpp"

namespace tally::ports {

// Why an extrinsic was refused, by the pool or, later, by the block that should have held it.
// Numbers and names are part of the interface: append only.
enum class RejectCode : std::uint8_t {
  malformed = 0,           // not an extrinsic, or trailing bytes, or an unknown call
  too_large = 1,           // longer than the chain's bound
  unsupported_scheme = 2,  // Sr25519
  bad_signature = 3,       // also: made for another chain, version or fork
  bad_signer = 4,          // unsigned, or an address that names no account
  stale_nonce = 5,         // the account has used this nonce
  future_nonce = 6,        // too far above the account's next nonce
  expired = 7,             // its era is over
  cannot_pay = 8,          // the fee is more than the free balance
  exhausts_resources = 9,  // more weight than a block can hold
  pool_full = 10,
  account_limit = 11,  // too many of one account waiting
  already_known = 12,  // in the pool, or in a block
  replaced = 13,       // another transaction with the same nonce pays more
  underpriced = 14,    // another with the same nonce waits, and this one does not pay enough more
  shutting_down = 15,
};
TALLY_DESCRIBE_ENUM(RejectCode, malformed, too_large, unsupported_scheme, bad_signature, bad_signer,
                    stale_nonce, future_nonce, expired, cannot_pay, exhausts_resources, pool_full,
                    account_limit, already_known, replaced, underpriced, shutting_down);

struct Rejection {
  RejectCode code{};
  std::string reason;
};

}  // namespace tally::ports
