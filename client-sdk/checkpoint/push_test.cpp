#include <catch2/catch.hpp>

#include "client-sdk/chain/calls.hpp"
#include "client-sdk/checkpoint/fixture_test.hpp"

namespace tally::checkpoint {
namespace {

Wanted by_label(const Scene& scene, const std::string& label = "sim") {
  return {scene.bob.account(), label};
}
Wanted by_index(const Scene& scene, std::uint64_t index) {
  return {scene.bob.account(), CheckpointIndex(index)};
}

TEST_CASE("a state goes and comes back on a machine with an empty disk") {
  Scene scene;
  const Bytes states[] = {Bytes{}, Bytes{1}, Bytes(262'144, 3), noise(262'144), noise(300'000, 2)};
  for (std::size_t i = 0; i < std::size(states); ++i) {
    const std::string label = "state" + std::to_string(i);
    const Pushed pushed = scene.push_now(states[i], label);
    CHECK(pushed.entry.index == CheckpointIndex(i));
    CHECK(pushed.entry.record.size_bytes == states[i].size());
    CHECK_FALSE(pushed.was_recorded);
    CHECK(pushed.cost_winston == PaidStore::kPrice);
    CHECK_FALSE(pushed.fee.is_zero());
    REQUIRE(pushed.at.has_value());
    CHECK(pushed.entry.record.block == pushed.at->number);

    const auto fetched = scene.try_pull(by_label(scene, label));
    REQUIRE(fetched.ok());
    CHECK(fetched->source == Source::store);
    CHECK(fetched->state == states[i]);
    const auto cached = scene.try_pull(by_index(scene, i));
    REQUIRE(cached.ok());
    CHECK(cached->source == Source::cache);
    CHECK(cached->state == states[i]);
    // The machine that pushed has it too.
    CHECK(scene.try_pull(by_label(scene, label), "cache")->source == Source::cache);
  }
}

TEST_CASE("a state that is too large, and a label that is none, cost nothing") {
  Scene scene;
  const auto large = scene.try_push(Bytes(kMaxStateBytes + 1), scene.options("sim"));
  REQUIRE_FALSE(large.ok());
  CHECK(large.error().fault == Fault::invalid);
  for (const char* label : {"", "two words", "ü"}) {
    const auto refused = scene.try_push(Bytes{1}, scene.options(label));
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().fault == Fault::invalid);
  }
  CHECK(scene.store.puts == 0);
  CHECK(scene.served.included() == 0);
}

TEST_CASE("the same state again is there already, another one is the label's new latest") {
  Scene scene;
  const Bytes a = noise(100, 1);
  const Bytes b = noise(100, 2);
  CHECK(scene.push_now(a).entry.index == CheckpointIndex(0));
  const Pushed again = scene.push_now(a);
  CHECK(again.was_recorded);
  CHECK(again.entry.index == CheckpointIndex(0));
  CHECK(scene.store.puts == 1);
  CHECK(scene.push_now(b).entry.index == CheckpointIndex(1));
  CHECK(scene.try_pull(by_label(scene))->state == b);
  CHECK(scene.try_pull(by_index(scene, 0))->state == a);
  // Back to the first state: the newest checkpoint says what the newest state is.
  CHECK(scene.push_now(a).entry.index == CheckpointIndex(2));
  CHECK(scene.try_pull(by_label(scene))->state == a);
  CHECK(scene.push_now(a, "other").entry.index == CheckpointIndex(3));
}

TEST_CASE("what a store lost goes up again, without a second record") {
  Scene scene;
  const Bytes state = noise(100);
  const Pushed pushed = scene.push_now(state);
  fs::remove(scene.store.path_of({StoreKind::directory, pushed.entry.record.content_id}));
  CHECK(scene.try_pull(by_label(scene)).error().fault == Fault::unavailable);
  const Pushed again = scene.push_now(state);
  CHECK(again.was_recorded);
  CHECK(scene.live() == 1);
  CHECK(scene.try_pull(by_label(scene))->state == state);
}

TEST_CASE("nothing is recorded before the bytes came back, and what is lost is sent again") {
  Scene scene;
  const Bytes state = noise(100);
  int lost = 0;
  scene.store.before_get = [&](const fs::path& path) {
    if (++lost <= 3) fs::remove(path);
  };
  const Pushed pushed = scene.push_now(state);
  CHECK(scene.store.puts == 4);
  CHECK(scene.store.paid == PaidStore::kPrice);
  CHECK(pushed.entry.index == CheckpointIndex(0));

  scene.store.before_get = [&](const fs::path& path) { fs::remove(path); };
  PushOptions impatient = scene.options("other");
  impatient.read_back_ms = 5;
  const auto refused = scene.try_push(state, impatient);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().fault == Fault::unavailable);
  CHECK(scene.live() == 1);
  CHECK(scene.push_under_way());
  scene.store.before_get = nullptr;
  CHECK(scene.push_now(state, "other").entry.index == CheckpointIndex(1));
  CHECK(scene.store.paid == 2 * PaidStore::kPrice);
}

TEST_CASE("what a store or the cache changed is never returned") {
  Scene scene;
  const Bytes state = noise(1'000);
  const Pushed pushed = scene.push_now(state);
  const fs::path blob = scene.store.path_of({StoreKind::directory, pushed.entry.record.content_id});
  std::fstream(blob, std::ios::in | std::ios::out | std::ios::binary).seekp(500).put('x').put('y');
  const auto refused = scene.try_pull(by_label(scene));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().fault == Fault::mismatch);
  CHECK(verify(by_label(scene), {.folder = scene.folder()}, {scene.finder, *scene.chain})
            .error()
            .fault == Fault::mismatch);

  // The cache of the machine that pushed is changed too, and then the store mended.
  const fs::path cached = scene.folder() / "states" / to_hex(state_hash(state));
  std::ofstream(cached, std::ios::binary) << "other bytes";
  CHECK_FALSE(scene.try_pull(by_label(scene), "cache").ok());
  REQUIRE(content::write_durably(blob, *pack(state)).ok());
  const auto mended = scene.try_pull(by_label(scene), "cache");
  REQUIRE(mended.ok());
  CHECK(mended->source == Source::store);
  CHECK(mended->state == state);
  CHECK(scene.try_pull(by_label(scene), "cache")->source == Source::cache);
}

TEST_CASE("verify asks the store, whatever the cache has, and notes when it matched") {
  Scene scene;
  const Bytes state = noise(1'000);
  const Pushed pushed = scene.push_now(state);
  const int before = scene.store.gets;
  const auto verified =
      verify(by_label(scene), {.folder = scene.folder()}, {scene.finder, *scene.chain});
  REQUIRE(verified.ok());
  CHECK(scene.store.gets == before + 1);
  CHECK(verified->blob_bytes == pushed.blob_bytes);
  CHECK(verified->status.presence == storage::Presence::deep);
  const auto note = last_match(scene.folder(), scene.bob.account(), pushed.entry);
  REQUIRE(note.has_value());
  CHECK(note->state_hash == state_hash(state));
  CHECK_FALSE(last_match(scene.files.path() / "other", scene.bob.account(), pushed.entry));
  CHECK(is_cached(scene.folder(), state_hash(state)));
}

TEST_CASE("only the owner removes, and its deposit comes back") {
  Scene scene;
  scene.push_now(noise(100, 1));
  scene.push_now(noise(100, 2));
  const KeyPair eve = dev_key(KeyScheme::ecdsa, "Eve");
  const auto stranger = remove(*scene.chain, eve, CheckpointIndex(0));
  REQUIRE_FALSE(stranger.ok());
  CHECK(stranger.error().fault == Fault::not_found);
  CHECK(scene.deposits() == Balance(20'000));
  REQUIRE(remove(*scene.chain, scene.bob, CheckpointIndex(1)).ok());
  CHECK(scene.deposits() == Balance(10'000));
  CHECK(remove(*scene.chain, scene.bob, CheckpointIndex(1)).error().fault == Fault::not_found);
  // The label's latest is the one before.
  CHECK(scene.try_pull(by_label(scene))->entry.index == CheckpointIndex(0));
  REQUIRE(remove(*scene.chain, scene.bob, CheckpointIndex(0)).ok());
  CHECK(scene.try_pull(by_label(scene)).error().fault == Fault::not_found);
}

TEST_CASE("what the chain would refuse is told before the store is paid") {
  Scene scene;
  PushOptions options = scene.options("sim");
  options.parent = CheckpointIndex(7);
  SECTION("a parent that is not there") {
    const auto refused = scene.try_push(noise(10), options);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().fault == Fault::refused);
    REQUIRE(refused.error().refusal.has_value());
    CHECK(runtime::to_text(*refused.error().refusal) == "StorageRegistry.unknown_parent");
  }
  SECTION("an account without credits") {
    const KeyPair poor = dev_key(KeyScheme::ecdsa, "Poor");
    const auto refused = push(noise(10), scene.options("sim"), {scene.store, *scene.chain, poor});
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().fault == Fault::refused);
    CHECK(refused.error().message.find("nothing was uploaded") != std::string::npos);
  }
  CHECK(scene.store.paid == 0);
}

TEST_CASE("the chain's refusal is told") {
  Scene scene;
  scene.push_now(noise(20));
  PushOptions options = scene.options("sim");
  options.parent = CheckpointIndex(0);
  options.progress = [&](const PushProgress& progress) {
    if (progress.step != Step::uploaded) return;
    REQUIRE(remove(*scene.chain, scene.bob, CheckpointIndex(0)).ok());
  };
  const auto refused = scene.try_push(noise(10), options);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().fault == Fault::refused);
  REQUIRE(refused.error().refusal.has_value());
  CHECK(runtime::to_text(*refused.error().refusal) == "StorageRegistry.unknown_parent");
  CHECK(scene.deposits().is_zero());
}

TEST_CASE("1024 checkpoints are listed, and one more is refused") {
  Scene scene;
  std::vector<runtime::RuntimeCall> calls;
  for (std::size_t i = 0; i < storage_registry::kMaxCheckpoints; ++i) {
    storage_registry::RecordCheckpoint call;
    call.label = "l" + std::to_string(i);
    call.store = StoreKind::directory;
    call.content_id = raw_cid(encode(i)).to_text();
    calls.push_back(runtime::StorageRegistryCall{call});
  }
  scene.served.apply(scene.bob, calls);
  const auto listed = list(*scene.chain, scene.bob.account());
  REQUIRE(listed.ok());
  REQUIRE(listed->entries.size() == storage_registry::kMaxCheckpoints);
  CHECK(listed->next == CheckpointIndex(1'024));
  CHECK(listed->entries.back().record.label == "l1023");
  const auto refused = scene.try_push(noise(10), scene.options("sim"));
  REQUIRE_FALSE(refused.ok());
  REQUIRE(refused.error().refusal.has_value());
  CHECK(runtime::to_text(*refused.error().refusal) == "StorageRegistry.too_many_checkpoints");
  REQUIRE(remove(*scene.chain, scene.bob, CheckpointIndex(5)).ok());
  CHECK(scene.store.paid == 0);
  CHECK(scene.push_now(noise(10)).entry.index == CheckpointIndex(1'024));
}

TEST_CASE("one push of a state and label at a time") {
  Scene scene;
  PushOptions outer = scene.options("sim");
  bool tried = false;
  outer.progress = [&](const PushProgress& progress) {
    if (progress.step != Step::uploaded) return;
    tried = true;
    const auto inner = scene.try_push(noise(10), scene.options("sim"));
    REQUIRE_FALSE(inner.ok());
    CHECK(inner.error().fault == Fault::busy);
    CHECK(scene.try_push(noise(10), scene.options("else")).ok());
  };
  REQUIRE(scene.try_push(noise(10), outer).ok());
  CHECK(tried);
}

TEST_CASE("latest is one typed read, proved, and so is that there is none") {
  Scene scene;
  scene.push_now(noise(10));
  const auto index =
      scene.chain->read_item(storage_registry::kLatest, scene.bob.account(), std::string("sim"));
  REQUIRE(index.ok());
  CHECK(*index == CheckpointIndex(0));
  const auto none =
      scene.chain->read_item(storage_registry::kLatest, scene.bob.account(), std::string("no"));
  REQUIRE(none.ok());
  CHECK_FALSE(none->has_value());
}

}  // namespace
}  // namespace tally::checkpoint
