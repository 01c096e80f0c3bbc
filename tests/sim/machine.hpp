// What a simulated node runs above consensus, and how its clients make transactions: the real
// runtime (real_machine.cpp) or a ledger of sixteen accounts for tests of consensus alone
// (toy_machine.cpp).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/consensus/engine.hpp"
#include "node/core/evidence_reports.hpp"
#include "node/ports/pool.hpp"
#include "node/ports/snapshots.hpp"
#include "tests/sim/random.hpp"
#include "tests/sim/wallets.hpp"

namespace tally::sim {

// A validator by its node, which is also the number of its keys.
struct Seat {
  std::size_t node{};
  std::uint64_t weight{};
};

struct WorldSetup {
  std::size_t validators = 4;  // of epochs 1 and 2: nodes 0, 1, …
  std::uint32_t epoch_length = 60;
  std::size_t candidates = 0;  // nodes after them, with keys that may come into a later set
  std::size_t observers = 0;   // nodes after those, without keys
  // Real machines keep 16 states and blocks beside their snapshot points, and serve and fetch
  // states.
  bool snapshots = false;
  // Who led so many views of an epoch and missed most of them is put out; 1'000: nobody is.
  std::uint32_t downtime_views_min = 1'000;
  // What a toy machine's blocks name: the sets of epochs 3, 4, …; after the last it stays.
  std::vector<std::vector<Seat>> sets;

  std::size_t nodes() const { return validators + candidates + observers; }
};

// Sets that grow, shrink and swap members among the nodes with keys, for so many epochs. No set has
// fewer than four members, and none of them a third of the weight.
std::vector<std::vector<Seat>> draw_sets(const WorldSetup& setup, std::size_t epochs,
                                         std::uint64_t seed);

// One node's application and pool over its store; lives as long as the node runs.
class Machine {
 public:
  virtual ~Machine() = default;
  virtual ports::Application& application() = 0;
  virtual ports::Pool& pool() = 0;
  // What reports of evidence are judged and made by; null where the chain takes none.
  virtual const ports::FinalizedView* chain() { return nullptr; }
  // Null where nodes know no snapshots.
  virtual ports::Snapshots* snapshots() { return nullptr; }
};

class MachineFactory {
 public:
  virtual ~MachineFactory() = default;
  virtual consensus::ChainSetup chain() const = 0;
  // `store` may be empty: then genesis is written first.
  virtual std::unique_ptr<Machine> make(ports::Store& store, const ports::Verifier& verifier) = 0;
  // A transaction that a client submits; the factory remembers what its accounts have sent.
  virtual Bytes transaction(Random& random) = 0;
  // Null where nobody has one.
  virtual Wallets* wallets() { return nullptr; }
  // What is wrong with the newest final state in `store`, if anything: supply, above all.
  virtual std::optional<std::string> audit(const ports::Store& store) const = 0;
  // The last block of an epoch, by its header: whom it names for the epoch after the next, and who
  // served in the one that it ends.
  struct EpochEnd {
    Epoch epoch;
    const ValidatorSet& served;
    const ValidatorSet& named;
  };
  // What is wrong with whom it names and whom it puts out. `store` is that of a node whose newest
  // final block it is.
  virtual std::optional<std::string> judge_end(const ports::Store& store, const EpochEnd& end) = 0;
  // Whether votes are signed for real, as a chain that judges evidence needs it.
  virtual bool real_votes() const { return false; }
  virtual std::optional<core::Reporter> reporter(std::size_t) const { return std::nullopt; }
  // Disputes with their money paid out, when an epoch's end was last judged.
  virtual std::size_t disputes_ended() const { return 0; }
  // How often the validator that the node is was put out for absence, in ends that were judged.
  virtual std::size_t times_out(std::size_t) const { return 0; }
  // Whether the chain has convicted the validator that the node is; false for who never was one.
  virtual bool is_convicted(const ports::Store&, std::size_t) const { return false; }
};

std::unique_ptr<MachineFactory> toy_machines(const WorldSetup& setup);
std::unique_ptr<MachineFactory> real_machines(const WorldSetup& setup);

}  // namespace tally::sim
