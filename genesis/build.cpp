#include "genesis/build.hpp"

#include "genesis/dev_keys.hpp"
#include "modules/channels/storage.hpp"
#include "modules/credits/api.hpp"
#include "modules/credits/genesis.hpp"
#include "modules/disputes/storage.hpp"
#include "modules/storage_registry/genesis.hpp"
#include "modules/system/genesis.hpp"
#include "modules/validators/genesis.hpp"
#include "modules/workers/genesis.hpp"
#include "primitives/assert.hpp"
#include "runtime/code.hpp"
#include "runtime/tree/tree.hpp"

namespace tally::genesis {

std::map<Bytes, Bytes> genesis_state(const ChainSpec& spec) {
  TALLY_ASSERT(check_chain_spec(spec).ok());
  MapState state;
  Overlay overlay(state);
  system::write_genesis(overlay, spec.blocks, spec.genesis_time);
  const auto members = BoundedVec<Validator, kMaxValidators>::from(spec.validators);
  validators::write_genesis(overlay, spec.consensus, ValidatorSet{*members}, spec.chain_id);
  channels::kConfig.put(overlay, spec.channels);
  workers::write_genesis(overlay, spec.workers, spec.council);
  disputes::kConfig.put(overlay, spec.disputes);
  storage_registry::write_genesis(overlay, spec.storage_registry, spec.attesters);

  credits::GenesisWriter money(overlay, spec.credits);
  for (const Endowment& endowment : spec.accounts)
    money.endow(endowment.account, endowment.balance);
  const BenchKeys bench;
  for (std::uint32_t i = 0; i < spec.bench_accounts.count; ++i) {
    money.endow(bench.key(i).account(), spec.bench_accounts.balance);
  }
  money.endow(credits::reward_pool_account(), spec.reward_pool);
  for (const Validator& validator : spec.validators) {
    money.hold(validator.account, credits::HoldReason::validator_bond,
               validators::genesis_bond(validator));
  }
  money.finish();

  overlay.put(as_bytes(runtime::kCodeKey), runtime::code_identity());
  state.apply(overlay.changes());
  return state.entries();
}

Genesis build_genesis(const ChainSpec& spec) {
  Genesis genesis;
  genesis.state = genesis_state(spec);
  genesis.header.state_root = tree::state_root(genesis.state);
  genesis.hash = block_hash(genesis.header);
  return genesis;
}

}  // namespace tally::genesis
