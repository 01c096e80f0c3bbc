// The chain application: executes blocks on overlays over their parents with the runtime, states
// and checks their roots, and lands final ones in the store, one batch a commit.
//
// A block is valid here when its extrinsics decode, their signatures hold on its fork, the runtime
// accepts it, and its header states the roots and the digest that follow. Signatures that the pool
// verified, or that were foreseen, are not verified again; the others are checked together, on as
// many cores as the verifier has.
//
//   FinalState final_state(store);                     // after install_genesis()
//   TxPool pool(final_state, …);
//   ChainApplication app({store, final_state, pool, verifier}, options);
//
// Core thread only, beside History, which reads final blocks from any thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "node/execution/pending.hpp"
#include "node/execution/pruning.hpp"
#include "node/ports/application.hpp"
#include "node/ports/candidates.hpp"
#include "node/ports/verifier.hpp"
#include "runtime/runtime.hpp"
#include "runtime/validity.hpp"

namespace tally::execution {

struct Options {
  Retention retention;
  runtime::InvariantChecks invariants = runtime::InvariantChecks::sampled;
  const tree::Executor* executor = nullptr;
};

class ChainApplication final : public ports::Application {
 public:
  struct Parts {
    ports::Store& store;
    FinalState& final_state;
    ports::Candidates& pool;
    const ports::Verifier& verifier;
  };
  ChainApplication(const Parts& parts, const Options& options);

  Block build(const ports::BuildRequest& request) override;
  ports::Execution execute(const Hash& hash, const Block& block,
                           const AccountId& proposer) override;
  bool is_executed(const Hash& hash) const override;
  std::vector<ports::SignatureJob> foresee(std::uint64_t id,
                                           const std::vector<Block>& blocks) override;
  void foreseen(std::uint64_t id, const std::vector<bool>& holds) override;
  void dismiss(std::uint64_t id) override { foreseen_.erase(id); }
  void commit(const std::vector<ports::FinalBlock>& blocks, ports::WriteBatch more) override;
  bool has_ready(const Hash& parent) const override;
  bool deadline_due(const Hash& parent, TimestampMs time) const override;
  Hash beacon(const Hash& block) const override;

  // Forgets what was executed and reads the head again: the store was filled by other means.
  void reload();

  // What is known of a block that was executed here and is not final; null otherwise. Good until
  // the next commit.
  const PendingBlock* find_pending(const Hash& hash) const;
  // The state after a pending block or the newest final one; nothing for any other. Good until the
  // next commit.
  std::optional<ChainState> state_after(const Hash& block) const;
  // Where a pending block on the way from the final head to `tip` holds the extrinsic.
  std::optional<TxPlace> find_on_branch(const Hash& tip, const Hash& extrinsic) const;

 private:
  struct Checked {
    // Owned where the pool did not have them; pointers into the pool otherwise.
    std::vector<std::unique_ptr<runtime::CheckedTransaction>> owned;
    std::vector<const runtime::CheckedTransaction*> all;
  };

  // Extrinsics of blocks to come.
  struct Foreseen {
    struct Unchecked {
      runtime::Transaction tx;
      SignedAdditional additional;
    };
    std::vector<Unchecked> unchecked;  // as the jobs; empty once they were checked
    std::unordered_map<std::string, runtime::CheckedTransaction> checked;  // by hash
    std::map<BlockNumber, Hash> hashes;                                    // of blocks
  };

  ChainState chain_state(const Hash& block) const;
  std::optional<SignedAdditional> foresee_additional(const runtime::Transaction& tx,
                                                     BlockNumber in) const;
  // One whose signature was verified before, for whatever fork.
  const runtime::CheckedTransaction* find_checked(const Hash& extrinsic) const;
  Result<Checked, std::string> check_transactions(const system::Parent& parent, const Block& block);
  Result<void, std::string> verify_missing(
      std::vector<std::pair<std::size_t, runtime::Transaction>> unknown,
      const runtime::TransactionValidator& validator, Checked& checked);
  Result<void, std::string> execute_new(const Hash& hash, const Block& block,
                                        const AccountId& proposer);
  // The tree after the changes; a missing node ends the process, since it is damage.
  tree::Update update_tree(const ChainState& state, BlockNumber height,
                           const StateChanges& changes) const;
  void forget_other_branches(const Hash& tip);

  Parts parts_;
  Options options_;
  std::unordered_map<std::string, std::unique_ptr<Pending>> pending_;  // by hash, never walked
                                                                       // where order shows
  std::map<std::uint64_t, Foreseen> foreseen_;
};

// The digest of a block: the leader's item, then the named set in the last block of an epoch.
Digest make_digest(const ConsensusDigest& consensus, const std::optional<ValidatorSet>& named_set);

}  // namespace tally::execution
