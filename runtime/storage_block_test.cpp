// Checkpoints as blocks carry them: the call by its bytes, the events, the fee, and a proof of
// `latest` against the block's state root.
#include <catch2/catch.hpp>

#include "genesis/test_chain.hpp"
#include "modules/credits/api.hpp"
#include "modules/storage_registry/storage.hpp"
#include "runtime/events.hpp"

namespace tally::runtime {
namespace {

using genesis::TestChain;
using storage_registry::Checkpoint;
using storage_registry::CheckpointIndex;

struct Scene {
  TestChain chain = TestChain::dev();
  const KeyPair alice = dev_key(KeyScheme::ecdsa, "Alice");
  const KeyPair bob = dev_key(KeyScheme::ecdsa, "Bob");

  BlockOutcome run(const KeyPair& key, const storage_registry::Call& call) {
    const Nonce nonce = system::kAccount.get(chain.state(), key.account()).nonce;
    const auto tx =
        chain.checked(chain.sign(key, StorageRegistryCall{call}, {nonce, {}, Era::immortal()}));
    auto outcome = chain.add({tx});
    REQUIRE(outcome.ok());
    return *std::move(outcome);
  }
  Balance free(const KeyPair& key) const {
    return credits::free_balance(chain.state(), key.account());
  }
};

storage_registry::RecordCheckpoint record() {
  storage_registry::RecordCheckpoint call;
  call.label = "sim";
  call.store = StoreKind::directory;
  call.content_id = raw_cid(as_bytes("state")).to_text();
  call.size_bytes = {5};
  return call;
}

std::vector<std::string> event_names(const BlockOutcome& outcome) {
  std::vector<std::string> names;
  const auto records = decode<std::vector<EventRecord>>(outcome.events);
  REQUIRE(records.ok());
  for (const EventRecord& record : *records) {
    if (const auto* event = std::get_if<StorageRegistryEvent>(&record.event)) {
      std::visit([&](const auto& one) { names.emplace_back(one.kName); }, event->value);
    }
  }
  return names;
}

TEST_CASE("a checkpoint's life in blocks: the owner pays fees and gets the deposit back") {
  Scene scene;
  const Balance before = scene.free(scene.bob);
  const BlockOutcome recorded = scene.run(scene.bob, record());
  REQUIRE_FALSE(recorded.results.at(0).error.has_value());
  CHECK(event_names(recorded) == std::vector<std::string>{"CheckpointRecorded"});
  const Balance fee = recorded.results.at(0).fee;
  CHECK(scene.free(scene.bob) == Balance(before.micro - fee.micro - 10'000));

  const BlockOutcome attested =
      scene.run(scene.alice, storage_registry::Attest{scene.bob.account(), CheckpointIndex(0),
                                                      storage_registry::Availability::available});
  CHECK_FALSE(attested.results.at(0).error.has_value());
  CHECK(event_names(attested) == std::vector<std::string>{"CheckpointAttested"});

  // Not for another's account, which has no checkpoint 0 of its own.
  const BlockOutcome refused =
      scene.run(scene.alice, storage_registry::RemoveCheckpoint{CheckpointIndex(0)});
  REQUIRE(refused.results.at(0).error.has_value());
  CHECK(to_text(*refused.results.at(0).error) == "StorageRegistry.unknown_checkpoint");

  const Balance held = scene.free(scene.bob);
  const BlockOutcome removed =
      scene.run(scene.bob, storage_registry::RemoveCheckpoint{CheckpointIndex(0)});
  REQUIRE_FALSE(removed.results.at(0).error.has_value());
  CHECK(event_names(removed) == std::vector<std::string>{"CheckpointRemoved"});
  CHECK(scene.free(scene.bob) == Balance(held.micro + 10'000 - removed.results.at(0).fee.micro));
}

TEST_CASE("the bytes of a record call") {
  // Module 5, call 0; label, state hash, store, content id, compact size, no parent.
  const Bytes bytes = encode(RuntimeCall(StorageRegistryCall{record()}));
  CHECK(to_hex(bytes) == "05000c73696d" + std::string(64, '0') + "03ec" +
                             to_hex(as_bytes(record().content_id)) + "1400");
}

}  // namespace
}  // namespace tally::runtime
