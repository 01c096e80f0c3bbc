// tally-bench-sync BLOCKS ACCOUNTS: how long a new node takes to join a chain of so many blocks and
// accounts, by snapshot and by replay.
//
// The chain of one validator is built here, through the application and with real votes and proofs,
// into a database; then tallyd runs on it, and a new tallyd joins it, both as real processes. A
// transfer stands in every tenth block. Prints a JSON line a figure.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "genesis/build.hpp"
#include "genesis/dev_keys.hpp"
#include "modules/validators/api.hpp"
#include "node/consensus/simplex.hpp"
#include "node/execution/application.hpp"
#include "node/keystore/validator_keys.hpp"
#include "node/ports/chain.hpp"
#include "node/store/rocks_store.hpp"
#include "node/txpool/pool.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/ss58.hpp"
#include "rpc/proto/chain.grpc.pb.h"
#include "runtime/version.hpp"
#include "tests/support/process.hpp"

namespace tally::bench {
namespace {

namespace fs = std::filesystem;
namespace proto = tallystick::v1;
using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

constexpr std::chrono::seconds kPatience{3'000};
constexpr std::uint32_t kRun = 32;           // blocks that become final together
constexpr std::uint32_t kTransferEach = 10;  // blocks

double seconds_since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

void print(const std::string& name, double value, const std::string& unit) {
  std::cout << Json{{"name", name}, {"value", value}, {"unit", unit}}.dump() << std::endl;
}

std::string make_spec(const fs::path& file, std::uint32_t accounts) {
  Json spec = Json::parse(*genesis::preset_json("dev"));
  spec["chain_id"] = "tallystick-bench-sync";
  for (std::uint32_t i = 0; i < accounts; ++i) {
    const auto account = AccountId::from(blake2_256({as_bytes("bench-sync"), encode(i)}));
    spec["accounts"].push_back({{"account", to_ss58(*account)}, {"balance", "5 CC"}});
  }
  const std::string text = spec.dump();
  std::ofstream(file) << text;
  return text;
}

class Verifier final : public ports::Verifier {
 public:
  bool verify(const Ed25519Key& key, ByteView message,
              const Ed25519Signature& signature) const override {
    return ed25519_verify(key, message, signature);
  }
  std::optional<VrfOutput> verify_vrf(const VrfKey& key, ByteView alpha,
                                      const VrfProof& proof) const override {
    return vrf_verify(key, alpha, proof);
  }
  std::vector<bool> check(const std::vector<ports::SignatureJob>& jobs) const override {
    std::vector<bool> out;
    for (const auto& job : jobs) {
      out.push_back(verify_signature(job.account, job.payload, job.signature).ok());
    }
    return out;
  }
  void check_later(std::uint64_t, std::vector<ports::SignatureJob>) override {}
};

// What consensus of one validator would make, at once.
class Builder {
 public:
  Builder(const genesis::ChainSpec& spec, const fs::path& folder)
      : spec_(spec),
        genesis_(genesis::build_genesis(spec)),
        secrets_(genesis::dev_validator_secrets("Alice")),
        store_(open(folder)),
        installed_(execution::install_genesis(*store_, {&genesis_.state, &genesis_.header})),
        final_state_(*store_),
        pool_(final_state_, txpool::Limits{}),
        app_({*store_, final_state_, pool_, verifier_},
             {.retention = {.states = 256, .blocks = 0, .epoch_length = length()},
              .invariants = runtime::InvariantChecks::sampled,
              .executor = nullptr}) {
    for (const Validator& validator : spec.validators) {
      TALLY_ASSERT(set_.members.push_back(validator));
    }
    parent_ = genesis_.hash;
    time_ = spec.genesis_time;
    begin_epoch(Epoch(1));
  }

  void build(std::uint32_t blocks) {
    while (height_ < blocks) {
      std::vector<ports::FinalBlock> run;
      do {
        run.push_back({next_block(), std::nullopt});
      } while (run.size() < kRun && height_ < blocks && height_ % length() != 0);
      land(run);
    }
    store_->sync();
  }

 private:
  std::uint32_t length() const { return spec_.consensus.epoch_length; }

  static std::unique_ptr<ports::Store> open(const fs::path& folder) {
    auto store = store::open_rocks_store(folder.string());
    if (!store.ok()) throw std::runtime_error(store.error().message);
    return *std::move(store);
  }

  void begin_epoch(Epoch epoch) {
    epoch_ = epoch;
    view_ = 0;
    const Hash beacon = app_.beacon(parent_);
    setup_.genesis_hash = genesis_.hash;
    setup_.seed = epoch_seed({genesis_.hash, epoch, beacon});
  }

  Hash next_block() {
    ++height_;
    if (height_ % kTransferEach == 0) submit();
    ports::BuildRequest request;
    request.parent = parent_;
    request.proposer = set_.members[0].account;
    request.digest.epoch = epoch_;
    request.digest.view = View(++view_);
    time_ = TimestampMs(time_.value + 100);
    request.digest.time = time_;
    request.digest.vrf_proof =
        vrf_prove(secrets_.vrf, consensus::vrf_alpha(setup_, request.digest.view));
    request.last_of_epoch = height_ % length() == 0;
    const Block block = app_.build(request);
    header_ = block.header;
    parent_ = block_hash(block.header);
    return parent_;
  }

  void submit() {
    const KeyPair bob = *key_from_uri(KeyScheme::ecdsa, "//Bob");
    const auto to = AccountId::from(blake2_256({as_bytes("bench-sync"), encode(height_ % 100)}));
    const SignedAdditional additional{runtime::kSpecVersion, runtime::kTransactionVersion,
                                      genesis_.hash, genesis_.hash};
    const runtime::RuntimeCall call =
        runtime::CreditsCall{credits::Transfer{AddressId{*to}, {Balance(1'000)}}};
    const auto answer =
        pool_.offer(sign_extrinsic(bob, encode(call),
                                   {Era::immortal(), {Nonce(nonce_++)}, {Balance(0)}}, additional),
                    ports::PoolSource::local);
    (void)pool_.settle(answer.hash, true);
  }

  void land(std::vector<ports::FinalBlock>& run) {
    const Statement statement{epoch_, VoteKind::finalize, View(view_), parent_};
    const Vote vote{statement, ValidatorIndex(0),
                    ed25519_sign(secrets_.consensus, statement_bytes(genesis_.hash, statement))};
    const Finalization finalization = make_certificate({vote}, set_);
    run.back().finalization = finalization;
    ports::WriteBatch more;
    const bool over = height_ % length() == 0;
    if (over) {
      EpochProof proof;
      proof.header = header_;
      proof.finalization = finalization;
      more.push_back(ports::put_epoch_proof(epoch_, proof));
      more.push_back(ports::put_epoch_beacon(epoch_.next(), app_.beacon(parent_)));
    }
    app_.commit(run, std::move(more));
    std::vector<Hash> included;
    for (const auto& block : run) {
      const auto stored = ports::find_block(*store_, block.hash);
      for (const Bytes& bytes : stored->extrinsics) included.push_back(extrinsic_hash(bytes));
    }
    pool_.on_final(included);
    if (over) begin_epoch(epoch_.next());
  }

  genesis::ChainSpec spec_;
  genesis::Genesis genesis_;
  genesis::DevValidatorSecrets secrets_;
  ValidatorSet set_;
  Verifier verifier_;
  std::unique_ptr<ports::Store> store_;
  execution::GenesisResult installed_;
  execution::FinalState final_state_;
  txpool::TxPool pool_;
  execution::ChainApplication app_;
  consensus::EpochSetup setup_;
  Epoch epoch_;
  std::uint64_t view_ = 0;
  std::uint32_t height_ = 0;
  std::uint32_t nonce_ = 0;
  Hash parent_;
  Header header_;
  TimestampMs time_;
};

std::uint64_t folder_bytes(const fs::path& folder) {
  std::uint64_t out = 0;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    if (entry.is_regular_file(error)) out += entry.file_size(error);
  }
  return out;
}

class Network {
 public:
  explicit Network(const fs::path& folder) : folder_(folder), ports_(tests::free_ports(6)) {}

  std::unique_ptr<tests::Process> start(bool server, const std::string& name,
                                        std::vector<std::string> options) const {
    const std::uint16_t* mine = &ports_[server ? 0 : 3];
    const auto secret = keystore::dev_node_secret("//Alice");
    std::vector<std::string> command{std::string(TALLY_BINARY_DIR) + "/bin/tallyd",
                                     "--chain",
                                     (folder_ / "chain.json").string(),
                                     "--base-path",
                                     (folder_ / name).string(),
                                     "--port",
                                     std::to_string(mine[0]),
                                     "--rpc-port",
                                     std::to_string(mine[1]),
                                     "--metrics-port",
                                     std::to_string(mine[2])};
    command.insert(command.end(), options.begin(), options.end());
    const std::string alice =
        to_hex(ed25519_public(*secret)) + "@127.0.0.1:" + std::to_string(ports_[0]);
    command.insert(command.end(), {"--bootnode", server ? "none" : alice});
    return std::make_unique<tests::Process>(command, folder_ / (name + ".log"));
  }
  std::uint32_t height(bool server) const {
    const std::uint16_t port = ports_[server ? 1 : 4];
    const auto channel = grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                             grpc::InsecureChannelCredentials());
    const auto chain = proto::Chain::NewStub(channel);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    context.set_wait_for_ready(true);
    proto::Heads heads;
    return chain->GetHeads(&context, {}, &heads).ok() ? heads.finalized().number() : 0;
  }
  // Seconds until a new node has this height.
  double join(const std::string& name, const std::string& mode, std::uint32_t wanted) const {
    const auto began = Clock::now();
    const auto node = start(false, name, {"--sync", mode, "--pruning", "archive"});
    if (!tests::eventually(kPatience, [&] { return height(false) >= wanted; })) {
      throw std::runtime_error("the new node did not come to block " + std::to_string(wanted) +
                               ":\n" + node->log());
    }
    const double took = seconds_since(began);
    node->signal(SIGTERM);
    node->wait(std::chrono::seconds(60));
    return took;
  }

 private:
  fs::path folder_;
  std::vector<std::uint16_t> ports_;
};

void run(std::uint32_t blocks, std::uint32_t accounts) {
  const tests::TempFolder folder;
  const auto spec = genesis::parse_chain_spec(make_spec(folder.path() / "chain.json", accounts));
  if (!spec.ok()) throw std::runtime_error(spec.error().message);
  auto began = Clock::now();
  fs::create_directories(folder.path() / "server");
  Builder(*spec, folder.path() / "server" / "db").build(blocks);
  print("build the chain", seconds_since(began), "s");
  print("database of the chain", static_cast<double>(folder_bytes(folder.path() / "server")) / 1e6,
        "MB");
  const Network network(folder.path());
  const auto server =
      network.start(true, "server", {"--validator", "//Alice", "--pruning", "archive"});
  if (!tests::eventually(kPatience, [&] { return network.height(true) >= blocks; })) {
    throw std::runtime_error("the chain's node is not up:\n" + server->log());
  }
  const std::string of =
      " of " + std::to_string(blocks) + " blocks and " + std::to_string(accounts) + " accounts";
  print("join by snapshot a chain" + of, network.join("snapshot", "snapshot", blocks), "s");
  print("database after a snapshot",
        static_cast<double>(folder_bytes(folder.path() / "snapshot")) / 1e6, "MB");
  print("join by replay a chain" + of, network.join("replay", "blocks", blocks), "s");
}

}  // namespace
}  // namespace tally::bench

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: tally-bench-sync BLOCKS ACCOUNTS\n";
    return 2;
  }
  try {
    tally::bench::run(static_cast<std::uint32_t>(std::stoul(argv[1])),
                      static_cast<std::uint32_t>(std::stoul(argv[2])));
  } catch (const std::exception& error) {
    std::cerr << "tally-bench-sync: " << error.what() << '\n';
    return 1;
  }
}
