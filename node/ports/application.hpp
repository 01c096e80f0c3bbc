// Application: what consensus orders. It executes blocks on overlays over their parents, so that
// two blocks of one height can coexist, and lands final ones in the Store.
//
// Called from the core thread only. Consensus has checked before every call: the parent is
// final or was executed here, the height follows the parent's, parent_hash, epoch, view, time and
// VRF proof are right, and a named validator set (Consensus digest item) stands only in the last
// block of an epoch. Everything else about a block is the application's to judge.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "node/ports/store.hpp"
#include "node/ports/verifier.hpp"
#include "primitives/finality/certificate.hpp"
#include "primitives/header.hpp"

namespace tally::ports {

struct BuildRequest {
  Hash parent;             // executed here or final
  ConsensusDigest digest;  // goes into the header as it is
  AccountId proposer;
  bool last_of_epoch = false;  // the header then also names the set of digest.epoch + 2
};

struct Execution {
  bool valid = false;
  std::string reason;  // why not: for the operator's log
};

// A block that became final. Only the newest of a run has a certificate of its own.
struct FinalBlock {
  Hash hash;
  std::optional<Finalization> finalization;
};

class Application {
 public:
  virtual ~Application() = default;

  // Picks extrinsics and executes them. The block is executed here already when it returns.
  virtual Block build(const BuildRequest& request) = 0;

  // Executes `block` (whose hash is `hash`) on its parent and compares the roots with the header.
  // `proposer` is the account of the view's leader. Idempotent.
  virtual Execution execute(const Hash& hash, const Block& block, const AccountId& proposer) = 0;
  virtual bool is_executed(const Hash& hash) const = 0;  // or final and the newest final block

  // Final blocks that stand on the newest one here, or on those that were foreseen before, and are
  // executed when it is their turn: the signature checks that execute() would make, to be made
  // meanwhile. foreseen() takes their results, in the order of the jobs; what does not hold, or is
  // not there in time, execute() checks itself. `id` is the caller's; dismiss() when the blocks
  // have been executed, or never will be.
  virtual std::vector<SignatureJob> foresee(std::uint64_t id, const std::vector<Block>& blocks) = 0;
  virtual void foreseen(std::uint64_t id, const std::vector<bool>& holds) = 0;
  virtual void dismiss(std::uint64_t id) = 0;

  // Blocks in height order, the first on the newest final block, all executed here. Lands them with
  // `more` in one synced batch, then forgets every overlay that does not stand on the last of them.
  virtual void commit(const std::vector<FinalBlock>& blocks, WriteBatch more) = 0;

  // Whether something in the pool can go into a block on this executed parent.
  virtual bool has_ready(const Hash& parent) const = 0;
  // Whether a deadline of the runtime (a settlement, a verdict) is due in a block on this parent
  // that carries `time`, so that a block is wanted although the pool is empty.
  virtual bool deadline_due(const Hash& parent, TimestampMs time) const = 0;
  // The randomness beacon in the state after an executed or final block.
  virtual Hash beacon(const Hash& block) const = 0;
};

}  // namespace tally::ports
