// What a simulated node runs above consensus, and how its clients make transactions: the real
// runtime (real_machine.cpp) or a ledger of sixteen accounts for tests of consensus alone
// (toy_machine.cpp).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "node/consensus/engine.hpp"
#include "node/ports/pool.hpp"
#include "tests/sim/random.hpp"

namespace tally::sim {

struct WorldSetup {
  std::size_t validators = 4;
  std::uint32_t epoch_length = 60;
};

// One node's application and pool over its store; lives as long as the node runs.
class Machine {
 public:
  virtual ~Machine() = default;
  virtual ports::Application& application() = 0;
  virtual ports::Pool& pool() = 0;
};

class MachineFactory {
 public:
  virtual ~MachineFactory() = default;
  virtual consensus::ChainSetup chain() const = 0;
  // `store` may be empty: then genesis is written first.
  virtual std::unique_ptr<Machine> make(ports::Store& store, const ports::Verifier& verifier) = 0;
  // A transaction that a client submits; the factory remembers what its accounts have sent.
  virtual Bytes transaction(Random& random) = 0;
  // What is wrong with the newest final state in `store`, if anything: supply, above all.
  virtual std::optional<std::string> audit(const ports::Store& store) const = 0;
};

std::unique_ptr<MachineFactory> toy_machines(const WorldSetup& setup);
std::unique_ptr<MachineFactory> real_machines(const WorldSetup& setup);

}  // namespace tally::sim
