#include "tools/benchmarks/made_chain.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "genesis/build.hpp"
#include "genesis/dev_keys.hpp"
#include "node/consensus/simplex.hpp"
#include "node/execution/application.hpp"
#include "node/ports/chain.hpp"
#include "node/store/rocks_store.hpp"
#include "node/txpool/pool.hpp"
#include "primitives/crypto/hash.hpp"
#include "runtime/runtime.hpp"
#include "runtime/version.hpp"

namespace tally::bench {
namespace {

constexpr std::size_t kRunBlocks = 32;  // that are written together
constexpr std::size_t kRunTransfers = 128;
constexpr std::uint64_t kBlockMs = 100;  // between the times of two blocks
constexpr std::uint64_t kGift = 1'000'000;
constexpr std::uint32_t kStatesKept = 256;

genesis::ChainSpec write_spec(const std::filesystem::path& file) {
  auto json = nlohmann::json::parse(*genesis::preset_json("dev"));
  json["chain_id"] = "tallystick-bench-sync";
  const std::string text = json.dump();
  std::ofstream out(file);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
  const auto spec = genesis::parse_chain_spec(text);
  if (!spec.ok()) throw std::runtime_error(spec.error().message);
  return *spec;
}

std::unique_ptr<ports::Store> open_store(const std::filesystem::path& folder) {
  auto store = store::open_rocks_store(folder.string());
  if (!store.ok()) throw std::runtime_error(store.error().message);
  return *std::move(store);
}

// Of what this very program has signed.
class Trusting final : public ports::Verifier {
 public:
  bool verify(const Ed25519Key&, ByteView, const Ed25519Signature&) const override { return true; }
  std::optional<VrfOutput> verify_vrf(const VrfKey& key, ByteView alpha,
                                      const VrfProof& proof) const override {
    return vrf_verify(key, alpha, proof);
  }
  std::vector<bool> check(const std::vector<ports::SignatureJob>& jobs) const override {
    return std::vector<bool>(jobs.size(), true);
  }
  void check_later(std::uint64_t, std::vector<ports::SignatureJob>) override {}
};

// What consensus of one validator comes to.
class ChainMaker {
 public:
  ChainMaker(const genesis::ChainSpec& spec, const std::filesystem::path& folder,
             const ChainSize& size)
      : size_(size),
        spec_(spec),
        genesis_(genesis::build_genesis(spec)),
        secrets_(genesis::dev_validator_secrets("Alice")),
        payer_(*key_from_uri(KeyScheme::ecdsa, "//Bob")),
        store_(open_store(folder)),
        installed_(execution::install_genesis(*store_, {&genesis_.state, &genesis_.header})),
        final_state_(*store_),
        pool_(final_state_, txpool::Limits{}),
        app_({*store_, final_state_, pool_, verifier_},
             {.retention = {.states = kStatesKept, .blocks = 0, .epoch_length = length()}}),
        parent_(genesis_.hash),
        time_(spec.genesis_time) {
    for (const Validator& validator : spec.validators) {
      TALLY_ASSERT(set_.members.push_back(validator));
    }
    store_->write({ports::put_epoch_beacon(Epoch(1), app_.beacon(parent_))},
                  ports::Durability::buffered);
    begin_epoch(Epoch(1));
  }

  void make() {
    while (height_ < size_.blocks) {
      std::vector<ports::FinalBlock> run;
      const std::uint32_t first = given_;
      do {
        run.push_back(next_block());
      } while (run.size() < kRunBlocks && given_ - first < kRunTransfers &&
               height_ < size_.blocks && height_ % length() != 0);
      land(std::move(run));
    }
    store_->sync();
  }

 private:
  std::uint32_t length() const { return spec_.consensus.epoch_length; }

  void begin_epoch(Epoch epoch) {
    epoch_ = epoch;
    view_ = 0;
    setup_.genesis_hash = genesis_.hash;
    setup_.seed = epoch_seed({genesis_.hash, epoch, app_.beacon(parent_)});
  }

  ports::FinalBlock next_block() {
    ++height_;
    const std::uint64_t wanted = std::uint64_t{size_.accounts} * height_ / size_.blocks;
    while (given_ < wanted) give();
    ports::BuildRequest request;
    request.parent = parent_;
    request.proposer = set_.members[0].account;
    request.digest.epoch = epoch_;
    request.digest.view = View(++view_);
    time_ = TimestampMs(time_.value + kBlockMs);
    request.digest.time = time_;
    request.digest.vrf_proof =
        vrf_prove(secrets_.vrf, consensus::vrf_alpha(setup_, request.digest.view));
    request.last_of_epoch = height_ % length() == 0;
    header_ = app_.build(request).header;
    parent_ = block_hash(header_);
    const Statement statement{epoch_, VoteKind::finalize, View(view_), parent_};
    const Vote vote{statement, ValidatorIndex(0),
                    ed25519_sign(secrets_.consensus, statement_bytes(genesis_.hash, statement))};
    return {parent_, make_certificate({vote}, set_)};
  }

  // A transfer to an account that nobody has heard of.
  void give() {
    const auto to = AccountId::from(blake2_256({as_bytes("bench-sync"), encode(given_)}));
    const SignedAdditional additional{runtime::kSpecVersion, runtime::kTransactionVersion,
                                      genesis_.hash, genesis_.hash};
    const runtime::RuntimeCall call =
        runtime::CreditsCall{credits::Transfer{AddressId{*to}, {Balance(kGift)}}};
    const auto answer = pool_.offer(
        sign_extrinsic(payer_, encode(call), {Era::immortal(), {Nonce(given_)}, {}}, additional),
        ports::PoolSource::local);
    if (pool_.settle(answer.hash, true).verdict != ports::PoolVerdict::accepted) {
      throw std::runtime_error("the pool refuses a transfer: " + answer.reason);
    }
    ++given_;
  }

  void land(std::vector<ports::FinalBlock> run) {
    ports::WriteBatch more;
    const bool over = height_ % length() == 0;
    if (over) {
      EpochProof proof;
      proof.header = header_;
      proof.finalization = *run.back().finalization;
      more.push_back(ports::put_epoch_proof(epoch_, proof));
      more.push_back(ports::put_epoch_beacon(epoch_.next(), app_.beacon(parent_)));
    }
    std::vector<Hash> included;
    for (const ports::FinalBlock& block : run) {
      const auto* pending = app_.find_pending(block.hash);
      included.insert(included.end(), pending->extrinsics.begin(), pending->extrinsics.end());
    }
    app_.commit(run, std::move(more));
    pool_.on_final(included);
    if (over) begin_epoch(epoch_.next());
  }

  ChainSize size_;
  genesis::ChainSpec spec_;
  genesis::Genesis genesis_;
  genesis::DevValidatorSecrets secrets_;
  KeyPair payer_;
  ValidatorSet set_;
  Trusting verifier_;
  std::unique_ptr<ports::Store> store_;
  execution::GenesisResult installed_;
  execution::FinalState final_state_;
  txpool::TxPool pool_;
  execution::ChainApplication app_;
  consensus::EpochSetup setup_;
  Epoch epoch_;
  std::uint64_t view_ = 0;
  std::uint32_t height_ = 0;
  std::uint32_t given_ = 0;
  Hash parent_;
  Header header_;
  TimestampMs time_;
};

}  // namespace

void make_chain(const ChainPlace& place, const ChainSize& size) {
  std::filesystem::create_directories(place.data_folder);
  ChainMaker(write_spec(place.spec), place.data_folder / "db", size).make();
}

}  // namespace tally::bench
