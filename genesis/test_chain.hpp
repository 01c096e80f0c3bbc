// A chain in memory for tests and benchmarks: signs extrinsics, proposes blocks, executes them a
// second time as another validator would, and compares. Its state root is not computed unless asked
// for.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "genesis/build.hpp"
#include "genesis/dev_keys.hpp"
#include "modules/validators/api.hpp"
#include "runtime/runtime.hpp"
#include "runtime/tree/tree.hpp"
#include "runtime/validity.hpp"
#include "runtime/version.hpp"

namespace tally::genesis {

struct SignOptions {
  Nonce nonce;
  Balance tip;
  Era era = Era::immortal();
};

class TestChain {
 public:
  explicit TestChain(const ChainSpec& spec)
      : genesis_(build_genesis(spec)), state_(genesis_.state), head_(genesis_.hash) {
    time_ = spec.genesis_time;
  }
  static TestChain dev() {
    const auto spec = preset("dev");
    TALLY_ASSERT(spec.ok());
    return TestChain(*spec);
  }

  const MapState& state() const { return state_; }
  const Hash& head() const { return head_; }
  const Hash& genesis_hash() const { return genesis_.hash; }
  system::Parent parent() const { return {state_, head_}; }
  BlockNumber number() const { return system::block_number(state_); }
  TimestampMs time() const { return time_; }

  Bytes sign(const KeyPair& key, const runtime::RuntimeCall& call,
             const SignOptions& options) const {
    SignedAdditional additional{runtime::kSpecVersion, runtime::kTransactionVersion, genesis_.hash,
                                genesis_.hash};
    if (!options.era.is_immortal()) {
      const BlockNumber birth = options.era.birth(number().next());
      additional.birth_block_hash = system::block_hash(parent(), birth).value_or(Hash{});
    }
    return sign_extrinsic(key, encode(call), {options.era, {options.nonce}, {options.tip}},
                          additional);
  }
  // Decodes, verifies the signature and wraps; throws where a test expects none of it to fail.
  runtime::CheckedTransaction checked(const Bytes& bytes) const {
    auto tx = runtime::decode_transaction(bytes);
    if (!tx.ok()) throw std::runtime_error(std::string(enumerator_name(tx.error())));
    const runtime::TransactionValidator validator(parent());
    const auto additional = validator.additional(*tx);
    if (!additional.ok())
      throw std::runtime_error(std::string(enumerator_name(additional.error())));
    auto checked = runtime::CheckedTransaction::check(*std::move(tx), *additional);
    if (!checked.ok()) throw std::runtime_error(std::string(enumerator_name(checked.error())));
    return *std::move(checked);
  }

  runtime::BlockInput input(std::uint64_t step_ms = 100) const {
    runtime::BlockInput input;
    input.parent_hash = head_;
    input.number = number().next();
    input.consensus.epoch = validators::epoch_info(state_).epoch;
    input.consensus.view = View(input.number.value);
    input.consensus.time = TimestampMs(time_.value + step_ms);
    input.consensus.vrf_proof = vrf_prove(dev_validator_secrets("Alice").vrf, encode(input.number));
    input.proposer = validators::validator_set(state_).members[0].account;
    return input;
  }

  // Executes and moves the head.
  Result<runtime::BlockOutcome, runtime::BlockError> add(
      const std::vector<runtime::CheckedTransaction>& txs, std::uint64_t step_ms = 100) {
    std::vector<const runtime::CheckedTransaction*> pointers;
    for (const auto& tx : txs) pointers.push_back(&tx);
    const runtime::BlockInput in = input(step_ms);
    auto outcome = TALLY_TRY(
        runtime::execute_block(state_, in, pointers, runtime::InvariantChecks::every_transaction));
    advance(in, outcome);
    return outcome;
  }
  void advance(const runtime::BlockInput& in, const runtime::BlockOutcome& outcome) {
    state_.apply(outcome.changes);
    time_ = in.consensus.time;
    Header header;
    header.parent_hash = head_;
    header.number = {in.number};
    header.extrinsics_root = outcome.extrinsics_root;
    header.digest.push_back(make_consensus_digest(in.consensus));
    head_ = block_hash(header);
  }

 private:
  Genesis genesis_;
  MapState state_;
  Hash head_;
  TimestampMs time_;
};

}  // namespace tally::genesis
