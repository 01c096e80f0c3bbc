// Pool: transactions that wait for a block, as the core sees it.
//
// offer() decodes and makes the checks that need no signature; the signature is checked once, on
// the verify pool, and settle() then decides. Gossip carries only what was accepted.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "node/ports/network.hpp"
#include "node/ports/rejection.hpp"
#include "node/ports/verifier.hpp"
#include "primitives/ids.hpp"

namespace tally::ports {

enum class PoolVerdict : std::uint8_t {
  accepted,         // in the pool, or will be when its nonce comes
  known,            // already there, or already in a final block
  check_signature,  // settle() decides when the signature has been checked
  invalid,          // can never be valid: `reason` says why
  stale,            // nonce or mortality is past, or may be: see settle()
  refused,          // valid, but the pool is full or the account has its share
};

struct PoolAnswer {
  PoolVerdict verdict{};
  Hash hash;                        // of the extrinsic
  std::optional<SignatureJob> job;  // with check_signature
  RejectCode code{};                // with invalid, stale and refused
  std::string reason;               // likewise: what was expected and what came
};

// Where a transaction came from: a client of this node, or another node. `peer` is one whose share
// of the pool is limited.
struct PoolSource {
  bool is_local = false;
  std::optional<PeerId> peer;
  friend bool operator==(const PoolSource&, const PoolSource&) = default;

  static const PoolSource local;
  static const PoolSource gossip;  // of a validator, which has no share
  static PoolSource of(const PeerId& guest) { return {false, guest}; }
};
inline const PoolSource PoolSource::local{true, std::nullopt};
inline const PoolSource PoolSource::gossip{};

class Pool {
 public:
  virtual ~Pool() = default;
  virtual PoolAnswer offer(Bytes extrinsic, PoolSource source) = 0;
  // A mortal transaction whose signature does not hold is stale: it names its birth block by the
  // remainder of a height, which is another block for a node that is behind or ahead of its signer.
  virtual PoolAnswer settle(const Hash& extrinsic, bool signature_holds) = 0;
  virtual std::optional<Bytes> find(const Hash& extrinsic) const = 0;
  virtual bool contains(const Hash& extrinsic) const = 0;
  virtual std::size_t size() const = 0;
  // Accepted local transactions, for gossip to a peer that just came up; at most `max_bytes` of
  // them.
  virtual std::vector<Bytes> local(std::size_t max_bytes) const = 0;
  // The application has committed blocks that hold these: all that it committed at a time.
  virtual void on_final(const std::vector<Hash>& included) = 0;
};

}  // namespace tally::ports
