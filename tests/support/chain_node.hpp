// One node's state machine without consensus: store, pool and application over a preset's genesis,
// with the calls that consensus would make.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "genesis/build.hpp"
#include "genesis/dev_keys.hpp"
#include "modules/validators/api.hpp"
#include "node/execution/application.hpp"
#include "node/store/sim_disk.hpp"
#include "node/txpool/pool.hpp"
#include "runtime/version.hpp"

namespace tally::tests {

// Checks signatures for real and counts them.
class CountingVerifier : public ports::Verifier {
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
      ++checked;
      out.push_back(verify_signature(job.account, job.payload, job.signature).ok());
    }
    return out;
  }
  void check_later(std::uint64_t, std::vector<ports::SignatureJob>) override {}

  mutable std::size_t checked = 0;
};

struct NodeSettings {
  execution::Retention retention = {};
  txpool::Limits limits = {};
};

class ChainNode {
 public:
  explicit ChainNode(const genesis::ChainSpec& spec, const NodeSettings& settings = {})
      : spec_(spec), settings_(settings), genesis_(genesis::build_genesis(spec)) {
    start();
  }
  static genesis::ChainSpec dev_spec() {
    const auto spec = genesis::preset("dev");
    TALLY_ASSERT(spec.ok());
    return *spec;
  }

  // What a process would do when it starts on this disk.
  void start() {
    app.reset();
    pool.reset();
    final_state.reset();
    store = disk.store();
    install = execution::install_genesis(*store, {&genesis_.state, &genesis_.header});
    final_state = std::make_unique<execution::FinalState>(*store);
    pool = std::make_unique<txpool::TxPool>(*final_state, settings_.limits);
    app = std::make_unique<execution::ChainApplication>(
        execution::ChainApplication::Parts{*store, *final_state, *pool, verifier},
        execution::Options{.retention = settings_.retention,
                           .invariants = runtime::InvariantChecks::every_block,
                           .executor = nullptr});
  }

  ports::ChainHead head() const { return final_state->head(); }
  Hash genesis_hash() const { return genesis_.hash; }
  const genesis::Genesis& genesis() const { return genesis_; }

  struct Step {
    Hash parent;
    std::uint64_t view = 0;  // 0: the height
    std::uint64_t step_ms = 100;
  };
  ports::BuildRequest request(const Step& step) const {
    const auto state = app->state_after(step.parent);
    TALLY_ASSERT(state.has_value());
    const BlockNumber number = state->number().next();
    const auto info = validators::epoch_info(*state);
    ports::BuildRequest out;
    out.parent = step.parent;
    out.proposer = validators::validator_set(*state).members[0].account;
    out.digest.epoch = info.epoch;
    out.digest.view = View(step.view == 0 ? number.value : step.view);
    const TimestampMs before =
        number.value == 1 ? spec_.genesis_time : system::kHeaderTime.get(*state);
    out.digest.time = TimestampMs(before.value + step.step_ms);
    out.digest.vrf_proof =
        vrf_prove(genesis::dev_validator_secrets("Alice").vrf, encode(out.digest.view));
    out.last_of_epoch = validators::is_last_of_epoch(info, spec_.consensus, number);
    return out;
  }
  Block build(const Step& step) { return app->build(request(step)); }
  ports::Execution execute(const Block& block) {
    const auto state = app->state_after(block.header.parent_hash);
    TALLY_ASSERT(state.has_value());
    return app->execute(block_hash(block.header), block,
                        validators::validator_set(*state).members[0].account);
  }
  // Builds on the head, commits, and tells the pool.
  Block advance() {
    const Block block = build({head().hash});
    commit({block});
    return block;
  }
  void commit(const std::vector<Block>& blocks) {
    std::vector<ports::FinalBlock> final_blocks;
    std::vector<Hash> included;
    for (const Block& block : blocks) {
      final_blocks.push_back({block_hash(block.header), std::nullopt});
      for (const Bytes& bytes : block.extrinsics) included.push_back(extrinsic_hash(bytes));
    }
    app->commit(final_blocks, {});
    pool->on_final(included);
  }

  struct SignOptions {
    std::uint32_t nonce = 0;
    u128 tip = 0;
    Era era = Era::immortal();
    Hash birth;  // of a mortal one
  };
  Bytes sign(const KeyPair& key, const runtime::RuntimeCall& call,
             const SignOptions& options) const {
    const SignedAdditional additional{runtime::kSpecVersion, runtime::kTransactionVersion,
                                      genesis_.hash,
                                      options.era.is_immortal() ? genesis_.hash : options.birth};
    return sign_extrinsic(key, encode(call),
                          {options.era, {Nonce(options.nonce)}, {Balance(options.tip)}},
                          additional);
  }
  // Offers and, if asked, checks the signature, as the verify pool would.
  ports::PoolAnswer submit(const Bytes& bytes,
                           ports::PoolSource source = ports::PoolSource::local) {
    ports::PoolAnswer answer = pool->offer(bytes, source);
    if (answer.verdict != ports::PoolVerdict::check_signature) return answer;
    const bool holds = verifier.check({*answer.job})[0];
    return pool->settle(answer.hash, holds);
  }

  CountingVerifier verifier;
  store::SimDisk disk;
  std::unique_ptr<ports::Store> store;
  std::unique_ptr<execution::FinalState> final_state;
  std::unique_ptr<txpool::TxPool> pool;
  std::unique_ptr<execution::ChainApplication> app;
  execution::GenesisResult install{};

 private:
  genesis::ChainSpec spec_;
  NodeSettings settings_;
  genesis::Genesis genesis_;
};

inline KeyPair dev(std::string_view name) {
  return dev_key(KeyScheme::ecdsa, name);
}

inline runtime::RuntimeCall transfer(const KeyPair& to, u128 micro) {
  return runtime::CreditsCall{credits::Transfer{AddressId{to.account()}, {Balance(micro)}}};
}

}  // namespace tally::tests
