// A client for a phone: it follows finality with one proof an epoch and one for the newest block,
// fetches no blocks, and needs only one honest node among those that it is told of.
//
// Every node is asked, and every answer is checked. A node whose answer does not hold is set aside
// with what was wrong, and not asked again; one that does not answer is asked again the next time.
// The newest head that was proved counts; another node's head that is proved too must be on the
// same chain, else a third of the validators' weight has signed two histories, which is an error
// of its own (code two_histories) and no node's fault.
//
//   LightClient light(config, trust_root(spec));
//   const FinalHead head = TALLY_TRY(light.advance());
//   const auto values = TALLY_TRY(light.read({key}));     // at that head
//
// Calls block; one thread at a time.
#pragma once

#include <string>
#include <vector>

#include "client-sdk/chain/client.hpp"
#include "client-sdk/chain/trust_file.hpp"

namespace tally::client {

struct LightConfig {
  std::vector<std::string> nodes;  // host:port; at least one
  // Where to begin: a block that the user trusts, else what was saved, else genesis.
  std::optional<TrustedBlock> from;
  Bytes saved_trust;
  // How old the newest final block may be; nothing: any age.
  std::optional<DurationMs> max_age;
  ClientConfig client;  // for every node; its endpoint is not used
};

// One of the nodes, and what came of asking it.
struct LightNode {
  std::string endpoint;
  std::optional<FinalHead> head;     // proved, when it was asked last
  std::optional<ClientError> error;  // what was wrong then
  bool set_aside = false;            // an answer of it did not hold
};

class LightClient {
 public:
  LightClient(LightConfig config, TrustRoot root);

  // Asks every node for its newest final block. An error when none has one that holds: the first
  // that lied, else the first.
  ClientResult<FinalHead> advance();
  // Values at the head of the last advance(), each proved, from any node.
  ClientResult<std::vector<std::optional<Bytes>>> read(const std::vector<Bytes>& keys);

  const std::vector<LightNode>& nodes() const { return nodes_; }
  Traffic traffic() const;  // with all nodes together
  // Nothing until a node was connected to.
  const Bytes& saved_trust() const { return trust_; }
  std::optional<Epoch> known_epoch() const;
  // The block that the chain of trust began at.
  const Hash& trust_start() const { return start_; }

 private:
  ClientResult<FinalHead> ask(std::size_t index);
  ClientResult<ChainClient*> connected(std::size_t index);
  ClientResult<void> one_history(std::size_t best);
  // Of those with a head that counts(), the one whose head is the highest.
  std::optional<std::size_t> best() const;
  // That its head is not below what is proved to be reached: such a one may be forged by validators
  // of long ago, and is only what a node that is behind shows.
  bool counts(const LightNode& node) const;
  void refuse(std::size_t index, const ClientError& error);
  ClientError first_error() const;

  LightConfig config_;
  TrustRoot root_;
  Bytes trust_;  // as far as any node has brought it
  BlockNumber reached_;
  Hash start_;
  std::vector<LightNode> nodes_;
  std::vector<std::unique_ptr<ChainClient>> clients_;  // by node; null while not connected
  std::optional<FinalHead> head_;
};

}  // namespace tally::client
