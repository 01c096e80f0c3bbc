// The store against a strict gateway that fails in every way it can.
#include "client-sdk/arweave/store.hpp"

#include <unistd.h>

#include <fstream>

#include "client-sdk/arweave/bundle.hpp"
#include "tests/gateway/gateway.hpp"
#include "tests/vectors/vectors.hpp"

namespace tally::arweave {
namespace {

namespace fs = std::filesystem;
using gateway::Fault;
using gateway::FaultKind;
using gateway::Gateway;
using storage::ContentId;
using storage::Presence;
using storage::PutOptions;

constexpr std::uint64_t kRich = 1'000'000'000;

const RsaKey& wallet() {
  static const RsaKey kKey = [] {
    const auto keys = vectors::cases("arweave/jwk.json", "keys");
    auto key = RsaKey::from_jwk(keys.back().at("jwk").dump());
    REQUIRE(key.ok());
    REQUIRE(key->modulus().size() == kRsaBytes);
    return *key;
  }();
  return kKey;
}

KeyPair account(KeyScheme scheme) {
  std::array<std::uint8_t, 32> secret{};
  secret.fill(5);
  return *KeyPair::from_secret(scheme, Secret(secret));
}

Bytes some_blob(std::size_t size, std::uint32_t seed = 1) {
  Bytes out(size);
  for (std::uint8_t& byte : out) {
    seed = seed * 1664525 + 1013904223;
    byte = static_cast<std::uint8_t>(seed >> 24);
  }
  return out;
}

struct World {
  Gateway gateway;
  Gateway second;
  fs::path folder;
  StoreConfig config;
  std::vector<std::chrono::milliseconds> pauses;

