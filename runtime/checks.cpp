#include "runtime/checks.hpp"

#include "modules/channels/dispatch.hpp"
#include "modules/credits/api.hpp"
#include "modules/system/storage.hpp"
#include "runtime/version.hpp"

namespace tally::runtime {

namespace {

std::optional<Hash> birth_block_hash(const Fork& fork, const Era& era) {
  if (era.is_immortal()) return fork.genesis_hash;
  const BlockNumber birth = era.birth(fork.block);
  if (birth >= fork.block) return std::nullopt;
  if (birth.next() == fork.block) return fork.parent_hash;
  return system::kBlockHash.find(fork.state, birth);
}

}  // namespace

Result<SignedAdditional, InvalidTransaction> additional_for(const Fork& fork,
                                                            const Transaction& tx) {
  const auto birth = birth_block_hash(fork, tx.extra.era);
  if (!birth) return fail(InvalidTransaction::ancient_birth_block);
  return SignedAdditional{kSpecVersion, kTransactionVersion, fork.genesis_hash, *birth};
}

Result<Balance, InvalidTransaction> fee_for(const credits::Config& config, const Transaction& tx) {
  const auto fee = credits::fee_of(config, tx.bytes.size(), tx.properties.weight);
  if (!fee.ok()) return fail(InvalidTransaction::payment);
  return *fee;
}

bool may_owe_fee(const Context& ctx, const Transaction& tx, Balance fee) {
  const auto* call = std::get_if<ChannelsCall>(&tx.call);
  if (call == nullptr || !tx.extra.tip.value.is_zero()) return false;
  return channels::may_owe_fee(ctx.state, channels::moment_of(ctx.block), {tx.signer, fee},
                               call->value);
}

}  // namespace tally::runtime
