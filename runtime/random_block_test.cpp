// Random blocks: what a proposer builds, a validator executes to the same bytes, and every module's
// invariants hold after every transaction (a violation ends the process).
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "genesis/test_chain.hpp"
#include "modules/credits/api.hpp"

namespace tally::runtime {
namespace {

using genesis::TestChain;

constexpr int kAccounts = 6;
constexpr int kSigners = 5;

// Four that are funded at genesis, one that is not, and one that is and signs nothing.
AccountId account(int number) {
  static const std::array<AccountId, kAccounts> all = [] {
    std::array<AccountId, kAccounts> out;
    for (int i = 0; i < kAccounts; ++i) {
      const std::string_view name = i == 4   ? "Nobody"
                                    : i == 5 ? "Ferdie"
                                             : genesis::kDevNames[static_cast<std::size_t>(i)];
      out[i] = dev_key(KeyScheme::ecdsa, name).account();
    }
    return out;
  }();
  return all[static_cast<std::size_t>(number)];
}

RuntimeCall random_registration() {
  workers::Register call;
  const auto type = static_cast<task::TaskType>(*rc::gen::inRange(0, 3));
  RC_ASSERT(call.profile.offers.push_back({type, kMicro, 1, 1}));
  call.stake = {Balance(u128{*rc::gen::inRange<std::uint64_t>(90, 300)} * kCredit.micro)};
  return WorkersCall{call};
}

// Account 0 validates; the others have no bond.
RuntimeCall random_staking(const Compact<Balance>& amount) {
  const Compact<Balance> some{
      Balance(u128{*rc::gen::inRange<std::uint64_t>(1, 12'000)} * kCredit.micro)};
  switch (*rc::gen::inRange(0, 6)) {
    case 0:
      return ValidatorsCall{validators::Delegate{account(0), some}};
    case 1:
      return ValidatorsCall{validators::Undelegate{account(0), some}};
    case 2:
      return ValidatorsCall{validators::BondMore{some}};
    case 3:
      return ValidatorsCall{validators::Unbond{some}};
    case 4:
      return ValidatorsCall{validators::Withdraw{account(0)}};
    default:
      return ValidatorsCall{validators::Delegate{account(0), amount}};
  }
}

// Alice attests; labels and indices are few, so that calls meet.
RuntimeCall random_checkpoint(const AccountId& other) {
  const storage_registry::CheckpointIndex index(*rc::gen::inRange<std::uint64_t>(0, 5));
  switch (*rc::gen::inRange(0, 4)) {
    case 0:
      return StorageRegistryCall{storage_registry::RemoveCheckpoint{index}};
    case 1:
      return StorageRegistryCall{storage_registry::Attest{
          other, index, static_cast<storage_registry::Availability>(*rc::gen::inRange(0, 3))}};
    default:
      break;
  }
  storage_registry::RecordCheckpoint call;
  call.label = std::string(1, static_cast<char>('a' + *rc::gen::inRange(0, 2)));
  call.store = static_cast<StoreKind>(*rc::gen::inRange(0, 4));
  call.content_id = raw_cid(encode(other)).to_text();
  if (*rc::gen::inRange(0, 3) == 0) call.parent = index;
  return StorageRegistryCall{call};
}

RuntimeCall random_call() {
  const AccountId other = account(*rc::gen::inRange(0, kAccounts));
  const Compact<Balance> amount{
      Balance(u128{*rc::gen::arbitrary<std::uint64_t>()} >> *rc::gen::inRange(0, 64))};
  switch (*rc::gen::inRange(0, 21)) {
    case 0:
      return CreditsCall{credits::TransferAll{AddressId{other}}};
    case 1:
      return CreditsCall{credits::IssueDebt{other, amount}};
    case 2:
      return CreditsCall{credits::SettleDebt{other, amount}};
    case 3:
      return CreditsCall{credits::ForgiveDebt{other, amount}};
    case 4:
      return ChannelsCall{
          channels::Open{other, amount, {Balance(5)}, std::nullopt, DurationMs(10'000)}};
    case 5:
      return ChannelsCall{channels::Open{other, amount, {}, std::nullopt, DurationMs(2'000)}};
    case 6:
    case 7:
      return random_registration();
    case 8:
      return WorkersCall{workers::Delegate{other, amount}};
    case 9:
      return WorkersCall{workers::Undelegate{other, amount}};
    case 10:
      return WorkersCall{workers::Deregister{}};
    case 11:
      return WorkersCall{workers::Withdraw{other}};
    case 12:
      return WorkersCall{workers::ApproveSlash{other, workers::SlashReason::double_spend, Hash{}}};
    case 13:
    case 14:
    case 15:
      return random_staking(amount);
    case 16:
    case 17:
    case 18:
      return random_checkpoint(other);
    default:
      return CreditsCall{credits::Transfer{AddressId{other}, amount}};
  }
}

TEST_CASE("random blocks execute to what was proposed") {
  const bool holds = rc::check([] {
    auto spec = genesis::preset("dev");
    RC_ASSERT(spec.ok());
    spec->consensus.epoch_length = 2;
    spec->consensus.unbonding = DurationMs(3'000);
    TestChain chain(*spec);
    const SignedAdditional additional{kSpecVersion, kTransactionVersion, chain.genesis_hash(),
                                      chain.genesis_hash()};
    for (int block = 0; block < 7; ++block) {
      std::vector<CheckedTransaction> pool;
      const int count = *rc::gen::inRange(0, 12);
      for (int i = 0; i < count; ++i) {
        const AccountId signer = account(*rc::gen::inRange(0, kSigners));
        const Nonce nonce(static_cast<std::uint32_t>(*rc::gen::inRange(0, 4)));
        Extrinsic extrinsic{
            ExtrinsicSignature{AddressId{signer}, SignedEcdsa{}, {Era::immortal(), {nonce}, {}}},
            encode(random_call())};
        auto tx = decode_transaction(encode_extrinsic(extrinsic));
        RC_ASSERT(tx.ok());
        pool.push_back(CheckedTransaction::already_verified(*std::move(tx), additional));
      }
      std::vector<const CheckedTransaction*> candidates;
      for (const auto& tx : pool) candidates.push_back(&tx);
      const BlockInput input = chain.input(3'000);
      const auto proposal =
          propose_block(chain.state(), input, candidates, InvariantChecks::every_transaction);
      RC_ASSERT(proposal.ok());
      std::vector<const CheckedTransaction*> chosen;
      for (const std::size_t i : proposal->chosen) chosen.push_back(candidates[i]);
      const auto outcome = execute_block(chain.state(), input, chosen);
      RC_ASSERT(outcome.ok());
      RC_ASSERT(outcome->changes == proposal->outcome.changes);
      RC_ASSERT(outcome->events == proposal->outcome.events);
      const AccountId bystander = account(kSigners);
      const Balance before = credits::total_balance(chain.state(), bystander);
      chain.advance(input, *outcome);
      // Whatever others name it in, who signed nothing loses nothing.
      RC_ASSERT(credits::total_balance(chain.state(), bystander) >= before);
    }
  });
  CHECK(holds);
}

}  // namespace
}  // namespace tally::runtime
