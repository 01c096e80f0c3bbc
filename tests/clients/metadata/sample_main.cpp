// Prints, as JSON, the metadata and what goes with it: a signed transfer with its payload, the
// block that held it, an account's storage key and value.
#include <iostream>
#include <nlohmann/json.hpp>

#include "genesis/test_chain.hpp"
#include "primitives/ss58.hpp"
#include "runtime/events.hpp"
#include "runtime/metadata/metadata.hpp"

int main() {
  using namespace tally;
  genesis::TestChain chain = genesis::TestChain::dev();
  const KeyPair bob = dev_key(KeyScheme::ecdsa, "Bob");
  const KeyPair eve = dev_key(KeyScheme::ecdsa, "Eve");
  TALLY_ASSERT(chain.add({}).ok());
  const Era era = Era::mortal(64, BlockNumber(1));
  const runtime::RuntimeCall call =
      runtime::CreditsCall{credits::Transfer{AddressId{eve.account()}, {Balance(5'000'000)}}};
  const auto tx = chain.checked(chain.sign(bob, call, {Nonce(0), Balance(7), era}));

  nlohmann::json out;
  const auto spec = genesis::preset("dev");
  out["metadata"] = to_hex_prefixed(metadata::encoded({spec->blocks.min_block_interval}));
  out["extrinsic"] = to_hex_prefixed(tx.tx().bytes);
  out["call"] = to_hex_prefixed(tx.tx().call_bytes());
  Bytes payload = to_bytes(tx.tx().call_bytes());
  append(payload, encode(tx.tx().extra));
  append(payload, encode(tx.additional()));
  out["payload"] = to_hex_prefixed(payload);
  out["birth_block_hash"] = to_hex_prefixed(tx.additional().birth_block_hash);
  out["genesis_hash"] = to_hex_prefixed(chain.genesis_hash());
  out["current"] = 1;
  out["spec_version"] = runtime::kSpecVersion;
  out["transaction_version"] = runtime::kTransactionVersion;
  out["bob"] = to_ss58(bob.account());
  out["eve"] = to_ss58(eve.account());

  const auto outcome = chain.add({tx});
  TALLY_ASSERT(outcome.ok());
  out["events"] = to_hex_prefixed(outcome->events);
  out["events_key"] = to_hex_prefixed(runtime::kEvents.key());
  const StorageKey key = system::kAccount.key(bob.account());
  out["account_key"] = to_hex_prefixed(key);
  out["account"] = to_hex_prefixed(*chain.state().get(key));
  out["free"] = to_decimal(system::kAccount.get(chain.state(), bob.account()).data.free.micro);
  out["fee"] = to_decimal(outcome->results[0].fee.micro);
  std::cout << out.dump(1) << '\n';
}