  World() {
    std::string name = (fs::temp_directory_path() / "tally-arweave-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
    gateway.mint(address_of(wallet().modulus()), kRich);
    config.gateways.urls = {gateway.url()};
    config.gateways.pause = [this](std::chrono::milliseconds time, const std::stop_token& stop) {
      pauses.push_back(time);
      return !stop.stop_requested();
    };
    config.wallet = wallet();
    config.account = account(KeyScheme::ed25519);
    config.max_price_winston = 1'000'000;
    config.tags = {{"App-Name", "Tallystick"}};
  }
  ~World() { fs::remove_all(folder); }

  // A new one each time, as after a crash.
  ArweaveStore store() const {
    auto out = ArweaveStore::open(config);
    REQUIRE(out.ok());
    return *out;
  }
  StoreResult<storage::Stored> put(ByteView blob) const {
    return store().put(blob, {.folder = folder});
  }
  StoreResult<Bytes> get(const ContentId& id, std::uint64_t most = kMaxStoredBytes) const {
    return store().get(id, most);
  }
  std::uint64_t spent() const { return kRich - gateway.balance(address_of(wallet().modulus())); }
};

// What a call failed with; the test fails where it did not fail.
template <class T>
StoreError error_of(const StoreResult<T>& result) {
  if (!result.ok()) return result.error();
  FAIL_CHECK("expected an error");
  return {{"no error"}, StoreFault::local};
}

TEST_CASE("A blob goes to Arweave and comes back", "[store]") {
  World world;
  SECTION("signed by an Ed25519 account") {}
  SECTION("signed by a secp256k1 account") {
    world.config.account = account(KeyScheme::ecdsa);
  }
  SECTION("as the wallet's own transaction") {
    world.config.account.reset();
  }
  for (const std::size_t size : {1u, 1000u, 262'144u, 700'000u}) {
    INFO(size << " bytes");
    const Bytes blob = some_blob(size);
    const std::uint64_t spent_before = world.spent();
    std::vector<std::uint64_t> told;
    const auto stored = world.store().put(
        blob, {.folder = world.folder, .progress = [&](const storage::Progress& progress) {
                 told.push_back(progress.done_bytes);
                 CHECK(progress.total_bytes >= size);
               }});
    REQUIRE(stored.ok());
    CHECK(std::is_sorted(told.begin(), told.end()));
    CHECK(told.back() >= size);
    CHECK(stored->cost_winston == world.spent() - spent_before);
    CHECK(*world.get(stored->id) == blob);
    CHECK(world.store().status(stored->id)->presence == Presence::pending);
    world.gateway.mine(1);
    CHECK(world.store().status(stored->id)->presence == Presence::confirmed);
    world.gateway.mine(kDeepConfirmations);
    CHECK(world.store().status(stored->id)->presence == Presence::deep);
    CHECK(*world.get(stored->id, size) == blob);
    CHECK(error_of(world.get(stored->id, size - 1)).fault == StoreFault::too_large);
  }
  CHECK(world.pauses.empty());
}

TEST_CASE("A blob of no bytes", "[store]") {
  World world;
  SECTION("in a bundle") {}
  SECTION("as a transaction") {
    world.config.account.reset();
  }
  const auto stored = world.put({});
  REQUIRE(stored.ok());
  CHECK(world.get(stored->id, 0)->empty());
}

TEST_CASE("Without a wallet a bundler takes data items", "[store]") {
  World world;
  world.config.wallet.reset();
  const Bytes blob = some_blob(300'000);
  CHECK(error_of(world.put(blob)).fault == StoreFault::refused);
  world.config.bundler_url = world.gateway.url() + "/bundler";
  SECTION("signed by an Ed25519 account") {}
  SECTION("signed by a secp256k1 account") {
    world.config.account = account(KeyScheme::ecdsa);
  }
  const auto stored = world.put(blob);
  REQUIRE(stored.ok());
  CHECK(stored->cost_winston == 0);
  CHECK(world.put(blob)->id == stored->id);
  CHECK(*world.get(stored->id) == blob);
  CHECK(world.store().status(stored->id)->presence == Presence::pending);
  world.gateway.mine(3);
  CHECK(world.store().status(stored->id)->confirmations == 3);
  CHECK(error_of(world.get(stored->id, 1000)).fault == StoreFault::too_large);
  world.gateway.fail_next({"GET /" + stored->id.id, FaultKind::wrong_bytes});
  CHECK(error_of(world.get(stored->id)).fault == StoreFault::mismatch);
  world.gateway.fail_next({"GET /" + stored->id.id, FaultKind::shorter});
  CHECK(error_of(world.get(stored->id)).fault == StoreFault::mismatch);
}

TEST_CASE("What does not exist is absent", "[store]") {
  World world;
  const ContentId id{StoreKind::arweave, std::string(43, 'A')};
  CHECK(error_of(world.get(id)).fault == StoreFault::not_found);
  CHECK(world.store().status(id)->presence == Presence::absent);
  CHECK(error_of(world.get({StoreKind::ipfs, std::string(43, 'A')})).fault ==
        StoreFault::unsupported);
  CHECK(error_of(world.get({StoreKind::arweave, "../info"})).fault == StoreFault::unsupported);
  CHECK(world.pauses.empty());
}

TEST_CASE("A gateway that is down is asked again, with growing pauses", "[store]") {
  World world;
  const Bytes blob = some_blob(600'000);
  world.gateway.fail_next({"/price", FaultKind::status, 503, 2});
  world.gateway.fail_next({"POST /chunk", FaultKind::status, 429, 1, 1});
  world.gateway.fail_next({"POST /chunk", FaultKind::drop, 0, 1, 2});
  const auto stored = world.put(blob);
  REQUIRE(stored.ok());
  using std::chrono::milliseconds;
  CHECK(world.pauses == std::vector<milliseconds>{milliseconds(500), milliseconds(1000),
                                                  milliseconds(500), milliseconds(500)});
  CHECK(*world.get(stored->id) == blob);

  world.pauses.clear();
  world.gateway.fail_next({"", FaultKind::status, 500, 1'000});
  const auto got = world.get(stored->id);
  CHECK(error_of(got).fault == StoreFault::unreachable);
  CHECK(world.pauses.size() == world.config.gateways.rounds - 1);
}

TEST_CASE("A gateway that never answers costs its patience only", "[store]") {
  World world;
  const Bytes blob = some_blob(100);
  const auto stored = world.put(blob);
  REQUIRE(stored.ok());
  world.gateway.fail_next({"", FaultKind::silent, 0, 2});
  world.config.gateways.patience = std::chrono::milliseconds(50);
  world.config.gateways.rounds = 1;
  const auto got = world.get(stored->id);
  REQUIRE_FALSE(got.ok());
  CHECK(error_of(got).fault == StoreFault::unreachable);
  CHECK_THAT(error_of(got).message, Catch::Contains("did not answer within 50 ms"));
}

TEST_CASE("A stop ends what waits", "[store]") {
  World world;
  std::stop_source source;
  world.config.gateways.pause = [&](std::chrono::milliseconds, const std::stop_token& stop) {
    source.request_stop();
    return !stop.stop_requested();
  };
  world.gateway.fail_next({"/price", FaultKind::status, 503, 1'000});
  const auto stored =
      world.store().put(some_blob(10), {.folder = world.folder, .stop = source.get_token()});
  REQUIRE_FALSE(stored.ok());
  CHECK(error_of(stored).fault == StoreFault::interrupted);
  // Stopped before it asks.
  const auto got =
      world.store().get({StoreKind::arweave, std::string(43, 'A')}, 1, source.get_token());
  CHECK(error_of(got).fault == StoreFault::interrupted);
}

TEST_CASE("A lying gateway is found out, and another asked", "[store]") {
  World world;
  const Bytes blob = some_blob(600'000);
  const ContentId other = world.put(some_blob(50, 9))->id;
  const ContentId id = world.put(blob)->id;
  const std::string data = "GET /" + id.id;
  const std::string header = "GET /tx/" + id.id;

  SECTION("other bytes, with honest chunks") {
    world.gateway.fail_next({data, FaultKind::wrong_bytes});
    CHECK(*world.get(id) == blob);
    CHECK(world.gateway.requests("GET /chunk/") == 3);
  }
  SECTION("truncated, with honest chunks") {
    world.gateway.fail_next({data, FaultKind::truncated});
    CHECK(*world.get(id) == blob);
    world.gateway.fail_next({data, FaultKind::shorter});
    CHECK(*world.get(id) == blob);
  }
  SECTION("other bytes everywhere") {
    world.gateway.fail_next({data, FaultKind::wrong_bytes, 0, 100});
    world.gateway.fail_next({"GET /chunk/", FaultKind::wrong_bytes, 0, 100, 1});
    CHECK(error_of(world.get(id)).fault == StoreFault::mismatch);
  }
  SECTION("another transaction") {
    world.gateway.fail_next({header, FaultKind::other_id, 0, 100});
    const auto got = world.get(id);
    CHECK(error_of(got).fault == StoreFault::mismatch);
    CHECK_THAT(error_of(got).message, Catch::Contains(other.id));
    world.config.gateways.urls = {world.gateway.url(), world.gateway.url()};
  }
  SECTION("a changed header") {
    world.gateway.fail_next({header, FaultKind::wrong_bytes, 0, 100});
    CHECK(error_of(world.get(id)).fault == StoreFault::mismatch);
  }
  SECTION("a header that nobody signed") {
    world.gateway.fail_next({header, FaultKind::forged, 0, 100});
    CHECK(error_of(world.get(id)).fault == StoreFault::mismatch);
  }
  SECTION("other chunks of a plain transaction") {
    world.config.account.reset();
    const ContentId plain = world.put(some_blob(600'000, 3))->id;
    world.gateway.fail_next({"GET /" + plain.id, FaultKind::wrong_bytes, 0, 100});
    world.gateway.fail_next({"GET /chunk/", FaultKind::wrong_bytes, 0, 100, 1});
    CHECK(error_of(world.get(plain)).fault == StoreFault::mismatch);
  }
  SECTION("while a second one is honest") {
    // The second gateway lies about everything; the first, which is asked after it, does not.
    world.second.fail_next({"", FaultKind::wrong_bytes, 0, 1'000});
    world.config.gateways.urls = {world.second.url(), world.gateway.url()};
    CHECK(*world.get(id) == blob);
    CHECK(world.second.requests("") > 0);
  }
}

TEST_CASE("Nothing is paid twice", "[store]") {
  World world;
  const Bytes blob = some_blob(700'000);
  world.config.gateways.rounds = 1;
  SECTION("put twice") {
    REQUIRE(world.put(blob).ok());
  }
  SECTION("before the transaction is posted") {
    world.gateway.fail_next({"POST /tx", FaultKind::status, 500});
    CHECK_FALSE(world.put(blob).ok());
  }
  SECTION("after the transaction is posted, before its answer") {
    world.gateway.fail_next({"POST /tx", FaultKind::drop_after});
    CHECK_FALSE(world.put(blob).ok());
    CHECK(world.gateway.paid_transactions() == 1);
    world.gateway.jump_price(0, 10);
  }
  SECTION("between two chunks") {
    world.gateway.fail_next({"POST /chunk", FaultKind::drop, 0, 1, 2});
    CHECK_FALSE(world.put(blob).ok());
    CHECK(world.gateway.requests("POST /chunk") == 3);
  }
  SECTION("after a chunk, before its answer") {
    world.gateway.fail_next({"POST /chunk", FaultKind::drop_after, 0, 1, 1});
    CHECK_FALSE(world.put(blob).ok());
  }
  SECTION("with the last answers lost over and over") {
    for (unsigned i = 0; i < 3; ++i) {
      world.gateway.fail_next({"POST /", FaultKind::drop_after});
      CHECK_FALSE(world.put(blob).ok());
    }
  }
  const auto stored = world.put(blob);
  REQUIRE(stored.ok());
  CHECK(world.gateway.paid_transactions() == 1);
  CHECK(world.spent() == stored->cost_winston);
  CHECK(*world.get(stored->id) == blob);
}

TEST_CASE("An upload goes on where it stopped", "[store]") {
  World world;
  world.config.gateways.rounds = 1;
  const Bytes blob = some_blob(1'400'000);
  world.gateway.fail_next({"POST /chunk", FaultKind::drop, 0, 1, 4});
  CHECK_FALSE(world.put(blob).ok());
  std::vector<std::uint64_t> told;
  const auto stored = world.store().put(
      blob, {.folder = world.folder, .progress = [&](const storage::Progress& progress) {
               told.push_back(progress.done_bytes);
             }});
  REQUIRE(stored.ok());
  CHECK(told.front() == 4 * kMaxChunkBytes);
  CHECK(world.gateway.requests("POST /chunk") == 7);  // six chunks, one of them twice
  CHECK(*world.get(stored->id) == blob);
}

TEST_CASE("Incompressible or equal chunks are all kept", "[store]") {
  World world;
  const Bytes zeros(4 * kMaxChunkBytes, 0);
  const auto stored = world.put(zeros);
  REQUIRE(stored.ok());
  CHECK(*world.get(stored->id) == zeros);
}

TEST_CASE("What a gateway lost is sent again", "[store]") {
  World world;
  const Bytes blob = some_blob(700'000);
  SECTION("of one chunk") {
    const Bytes small = some_blob(100);
    const auto stored = world.put(small);
    world.gateway.mine(60);
    world.gateway.forget_data(stored->id.id);
    CHECK(error_of(world.get(stored->id)).fault == StoreFault::not_found);
    CHECK(world.put(small)->id == stored->id);
    CHECK(*world.get(stored->id) == small);
  }
  const auto stored = world.put(blob);
  REQUIRE(stored.ok());
  world.gateway.mine(60);
  SECTION("the data") {
    world.gateway.forget_data(stored->id.id);
  }
  SECTION("everything") {
    world.gateway.forget(stored->id.id);
    CHECK(world.store().status(stored->id)->presence == Presence::absent);
  }
  const auto paid = world.gateway.paid_transactions();
  const auto again = world.put(blob);
  REQUIRE(again.ok());
  CHECK(again->id == stored->id);
  CHECK(*world.get(stored->id) == blob);
  CHECK(world.gateway.paid_transactions() == paid);
}

TEST_CASE("A price above the maximum, or one that jumps, is refused with both numbers", "[store]") {
  World world;
  const Bytes blob = some_blob(100'000);
  SECTION("too high from the start") {
    world.config.max_price_winston = 1'049;
    const auto stored = world.put(blob);
    REQUIRE(error_of(stored).fault == StoreFault::refused);
    CHECK_THAT(error_of(stored).message, Catch::Contains("1050 winston"));
    CHECK_THAT(error_of(stored).message, Catch::Contains("1049 winston"));
    world.config.max_price_winston = 1'050;
  }
  SECTION("between quote and post") {
    CHECK(*world.store().quote(blob.size()) == 1'050);
    world.gateway.jump_price(1, 7);
    const auto stored = world.put(blob);
    REQUIRE(error_of(stored).fault == StoreFault::refused);
    CHECK_THAT(error_of(stored).message, Catch::Contains("1050 winston to 7350 winston"));
    CHECK(fs::is_empty(world.folder));
  }
  SECTION("the wallet has less") {
    const auto key = RsaKey::generate();
    world.config.wallet = key;
    world.gateway.mint(address_of(key.modulus()), 1'049);
    const auto stored = world.put(blob);
    REQUIRE(error_of(stored).fault == StoreFault::refused);
    CHECK_THAT(error_of(stored).message, Catch::Contains("1049 winston"));
    world.gateway.mint(address_of(key.modulus()), 1);
  }
  CHECK(world.gateway.paid_transactions() == 0);
  CHECK(world.gateway.requests("POST /tx") == 0);
  CHECK(world.put(blob).ok());
  CHECK(world.gateway.paid_transactions() == 1);
}

TEST_CASE("A damaged upload journal stops before it could pay twice", "[store]") {
  World world;
  const Bytes blob = some_blob(700'000);
  const auto stored = world.put(blob);
  REQUIRE(stored.ok());
  fs::path journal;
  for (const auto& entry : fs::directory_iterator(world.folder)) {
    if (entry.path().extension() == ".json") journal = entry.path();
  }
  REQUIRE_FALSE(journal.empty());
  SECTION("cut") {
    fs::resize_file(journal, fs::file_size(journal) / 2);
  }
  SECTION("its transaction changed") {
    std::ifstream in(journal);
    auto json = nlohmann::json::parse(in);
    json["transaction"]["reward"] = "1";
    std::ofstream(journal) << json.dump();
  }
  SECTION("its data changed") {
    fs::path data = journal;
    std::fstream file(data.replace_extension(".data"),
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(5000);
    file.put(static_cast<char>(~blob[5000]));
  }
  SECTION("its data gone") {
    fs::path data = journal;
    fs::remove(data.replace_extension(".data"));
  }
  const auto again = world.put(blob);
  REQUIRE(error_of(again).fault == StoreFault::local);
  CHECK_THAT(error_of(again).message, Catch::Contains(journal.string()));
  CHECK(world.gateway.paid_transactions() == 1);
}

// Posts a transaction that anybody could have made, and gives its id.
ContentId post_bundle(const World& world, const std::vector<DataItem>& items) {
  const Client client(*storage::Gateways::open(world.config.gateways));
  const Bytes data = encode_bundle(items);
  Transaction tx = Transaction::for_data(data, bundle_tags());
  tx.reward_winston = *client.price(data.size(), {});
  tx.last_tx = *client.anchor({});
  tx.data = data;
  tx.sign(wallet());
  REQUIRE(client.post(tx, {}).ok());
  return {StoreKind::arweave, tx.id()};
}

TEST_CASE("A bundle is read when it is one signed data item", "[store]") {
  World world;
  const DataItem good = sign_item(account(KeyScheme::ecdsa), {{}, some_blob(100)});
  CHECK(*world.get(post_bundle(world, {good})) == some_blob(100));
  DataItem bad = good;
  bad.content.data[5] ^= 1;
  CHECK(error_of(world.get(post_bundle(world, {bad}))).fault == StoreFault::mismatch);
  CHECK(error_of(world.get(post_bundle(world, {good, good}))).fault == StoreFault::unsupported);
  CHECK(error_of(world.get(post_bundle(world, {}))).fault == StoreFault::unsupported);
}

TEST_CASE("The strict gateway takes nothing on trust", "[store]") {
  World world;
  const Client client(*storage::Gateways::open(world.config.gateways));
  const std::stop_token stop;
  const Bytes blob = some_blob(700'000);
  Transaction tx = Transaction::for_data(blob, {});
  tx.reward_winston = *client.price(blob.size(), stop);
  tx.last_tx = *client.anchor(stop);
  tx.sign(wallet());
  const ChunkTree tree = build_chunk_tree(blob);
  const Chunk& chunk = tree.chunks[1];
  const ByteView bytes = ByteView(blob).subspan(chunk.begin, chunk.end - chunk.begin);

  CHECK_FALSE(client.post_chunk(tx, chunk, bytes, stop).ok());  // of no transaction yet
  Transaction bad = tx;
  bad.signature[7] ^= 1;
  CHECK_FALSE(client.post(bad, stop).ok());
  bad = tx;
  bad.reward_winston -= 1;
  bad.sign(wallet());
  CHECK_FALSE(client.post(bad, stop).ok());
  bad = tx;
  bad.last_tx = Bytes(32, 1);
  bad.sign(wallet());
  CHECK_FALSE(client.post(bad, stop).ok());
  CHECK(world.gateway.paid_transactions() == 0);

  REQUIRE(client.post(tx, stop).ok());
  REQUIRE(client.post(tx, stop).ok());
  CHECK(world.gateway.paid_transactions() == 1);
  Chunk changed = chunk;
  changed.path[3] ^= 1;
  CHECK_FALSE(client.post_chunk(tx, changed, bytes, stop).ok());
  CHECK_FALSE(client.post_chunk(tx, tree.chunks[0], bytes, stop).ok());
  Bytes other = to_bytes(bytes);
  other[0] ^= 1;
  CHECK_FALSE(client.post_chunk(tx, chunk, other, stop).ok());
  CHECK(client.post_chunk(tx, chunk, bytes, stop).ok());
}

}  // namespace
}  // namespace tally::arweave
