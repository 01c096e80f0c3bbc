// What the parts of ChainClient share. Internal to client-sdk/chain.
#pragma once

#include <map>
#include <mutex>

#include "client-sdk/chain/connection.hpp"
#include "rpc/proto/author.grpc.pb.h"
#include "rpc/proto/chain.grpc.pb.h"
#include "rpc/proto/node.grpc.pb.h"
#include "rpc/proto/state.grpc.pb.h"

namespace tally::client {

namespace proto = tallystick::v1;

inline std::string to_proto(ByteView bytes) {
  return std::string(as_text(bytes));
}

proto::BlockAt at_hash(const Hash& hash);
proto::BlockAt at_number(BlockNumber number);

struct ChainClient::Impl {
  Impl(const ClientConfig& config, TrustRoot root);

  Connection connection;
  ChainVersion version;
  std::unique_ptr<proto::Chain::Stub> chain;
  std::unique_ptr<proto::State::Stub> state;
  std::unique_ptr<proto::Author::Stub> author;
  std::unique_ptr<proto::Node::Stub> node;

  mutable std::mutex mutex;  // of what follows
  Trust trust;
  FinalHead newest;  // the highest that was proved; genesis at first
  std::map<BlockNumber, FinalHead> proved;

  ClientResult<Header> fetch_header(const proto::BlockAt& at);
  struct FetchedProof {
    FinalityProof proof;
    std::uint64_t bytes{};
  };
  ClientResult<FetchedProof> fetch_proof(const proto::BlockAt& at);
  // One step of the chain of trust, with the proof of this block.
  ClientResult<void> learn(BlockNumber wanted, Epoch on_the_way_to);
  // Brings the chain of trust up to the epoch, then checks the proof; remembers the header.
  ClientResult<FinalHead> prove(const FinalityProof& proof);
  // The header that the node shows at this place, proved final.
  ClientResult<FinalHead> prove_at(const proto::BlockAt& at);
  std::optional<FinalHead> known(const Hash& hash) const;
  std::optional<FinalHead> known_locked(const Hash& hash) const;  // with the mutex held
  // That the head is not older than allowed, by the clock and by what was proved before.
  ClientResult<void> check_fresh(const FinalHead& head, TimestampMs newest_before,
                                 DurationMs max_age) const;
  // Every final header from there on, proved, until on_head says no.
  ClientResult<void> follow(BlockNumber from, const std::stop_token& stop,
                            const std::function<ClientResult<bool>(const FinalHead&)>& on_head);
  // The client's clock.
  TimestampMs now() const;
  // That what is known is young enough to judge by.
  ClientResult<void> check_age(const Trust& known) const;
  void remember(const FinalHead& head);
  ClientResult<FinalBlock> fetch_block(const FinalHead& head);
  // That the extrinsic is where the node says, in a final block.
  ClientResult<FinalHead> prove_inclusion(const Hash& extrinsic_hash, const TxInBlock& at);
};

}  // namespace tally::client
