#include "tools/benchmarks/nodes.hpp"

#include <fstream>
#include <stdexcept>

#include "genesis/dev_keys.hpp"
#include "node/keystore/validator_keys.hpp"

namespace tally::bench {
namespace {

constexpr std::chrono::seconds kPatience{60};
constexpr int kReconnectMs = 20;
constexpr std::size_t kPortsEach = 3;  // peers, gRPC, metrics

std::string uri_of(std::size_t node) {
  return "//" + std::string(genesis::kDevValidators[node]);
}

std::string bootnode(std::size_t node, std::uint16_t port) {
  const auto secret = keystore::dev_node_secret(uri_of(node));
  return to_hex(ed25519_public(*secret)) + "@127.0.0.1:" + std::to_string(port);
}

void check(const grpc::Status& status, const char* call) {
  if (!status.ok()) throw std::runtime_error(std::string(call) + ": " + status.error_message());
}

}  // namespace

Nodes::Nodes(std::uint32_t delay_ms) : ports_(tests::free_ports(kPortsEach * (kNodes + 1))) {
  for (std::size_t i = 0; delay_ms > 0 && i < kNodes; ++i) {
    relays_.push_back(
        std::make_unique<tests::Relay>(peer_port(i), tests::RelayQuality{.delay_ms = delay_ms}));
  }
  for (std::size_t i = 0; i < kNodes; ++i) start(i);
  for (std::size_t i = 0; i < kNodes; ++i) {
    const auto up = [&] {
      grpc::ClientContext context;
      proto::Heads heads;
      return chains_[i]->GetHeads(&context, {}, &heads).ok() && heads.finalized().number() > 0;
    };
    if (!tests::eventually(kPatience, up)) {
      throw std::runtime_error("a node did not come up:\n" + processes_[i]->log());
    }
  }
}

std::uint16_t Nodes::peer_port(std::size_t node) const {
  return ports_[kPortsEach * node];
}
std::uint16_t Nodes::rpc_port(std::size_t node) const {
  return ports_[kPortsEach * node + 1];
}
std::uint16_t Nodes::dialled_port(std::size_t node) const {
  return relays_.empty() ? peer_port(node) : relays_[node]->port();
}

void Nodes::start(std::size_t node) {
  const std::uint16_t* mine = &ports_[kPortsEach * node];
  const std::string name = "node" + std::to_string(node);
  std::vector<std::string> command{std::string(TALLY_BINARY_DIR) + "/bin/tallyd",
                                   "--chain",
                                   "bench",
                                   "--base-path",
                                   (folder_.path() / name).string(),
                                   "--port",
                                   std::to_string(mine[0]),
                                   "--rpc-port",
                                   std::to_string(mine[1]),
                                   "--metrics-port",
                                   std::to_string(mine[2])};
  if (node < kNodes) command.insert(command.end(), {"--validator", uri_of(node)});
  for (std::size_t other = 0; other < kNodes; ++other) {
    if (other == node) continue;
    command.insert(command.end(), {"--bootnode", bootnode(other, dialled_port(other))});
  }
  processes_.push_back(std::make_unique<tests::Process>(command, folder_.path() / (name + ".log")));
  // It is asked before it listens: what it needs to start must not be rounded up to a second.
  grpc::ChannelArguments again;
  again.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMs);
  again.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMs);
  const auto channel = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(mine[1]),
                                                 grpc::InsecureChannelCredentials(), again);
  authors_.push_back(proto::Author::NewStub(channel));
  chains_.push_back(proto::Chain::NewStub(channel));
}

std::uint32_t Nodes::final_height(std::size_t node) {
  grpc::ClientContext context;
  proto::Heads heads;
  check(chains_[node]->GetHeads(&context, {}, &heads), "GetHeads");
  return heads.finalized().number();
}

Nodes::Block Nodes::block(std::size_t node, std::uint32_t number) {
  grpc::ClientContext context;
  proto::GetBlockRequest request;
  request.mutable_at()->set_number(number);
  proto::Block block;
  check(chains_[node]->GetBlock(&context, request, &block), "GetBlock");
  return {block.header().block().hash(), static_cast<std::size_t>(block.extrinsics_size())};
}

double Nodes::catch_up(std::uint32_t number, const std::string& hash) {
  const auto began = std::chrono::steady_clock::now();
  start(kNodes);
  const auto there = [&] {
    grpc::ClientContext context;
    // A call that fails at once does not drive the connection: it would stand seconds later.
    context.set_wait_for_ready(true);
    proto::Heads heads;
    return chains_[kNodes]->GetHeads(&context, {}, &heads).ok() &&
           heads.finalized().number() >= number;
  };
  if (!tests::eventually(kPatience, there)) {
    throw std::runtime_error("the new node did not catch up:\n" + processes_[kNodes]->log());
  }
  const auto elapsed = std::chrono::steady_clock::now() - began;
  if (block(kNodes, number).hash != hash)
    throw std::runtime_error("the new node has another block");
  return std::chrono::duration<double>(elapsed).count();
}

double Nodes::memory(std::size_t node) const {
  std::ifstream status("/proc/" + std::to_string(processes_[node]->pid()) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::stod(line.substr(6)) / 1024;
  }
  throw std::runtime_error("no VmRSS for a node that should be running");
}

}  // namespace tally::bench
