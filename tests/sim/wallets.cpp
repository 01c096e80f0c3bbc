#include "tests/sim/wallets.hpp"

#include "modules/system/storage.hpp"
#include "primitives/crypto/hash.hpp"
#include "runtime/version.hpp"
#include "tests/sim/fake_crypto.hpp"

namespace tally::sim {
namespace {

constexpr std::size_t kWallets = 8;

AccountId wallet(std::size_t index) {
  return *AccountId::from(blake2_256({as_bytes("sim-wallet"), encode(std::uint64_t{index})}));
}

}  // namespace

Bytes sign_call(const AccountId& from, const runtime::RuntimeCall& call, const SignedExtra& extra,
                const Hash& genesis_hash, const Hash& birth) {
  const SignedAdditional additional{runtime::kSpecVersion, runtime::kTransactionVersion,
                                    genesis_hash, birth};
  const Bytes bytes = encode(call);
  Extrinsic extrinsic;
  extrinsic.call = bytes;
  extrinsic.signature = ExtrinsicSignature{
      AddressId{from}, SignedEd25519{fake_sign(from, signing_payload(bytes, extra, additional))},
      extra};
  return encode_extrinsic(extrinsic);
}

std::vector<AccountId> Wallets::account_list() {
  std::vector<AccountId> out;
  for (std::size_t i = 0; i < kWallets; ++i) out.push_back(wallet(i));
  return out;
}

Bytes Wallets::next(Random& random, const ports::FinalizedView& node) {
  const AccountId from = wallet(random.below(kWallets));
  const AccountId to = wallet(random.below(kWallets));
  const std::uint32_t period = 4u << random.below(4);
  const ports::ChainHead head = node.head();
  const Nonce nonce = system::kAccount.get(node.finalized().state, from).nonce;
  const SignedExtra extra{Era::mortal(period, head.number), {nonce}, {Balance(0)}};
  const runtime::CreditsCall call{
      credits::Transfer{AddressId{to}, {Balance(random.between(1, 100'000))}}};
  const Bytes extrinsic = sign_call(from, call, extra, genesis_hash_, head.hash);
  sent_[blake2_256(extrinsic)] = {head.number.value, period};
  return extrinsic;
}

std::optional<std::string> Wallets::judge(BlockNumber block, const std::vector<Hash>& extrinsics) {
  for (const Hash& hash : extrinsics) {
    const auto found = sent_.find(hash);
    if (found == sent_.end()) continue;
    Sent& one = found->second;
    included_ += one.included ? 0 : 1;
    one.included = true;
    const std::uint32_t number = block.value;
    if (number <= one.head || number >= one.head + one.period) {
      return "block " + std::to_string(number) + " has a transaction that was signed at height " +
             std::to_string(one.head) + " to live for " + std::to_string(one.period) + " blocks";
    }
  }
  return std::nullopt;
}

}  // namespace tally::sim
