// Four validators of the local4 chain, or of another with their keys, as real processes on free
// loopback ports, and clients that verify what they are told: nothing here looks into a process.
#pragma once

#include <signal.h>

#include <array>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "client-sdk/chain/calls.hpp"
#include "client-sdk/chain/client.hpp"
#include "client-sdk/chain/trust_root.hpp"
#include "genesis/dev_keys.hpp"
#include "node/keystore/validator_keys.hpp"
#include "tests/support/process.hpp"

namespace tally::tests {

constexpr std::chrono::seconds kPatience{60};
inline const std::string kTallyd = std::string(TALLY_BINARY_DIR) + "/bin/tallyd";

struct NodePorts {
  std::uint16_t peers;
  std::uint16_t rpc;
  std::uint16_t metrics;
};

inline std::vector<NodePorts> node_ports(std::size_t count) {
  const auto free = free_ports(3 * count);
  std::vector<NodePorts> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back({free[3 * i], free[3 * i + 1], free[3 * i + 2]});
  return out;
}

inline std::string dev_uri(std::size_t index) {
  return "//" + std::string(genesis::kDevNames[index]);
}

// KEY@127.0.0.1:PORT of a development validator.
inline std::string dev_bootnode(std::size_t index, std::uint16_t port) {
  const auto secret = keystore::dev_node_secret(dev_uri(index));
  return to_hex(ed25519_public(*secret)) + "@127.0.0.1:" + std::to_string(port);
}

class Cluster {
 public:
  Cluster() : Cluster("local4", *genesis::preset("local4")) {}
  // `chain` is what --chain takes, and names `spec`.
  Cluster(std::string chain, const genesis::ChainSpec& spec)
      : chain_(std::move(chain)), ports_(node_ports(5)), root_(client::trust_root(spec)) {
    root_.trust_period.reset();  // these clients were there from the first block
    for (std::size_t i = 0; i < 5; ++i) {
      if (i < 4) identity_[i] = {"--validator", dev_uri(i)};
      bootnodes_.emplace_back();
      for (std::size_t j = 0; j < 4; ++j) {
        if (j != i) bootnodes_[i].push_back(dev_bootnode(j, ports_[j].peers));
      }
    }
    nodes_.resize(5);
  }

  const TempFolder& folder() const { return folder_; }
  const NodePorts& ports(std::size_t i) const { return ports_[i]; }
  // Before start().
  void set_bootnodes(std::size_t i, std::vector<std::string> list) { bootnodes_[i] = list; }
  // Whose keys it has; the first four have those of development validators, the fifth has none.
  void set_identity(std::size_t i, std::vector<std::string> options) { identity_[i] = options; }

  // `before` stands before the command, as a shell with limits does.
  void start(std::size_t i, std::vector<std::string> before = {}) {
    const std::string name = "node" + std::to_string(i);
    std::vector<std::string> command{kTallyd,
                                     "--chain",
                                     chain_,
                                     "--base-path",
                                     (folder_.path() / name).string(),
                                     "--port",
                                     std::to_string(ports_[i].peers),
                                     "--rpc-port",
                                     std::to_string(ports_[i].rpc),
                                     "--metrics-port",
                                     std::to_string(ports_[i].metrics)};
    command.insert(command.end(), identity_[i].begin(), identity_[i].end());
    if (bootnodes_[i].empty()) command.insert(command.end(), {"--bootnode", "none"});
    for (const std::string& bootnode : bootnodes_[i]) {
      command.insert(command.end(), {"--bootnode", bootnode});
    }
    command.insert(command.begin(), before.begin(), before.end());
    nodes_[i] = std::make_unique<Process>(command, folder_.path() / (name + ".log"));
  }
  void start_validators() {
    for (std::size_t i = 0; i < 4; ++i) start(i);
  }
  Process& node(std::size_t i) { return *nodes_[i]; }

  // Nothing while the node does not answer.
  std::unique_ptr<client::ChainClient> try_client(std::size_t i) {
    client::ClientConfig config;
    config.endpoint = "127.0.0.1:" + std::to_string(ports_[i].rpc);
    config.call_deadline_ms = 2'000;
    config.submit_deadline_ms = 60'000;
    auto made = client::ChainClient::connect(config, root_);
    return made.ok() ? *std::move(made) : nullptr;
  }
  std::unique_ptr<client::ChainClient> client(std::size_t i) {
    std::unique_ptr<client::ChainClient> out;
    eventually(kPatience, [&] { return (out = try_client(i)) != nullptr; });
    INFO(nodes_[i]->log());
    REQUIRE(out != nullptr);
    return out;
  }
  // Proved height; 0 when there is no answer.
  static std::uint32_t height(client::ChainClient& from) {
    const auto head = from.finalized();
    return head.ok() ? head->number.value : 0;
  }
  bool reaches(std::size_t i, std::uint32_t wanted) {
    auto from = client(i);
    return eventually(kPatience, [&] { return height(*from) >= wanted; });
  }

 private:
  TempFolder folder_;
  std::string chain_;
  std::vector<NodePorts> ports_;
  std::array<std::vector<std::string>, 5> identity_;
  std::vector<std::vector<std::string>> bootnodes_;
  std::vector<std::unique_ptr<Process>> nodes_;
  client::TrustRoot root_;
};

inline client::ClientResult<client::TxOutcome> transfer(client::ChainClient& through,
                                                        std::string_view from, std::string_view to,
                                                        Balance amount,
                                                        const client::SubmitOptions& options = {}) {
  const AccountId receiver = dev_key(KeyScheme::ecdsa, to).account();
  return through.submit(dev_key(KeyScheme::ecdsa, from),
                        client::call_bytes(credits::Transfer{AddressId{receiver}, {amount}}),
                        options);
}

}  // namespace tally::tests
