// The real thing above consensus: execution with the runtime, the state tree and the pool. Clients
// transfer credits between sixteen accounts whose keys are fake.
#include <array>

#include "genesis/build.hpp"
#include "node/execution/application.hpp"
#include "node/txpool/pool.hpp"
#include "primitives/crypto/hash.hpp"
#include "runtime/version.hpp"
#include "tests/sim/fake_crypto.hpp"
#include "tests/sim/machine.hpp"

namespace tally::sim {
namespace {

constexpr std::size_t kClients = 16;

AccountId client(std::size_t index) {
  return *AccountId::from(blake2_256({as_bytes("sim-client"), encode(std::uint64_t{index})}));
}

genesis::ChainSpec make_spec(const WorldSetup& setup) {
  auto preset = genesis::preset("local4");
  TALLY_ASSERT(preset.ok());
  genesis::ChainSpec spec = *std::move(preset);
  spec.chain_id = "tallystick-sim";
  spec.genesis_time = TimestampMs(1'600'000'000'000);
  spec.consensus.epoch_length = setup.epoch_length;
  spec.validators.clear();
  spec.accounts.clear();
  for (std::size_t i = 0; i < setup.validators; ++i) {
    const FakeSigner signer(i);
    const AccountId account = *AccountId::from(signer.consensus_key());
    spec.validators.push_back({signer.consensus_key(), signer.vrf_key(), account, 1});
  }
  for (std::size_t i = 0; i < kClients; ++i) {
    spec.accounts.push_back({client(i), Balance(1'000'000'000)});
  }
  return spec;
}

class RealMachine final : public Machine {
 public:
  RealMachine(ports::Store& store, const genesis::Genesis& genesis, const ports::Verifier& verifier)
      : installed_(execution::install_genesis(store, {&genesis.state, &genesis.header})),
        final_state_(store),
        pool_(final_state_, txpool::Limits{}),
        application_({store, final_state_, pool_, verifier},
                     execution::Options{.versions_kept = 16,
                                        .invariants = runtime::InvariantChecks::sampled,
                                        .executor = nullptr}) {}
  ports::Application& application() override { return application_; }
  ports::Pool& pool() override { return pool_; }

 private:
  execution::GenesisResult installed_;
  execution::FinalState final_state_;
  txpool::TxPool pool_;
  execution::ChainApplication application_;
};

class RealFactory final : public MachineFactory {
 public:
  explicit RealFactory(const WorldSetup& setup)
      : spec_(make_spec(setup)), genesis_(genesis::build_genesis(spec_)) {
    chain_.genesis = genesis_.header;
    chain_.genesis_hash = genesis_.hash;
    chain_.genesis_time = spec_.genesis_time;
    for (const Validator& validator : spec_.validators) {
      TALLY_ASSERT(chain_.first.members.push_back(validator));
    }
    chain_.second = chain_.first;
    chain_.parameters = {spec_.consensus.delta,           spec_.blocks.min_block_interval,
                         spec_.blocks.idle_interval,      spec_.consensus.max_drift,
                         spec_.consensus.epoch_length,    spec_.blocks.block_bytes_max + 64 * 1024,
                         spec_.blocks.extrinsic_bytes_max};
  }
  consensus::ChainSetup chain() const override { return chain_; }

  std::unique_ptr<Machine> make(ports::Store& store, const ports::Verifier& verifier) override {
    return std::make_unique<RealMachine>(store, genesis_, verifier);
  }

  Bytes transaction(Random& random) override {
    const std::size_t from = random.below(kClients);
    const std::size_t to = random.below(kClients);
    const runtime::RuntimeCall call = runtime::CreditsCall{
        credits::Transfer{AddressId{client(to)}, {Balance(random.between(1, 100'000))}}};
    const SignedExtra extra{Era::immortal(), {Nonce(nonces_[from]++)}, {Balance(0)}};
    const SignedAdditional additional{runtime::kSpecVersion, runtime::kTransactionVersion,
                                      genesis_.hash, genesis_.hash};
    const Bytes bytes = encode(call);
    Extrinsic extrinsic;
    extrinsic.call = bytes;
    extrinsic.signature = ExtrinsicSignature{
        AddressId{client(from)},
        SignedEd25519{fake_sign(client(from), signing_payload(bytes, extra, additional))}, extra};
    return encode_extrinsic(extrinsic);
  }

  // Adds the accounts up by themselves: total issuance must be their sum, and never above genesis,
  // since fees are burned and nothing is minted here.
  std::optional<std::string> audit(const ports::Store& store) const override {
    const u128 sum = sum_of_accounts(store);
    Bytes key = to_bytes(twox_128(as_bytes("Credits")));
    append(key, twox_128(as_bytes("TotalIssuance")));
    const auto bytes = store.get(ports::Column::state, key);
    if (!bytes) return "there is no total issuance";
    const auto issuance = decode<Balance>(*bytes);
    if (!issuance.ok() || issuance->micro != sum)
      return "the accounts do not add up to the issuance";
    u128 granted = 0;
    for (const auto& [at, value] : genesis_.state) {
      if (at == key) granted = decode<Balance>(value)->micro;
    }
    if (sum > granted) return "credits came out of nothing";
    return std::nullopt;
  }

 private:
  static u128 sum_of_accounts(const ports::Store& store) {
    Bytes prefix = to_bytes(twox_128(as_bytes("System")));
    append(prefix, twox_128(as_bytes("Account")));
    u128 sum = 0;
    store.scan(ports::Column::state, prefix, [&](ByteView key, ByteView value) {
      if (key.size() < prefix.size() || !equal(key.first(prefix.size()), prefix)) return false;
      // nonce, consumers, providers, sufficients: u32 each; then free and reserved, u128 each.
      TALLY_ASSERT(value.size() >= 48);
      for (const std::size_t offset : {16u, 32u}) {
        sum += *decode<u128>(value.subspan(offset, 16));
      }
      return true;
    });
    return sum;
  }

  genesis::ChainSpec spec_;
  genesis::Genesis genesis_;
  consensus::ChainSetup chain_;
  std::array<std::uint32_t, kClients> nonces_{};
};

}  // namespace

std::unique_ptr<MachineFactory> real_machines(const WorldSetup& setup) {
  return std::make_unique<RealFactory>(setup);
}

}  // namespace tally::sim
