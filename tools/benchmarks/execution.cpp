// Execution of transfers, signatures excluded, over a million accounts: the runtime alone, and with
// the state root.
#include <cstring>
#include <limits>

#include "genesis/build.hpp"
#include "genesis/dev_keys.hpp"
#include "modules/support/expectant.hpp"
#include "modules/system/api.hpp"
#include "modules/validators/api.hpp"
#include "node/execution/final_state.hpp"
#include "primitives/crypto/hash.hpp"
#include "runtime/runtime.hpp"
#include "runtime/tree/tree.hpp"
#include "runtime/version.hpp"
#include "tools/benchmarks/measure.hpp"
#include "tools/benchmarks/node_table.hpp"

namespace tally::bench {
namespace {

constexpr std::uint32_t kAccounts = 1'000'000;
constexpr std::uint32_t kTransfers = 8'000;  // a block
constexpr double kSeconds = 2.0;

AccountId account_at(std::uint32_t index) {
  AccountId account;
  std::memcpy(account.bytes.data(), &index, sizeof(index));
  account.bytes[31] = 1;
  return account;
}

// As a node holds the accounts in use: in memory, found by hash.
class HashState final : public ExpectantReader {
 public:
  std::optional<Bytes> get(ByteView key) const override {
    std::optional<Bytes> value;
    entries_.find(key, value);
    return value;
  }
  void expect(std::span<const ByteView> keys) const override { entries_.expect(keys); }
  void apply(const StateChanges& changes) { entries_.apply(changes); }

 private:
  mutable execution::ValueCache entries_{std::numeric_limits<std::size_t>::max() / 2};
};

class Machine {
 public:
  Machine() {
    auto spec = *genesis::preset("dev");
    spec.blocks.block_weight = Weight(1'000'000'000'000);
    spec.blocks.block_bytes_max = 64 << 20;
    for (std::uint32_t i = 0; i < kAccounts; ++i) {
      spec.accounts.push_back({account_at(i), Balance(1'000'000'000)});
    }
    const genesis::Genesis genesis = genesis::build_genesis(spec);
    genesis_hash_ = head_ = genesis.hash;
    time_ = spec.genesis_time;
    proof_ = vrf_prove(genesis::dev_validator_secrets("Alice").vrf, Bytes{1});
    StateChanges all;
    for (const auto& [key, value] : genesis.state) all.emplace(key, value);
    state_.apply(all);
    const tree::Update update = tree::build(BlockNumber(0), genesis.state);
    nodes_.apply(update);
    root_ = update.root;
  }

  // The next block's transfers: from one stretch of accounts to others all over.
  std::vector<runtime::CheckedTransaction> transfers() {
    std::vector<runtime::CheckedTransaction> out;
    const SignedAdditional additional{runtime::kSpecVersion, runtime::kTransactionVersion,
                                      genesis_hash_, genesis_hash_};
    for (std::uint32_t i = 0; i < kTransfers; ++i) {
      const auto from = static_cast<std::uint32_t>((sent_ * 7) % kAccounts);
      const auto to = static_cast<std::uint32_t>((sent_ * 1'103 + 12'345) % kAccounts);
      const Nonce nonce(static_cast<std::uint32_t>(sent_ / kAccounts));
      ++sent_;
      const runtime::RuntimeCall call =
          runtime::CreditsCall{credits::Transfer{AddressId{account_at(to)}, {Balance(1'000)}}};
      Extrinsic extrinsic;
      extrinsic.call = encode(call);
      extrinsic.signature = ExtrinsicSignature{
          AddressId{account_at(from)}, SignedEcdsa{}, {Era::immortal(), {nonce}, {}}};
      auto tx = runtime::decode_transaction(encode_extrinsic(extrinsic));
      TALLY_ASSERT(tx.ok());
      out.push_back(runtime::CheckedTransaction::already_verified(*std::move(tx), additional));
    }
    return out;
  }

  void run(const std::vector<runtime::CheckedTransaction>& txs, bool with_root) {
    std::vector<const runtime::CheckedTransaction*> pointers;
    for (const auto& tx : txs) pointers.push_back(&tx);
    runtime::BlockInput input;
    input.parent_hash = head_;
    input.number = system::block_number(state_).next();
    input.consensus.epoch = validators::epoch_info(state_).epoch;
    time_ = input.consensus.time = TimestampMs(time_.value + 100);
    input.consensus.vrf_proof = proof_;
    input.proposer = account_at(0);
    const auto outcome = runtime::execute_block(state_, input, pointers);
    TALLY_ASSERT(outcome.ok());
    for (const auto& result : outcome->results) TALLY_ASSERT(!result.error.has_value());
    if (with_root) {
      const auto update =
          tree::update(nodes_, root_, input.number, tree::changes_of(outcome->changes));
      TALLY_ASSERT(update.ok());
      nodes_.apply(*update);
      root_ = update->root;
    }
    state_.apply(outcome->changes);
    head_ = blake2_256(head_);
  }

 private:
  HashState state_;
  NodeTable nodes_;
  tree::Root root_;
  Hash genesis_hash_;
  Hash head_;
  TimestampMs time_;
  VrfProof proof_;
  std::uint64_t sent_ = 0;
};

// Transfers a second; making them is not counted.
double transfers_per_second(Machine& machine, bool with_root) {
  double seconds = 0;
  std::uint64_t done = 0;
  while (seconds < kSeconds) {
    const auto txs = machine.transfers();
    const auto start = std::chrono::steady_clock::now();
    machine.run(txs, with_root);
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    done += txs.size();
  }
  return static_cast<double>(done) / seconds;
}

}  // namespace

std::vector<Row> execution_rows() {
  const double hashes = hashes_per_second();
  Machine machine;
  const double with_root = transfers_per_second(machine, true);
  const double alone = transfers_per_second(machine, false);
  return {{.name = "execution with state root, signatures excluded, 10^6 accounts",
           .value = with_root,
           .unit = "transfers/s",
           .limit = hashes / 22,
           .limit_text = "BLAKE2b of 64 bytes / 22, one thread",
           .target = 0.5},
          {.name = "execution alone", .value = alone, .unit = "transfers/s"}};
}

}  // namespace tally::bench
