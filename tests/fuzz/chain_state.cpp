// The runtime, given any calls: sequences of extrinsics by accounts of the development chain are
// executed block by block. Every module's invariants are checked after each of them (a violation
// ends the process), as is that another validator gets the same state, that nothing is minted, and
// that who signs nothing loses nothing.
//
// An input is steps: a byte for the signer or, at 255, the end of the block; then a call, after its
// length.
#include "genesis/test_chain.hpp"
#include "modules/credits/api.hpp"
#include "modules/credits/storage.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/target.hpp"

namespace tally::fuzz {
namespace {

constexpr std::size_t kSigners = 6;
constexpr std::size_t kStepsMax = 48;
constexpr std::size_t kBlocksMax = 6;

AccountId signer(std::size_t number) {
  static const std::vector<AccountId> kAccounts = [] {
    std::vector<AccountId> out;
    for (const std::string_view name : {"Alice", "Bob", "Charlie", "Dave", "Eve", "Nobody"}) {
      out.push_back(dev_key(KeyScheme::ecdsa, name).account());
    }
    return out;
  }();
  return kAccounts[number % kSigners];
}

class Blocks {
 public:
  Blocks() : chain_(begun()), bystander_(dev_key(KeyScheme::ecdsa, "Ferdie").account()) {}

  void add(std::size_t who, ByteView call) {
    const AccountId account = signer(who);
    Extrinsic extrinsic{
        ExtrinsicSignature{
            AddressId{account}, SignedEcdsa{}, {Era::immortal(), {Nonce(nonces_[account]++)}, {}}},
        to_bytes(call)};
    auto tx = runtime::decode_transaction(encode_extrinsic(extrinsic));
    if (!tx.ok()) {
      nonces_[account] -= 1;
      return;
    }
    const SignedAdditional additional{runtime::kSpecVersion, runtime::kTransactionVersion,
                                      chain_.genesis_hash(), chain_.genesis_hash()};
    pool_.push_back(runtime::CheckedTransaction::already_verified(*std::move(tx), additional));
  }

  void end_block() {
    std::vector<const runtime::CheckedTransaction*> candidates;
    for (const auto& tx : pool_) candidates.push_back(&tx);
    const runtime::BlockInput input = chain_.input(3'000);
    const auto proposal = runtime::propose_block(chain_.state(), input, candidates,
                                                 runtime::InvariantChecks::every_transaction);
    TALLY_ASSERT(proposal.ok());
    std::vector<const runtime::CheckedTransaction*> chosen;
    for (const std::size_t i : proposal->chosen) chosen.push_back(candidates[i]);
    const auto outcome = runtime::execute_block(chain_.state(), input, chosen);
    TALLY_ASSERT(outcome.ok());
    TALLY_ASSERT(outcome->changes == proposal->outcome.changes);
    TALLY_ASSERT(outcome->events == proposal->outcome.events);
    const Balance theirs = credits::total_balance(chain_.state(), bystander_);
    const Balance issued = credits::kTotalIssuance.get(chain_.state());
    chain_.advance(input, *outcome);
    TALLY_ASSERT(credits::total_balance(chain_.state(), bystander_) >= theirs);
    TALLY_ASSERT(credits::kTotalIssuance.get(chain_.state()) <= issued);
    pool_.clear();
    nonces_.clear();
    for (std::size_t i = 0; i < kSigners; ++i) {
      nonces_[signer(i)] = system::kAccount.get(chain_.state(), signer(i)).nonce.value;
    }
  }

 private:
  static const genesis::TestChain& begun() {
    static const genesis::TestChain kChain = [] {
      auto spec = genesis::preset("dev");
      TALLY_ASSERT(spec.ok());
      spec->consensus.epoch_length = 2;
      spec->consensus.unbonding = DurationMs(3'000);
      return genesis::TestChain(*spec);
    }();
    return kChain;
  }

  genesis::TestChain chain_;
  AccountId bystander_;
  std::map<AccountId, std::uint32_t> nonces_;
  std::vector<runtime::CheckedTransaction> pool_;
};

}  // namespace

void run(ByteView bytes) {
  Blocks blocks;
  Input input(bytes);
  std::size_t ended = 0;
  for (std::size_t i = 0; i < kStepsMax && !input.empty() && ended < kBlocksMax; ++i) {
    const std::uint8_t who = input.byte();
    if (who == 255) {
      blocks.end_block();
      ++ended;
    } else {
      blocks.add(who, input.piece());
    }
  }
  blocks.end_block();
}

}  // namespace tally::fuzz
