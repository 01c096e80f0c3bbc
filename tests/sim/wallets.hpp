// Wallets of a simulated chain, as people use them: each asks a node for its head and the account's
// nonce, signs a transfer that dies soon, hands it to that node and never comes back to it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "node/ports/candidates.hpp"
#include "runtime/call.hpp"
#include "tests/sim/random.hpp"

namespace tally::sim {

// A transaction of an account whose key is fake; `birth` is the hash that its era names.
Bytes sign_call(const AccountId& from, const runtime::RuntimeCall& call, const SignedExtra& extra,
                const Hash& genesis_hash, const Hash& birth);

class Wallets {
 public:
  explicit Wallets(const Hash& genesis_hash) : genesis_hash_(genesis_hash) {}

  // To be endowed at genesis.
  static std::vector<AccountId> account_list();

  // By what the node says. It lives 4 to 32 blocks.
  Bytes next(Random& random, const ports::FinalizedView& node);
  // Of a final block with these extrinsics: what is wrong with those that are of wallets, if
  // anything. Outside its time none may be in a block.
  std::optional<std::string> judge(BlockNumber block, const std::vector<Hash>& extrinsics);
  std::size_t included() const { return included_; }

 private:
  struct Sent {
    std::uint32_t head{};  // of the node, when it was signed
    std::uint32_t period{};
    bool included = false;
  };
  Hash genesis_hash_;
  std::map<Hash, Sent> sent_;
  std::size_t included_ = 0;
};

}  // namespace tally::sim
