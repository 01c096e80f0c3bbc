// Verifier: signature checks, injected so that they can run on other cores and be cached.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "primitives/crypto/sign.hpp"
#include "primitives/crypto/vrf.hpp"
#include "primitives/finality/vote.hpp"

namespace tally::ports {

// An extrinsic's signature: `payload` is what was signed (already hashed where it is long).
struct SignatureJob {
  AccountId account;
  Bytes payload;
  MultiSignature signature;
};

class Verifier : public VoteVerifier {
 public:
  virtual std::optional<VrfOutput> verify_vrf(const VrfKey& key, ByteView alpha,
                                              const VrfProof& proof) const = 0;
  // Returns when all are checked; result i says whether job i holds. May use several cores.
  virtual std::vector<bool> check(const std::vector<SignatureJob>& jobs) const = 0;
  // Checks in the background. The driver calls NodeCore::on_signatures_checked(ticket, results)
  // later, from the core thread, once for each ticket.
  virtual void check_later(std::uint64_t ticket, std::vector<SignatureJob> jobs) = 0;
};

}  // namespace tally::ports
