// A requester's leave for somebody else to dispute its receipts: the bearer opens the dispute, pays
// its bond and gets its award.
//
//   signed bytes  "tallystick/mandate/v1" ‖ genesis hash ‖ SCALE(mandate)
#pragma once

#include <optional>

#include "primitives/crypto/sign.hpp"
#include "primitives/ids.hpp"

namespace tally::task {

struct Mandate {
  std::optional<Hash> receipt_hash;  // the one receipt that it is for; none: any of the requester's
  AccountId requester;
  AccountId bearer;
  TimestampMs valid_until;  // chain time; it is never ahead of the clocks
  friend bool operator==(const Mandate&, const Mandate&) = default;
};
TALLY_DESCRIBE(Mandate, receipt_hash, requester, bearer, valid_until);

struct SignedMandate {
  Mandate mandate;
  MultiSignature signature;
  friend bool operator==(const SignedMandate&, const SignedMandate&) = default;
};
TALLY_DESCRIBE(SignedMandate, mandate, signature);

SignedMandate sign_mandate(const KeyPair& requester, const Hash& genesis_hash,
                           const Mandate& mandate);
// The signature alone: whom it serves, for what and until when is the caller's to compare.
bool mandate_signature_is_valid(const Hash& genesis_hash, const SignedMandate& mandate);

}  // namespace tally::task
