// Workers, a requester and verifiers of a simulated chain: they register, some receipts are
// disputed, and who is drawn accepts, commits and reveals, or stays silent. They act by what the
// newest state that they were shown says.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "modules/disputes/types.hpp"
#include "node/ports/store.hpp"
#include "primitives/crypto/sign.hpp"
#include "runtime/call.hpp"
#include "tests/sim/random.hpp"

namespace tally::sim {

class Disputants {
 public:
  explicit Disputants(const Hash& genesis_hash);

  // To be endowed at genesis.
  const std::vector<AccountId>& accounts() const { return accounts_; }

  struct Act {
    AccountId who;
    runtime::RuntimeCall call;
  };
  std::optional<Act> next(Random& random);
  // The state of the newest final block.
  void observe(const ports::Store& store);
  std::size_t ended() const { return ended_; }  // disputes with their money paid out

  static std::vector<AccountId> account_list();

 private:
  Act open(Random& random);

  Hash genesis_hash_;
  std::vector<KeyPair> keys_;  // the first works, the last hires, the others verify
  std::vector<AccountId> accounts_;
  std::size_t registered_ = 0;  // have asked to be
  std::uint64_t tasks_ = 0;
  TimestampMs header_time_;
  std::vector<Act> due_;  // what seats wait for
  std::set<Hash> done_;   // acts, by their bytes
  std::size_t ended_ = 0;
};

}  // namespace tally::sim
