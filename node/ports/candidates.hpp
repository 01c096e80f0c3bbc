// Between the pool and the application, on the core thread: what the pool offers for a block, and
// what it must see of the chain. Beside ports::Pool, which is how the core feeds the pool.
#pragma once

#include <cstdint>
#include <vector>

#include "modules/system/api.hpp"
#include "node/ports/chain.hpp"
#include "runtime/transaction.hpp"

namespace tally::ports {

// What a block can hold; the selection may exceed it by one transaction.
struct BlockRoom {
  Weight weight;
  std::uint64_t bytes{};
};

// Pointers are good until the pool changes.
class Candidates {
 public:
  virtual ~Candidates() = default;
  // Transactions for a block on this parent, the best first, each account's in the order of its
  // nonces from the one that the parent's state expects.
  virtual std::vector<const runtime::CheckedTransaction*> select(const system::Parent& parent,
                                                                 const BlockRoom& room) const = 0;
  // Whether select() would give anything.
  virtual bool has_ready(const system::Parent& parent) const = 0;
  // A waiting transaction whose signature was verified, by the extrinsic's hash.
  virtual const runtime::CheckedTransaction* find_checked(const Hash& extrinsic) const = 0;
  // Signatures that held, by runtime::signature_id: nothing is verified twice.
  virtual bool is_verified(const Hash& signature_id) const = 0;
  virtual void remember_verified(const Hash& signature_id) = 0;
  // A transaction was refused on this fork for a reason that no later block changes.
  virtual void on_refused(const Hash& extrinsic, runtime::InvalidTransaction reason) = 0;
};

// The newest final block, on which the pool checks nonces and fees.
class FinalizedView {
 public:
  virtual ~FinalizedView() = default;
  virtual ChainHead head() const = 0;
  virtual system::Parent finalized() const = 0;
};

}  // namespace tally::ports
