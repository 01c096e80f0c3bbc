// tallyd's node: everything wired together, in one place and in plain code.
//
//   threads   core        consensus, pool, sync, execution: one turn after another
//             transport   peers (its own thread)
//             workers     signature checks, subtrees of the state tree
//             gRPC, metrics: their libraries' threads, over NodeQuery
//   folder    LOCK, db/ (RocksDB), votes.log, high-water, node.pem, evidence/
//
// Construction opens and checks everything and starts the node; stop() ends it in order: no new
// calls, no peers, the last turn, a sync of the database.
#pragma once

#include <functional>
#include <memory>

#include "genesis/chain_spec.hpp"
#include "node/keystore/validator_keys.hpp"
#include "node/network/identity.hpp"
#include "node/service/config.hpp"

namespace tally::service {

// Why the node cannot go on, for the exit code.
enum class Exit : int {
  clean = 0,
  cannot_start = 1,       // a port, a disk, a library
  bad_input = 2,          // options, config file, chain spec, keys
  folder_in_use = 3,      // another process has the data folder
  database_damaged = 65,  // a file of db/ is not what was written
  safety_violation = 70,  // validators with a third of the weight broke the protocol
};

struct StartError {
  Exit code{};
  std::string message;
};

// In evidence/: the two certificates that cannot both be. While it is there no node starts here.
constexpr std::string_view kViolationFile = "violation.scale";

class Node {
 public:
  // `on_fatal` is called from the core thread when the node must end; the caller then calls stop().
  static Result<std::unique_ptr<Node>, StartError> start(const NodeConfig& config, const Log& log,
                                                         std::function<void(Exit)> on_fatal);
  ~Node();
  void stop();

 private:
  class Impl;
  explicit Node(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// What --validator and --validator-keys name; nothing for a full node. Reads the password.
Result<std::optional<keystore::ValidatorKeys>, Error> validator_keys_of(const NodeConfig& config);
// What --reporter-key names, or the account of a development validator; nothing for others.
Result<std::optional<KeyPair>, Error> reporter_key_of(const NodeConfig& config);
// Of --password-file or TALLY_KEY_PASSWORD.
Result<std::string, Error> read_password(const NodeConfig& config);
// Whether there is one without making it.
bool has_identity(const NodeConfig& config);
// The node's transport key: of the development name, or of the data folder's node.pem, which is
// made when there is none.
Result<network::NodeIdentity, Error> identity_of(const NodeConfig& config);
// Ports and bootnodes where none were given: on a chain that is not live, the development
// validators that are in its set, at their default ports.
Result<NodeConfig, Error> with_defaults(NodeConfig config, const genesis::ChainSpec& spec);

}  // namespace tally::service
