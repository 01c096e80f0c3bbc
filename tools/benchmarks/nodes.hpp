// Four validators of the bench chain as real processes on free loopback ports, and plain gRPC stubs
// to them. A node that does not come up, or a call that fails, throws std::runtime_error.
#pragma once

#include <grpcpp/grpcpp.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "rpc/proto/author.grpc.pb.h"
#include "rpc/proto/chain.grpc.pb.h"
#include "tests/support/process.hpp"
#include "tests/support/relay.hpp"

namespace tally::bench {

namespace proto = tallystick::v1;

constexpr std::size_t kNodes = 4;

class Nodes {
 public:
  // Returns when every node has a final block. With a delay, all that nodes send each other takes
  // so long one way, through relays.
  explicit Nodes(std::uint32_t delay_ms = 0);

  proto::Author::Stub& author(std::size_t node) { return *authors_[node]; }
  std::uint32_t final_height(std::size_t node);
  // Its hash and its transactions' number.
  struct Block {
    std::string hash;
    std::size_t transactions{};
  };
  Block block(std::size_t node, std::uint32_t number);
  std::uint16_t peer_port(std::size_t node) const;
  std::uint16_t rpc_port(std::size_t node) const;
  // Resident memory in MiB.
  double memory(std::size_t node) const;
  // Starts a full node with an empty disk; seconds until it has this final block.
  double catch_up(std::uint32_t number, const std::string& hash);

 private:
  void start(std::size_t node);
  std::uint16_t dialled_port(std::size_t node) const;

  std::vector<std::uint16_t> ports_;  // also of the node that catches up

  std::vector<std::unique_ptr<tests::Relay>> relays_;  // one before each validator, or none

  tests::TempFolder folder_;
  std::vector<std::unique_ptr<tests::Process>> processes_;
  std::vector<std::unique_ptr<proto::Author::Stub>> authors_;
  std::vector<std::unique_ptr<proto::Chain::Stub>> chains_;
};

}  // namespace tally::bench
