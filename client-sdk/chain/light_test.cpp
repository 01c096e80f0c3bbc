// A light client and nodes that lie: every field of every answer that it uses is changed in turn,
// every bit of every proof is flipped, and none of it is believed.
#include "client-sdk/chain/light.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "modules/channels/storage.hpp"
#include "modules/system/storage.hpp"
#include "modules/validators/storage.hpp"
#include "primitives/derivation.hpp"
#include "rpc/server.hpp"
#include "rpc/testing/fake_chain.hpp"
#include "rpc/testing/lying_node.hpp"

namespace tally::client {
namespace {

using testing::Call;
using testing::Change;
using testing::FakeChain;
using testing::kChanges;
using testing::LyingNode;

constexpr std::uint32_t kLength = 5;
constexpr std::uint32_t kBlocks = 23;
constexpr std::uint64_t kAgeMax = 60'000;

std::vector<std::size_t> members(Epoch epoch) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < 4 + epoch.value % 2; ++i) out.push_back(4 + (epoch.value + i) % 9);
  return out;
}

Bytes account_key() {
  return to_bytes(system::kAccount.key(dev_key(KeyScheme::ecdsa, "Alice").account()));
}
Bytes no_channel_key() {
  return to_bytes(channels::kChannels.key(ChannelId{}));
}

// A chain of which clients can prove things, behind a server.
struct Served {
  FakeChain chain{4, kLength};
  std::unique_ptr<rpc::Server> server;

  explicit Served(std::uint32_t blocks = kBlocks, std::uint8_t money = 7) {
    chain.members = members;
    rpc::ServerConfig config;
    config.listen = "127.0.0.1:0";
    server = *rpc::Server::start(config, chain);
    while (chain.heads().finalized.number.value < blocks) add(money);
  }
  void add(std::uint8_t money = 7) {
    const std::uint32_t number = chain.heads().finalized.number.value + 1;
    const Epoch epoch(number / kLength + 1);
    FakeChain::Changes changes;
    changes[to_bytes(validators::kEpoch.key())] =
        encode(validators::EpochInfo{epoch, BlockNumber(number), Hash{}});
    for (const Epoch one : {epoch, epoch.next()}) {
      changes[to_bytes(validators::kSets.key(one))] =
          encode(validators::EpochSet{chain.set_in(one), TimestampMs(0)});
    }
    system::AccountInfo info;
    info.data.free = Balance(money);
    changes[account_key()] = encode(info);
    chain.add_block(changes);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(server->port()); }
  Hash hash_of(std::uint32_t number) const { return chain.header(BlockNumber(number))->block.hash; }
  TrustRoot root() const {
    return {chain.genesis_hash(), chain.genesis_state_root(), kLength, chain.validators(),
            FakeChain::kGenesisTime};
  }
  TimestampMs time_of(std::uint32_t number) const {
    return consensus_digest(chain.header(BlockNumber(number))->header)->time;
  }
  LightClient light(std::vector<std::string> nodes, std::optional<TrustedBlock> from = {}) const {
    LightConfig config;
    config.nodes = std::move(nodes);
    config.from = from;
    config.max_age = DurationMs(kAgeMax);
    const TimestampMs now = time_of(chain.heads().finalized.number.value);
    config.client.now = [now] { return now; };
    return LightClient(std::move(config), root());
  }
};

struct Seen {
  BlockNumber number;
  Hash hash;
  std::vector<std::optional<Bytes>> values;
  friend bool operator==(const Seen&, const Seen&) = default;
};

ClientResult<Seen> follow(LightClient light) {
  const FinalHead head = TALLY_TRY(light.advance());
  const auto values = TALLY_TRY(light.read({account_key(), no_channel_key()}));
  return Seen{head.number, head.hash, values};
}

// What a client shows to people, or does not use at all: a lie there changes nothing that counts.
const std::set<std::string> kNotUsed{
    "chain",     "spec_name",    "spec_version", "transaction_version",
    "block",     "block.number", "parent_hash",  "extrinsics_root",
    "epoch",     "view",         "time_ms",      "block.hash",
    "state_root"};

}  // namespace

// Shown to fail when any one of these is left out: the comparison of the genesis hash, of the
// block's and the key's names in an answer, Trust::learn's and Trust::verify's checks, and
// verify_state_value.
TEST_CASE("light: each field of each answer changed in turn is refused") {
  Served s;
  LyingNode node(s.address());
  std::optional<TrustedBlock> from;
  std::vector<Call> calls{Call::info, Call::finality_proof, Call::read};
  SECTION("from genesis") {}
  SECTION("from a trusted block") {
    from = TrustedBlock{BlockNumber(12), s.hash_of(12)};
    calls.push_back(Call::header);
  }
  const auto truth = follow(s.light({node.address()}, from));
  REQUIRE(truth.ok());
  REQUIRE(truth->number == BlockNumber(kBlocks));
  REQUIRE(truth->values[0].has_value());
  REQUIRE_FALSE(truth->values[1].has_value());
  std::size_t refused = 0;
  std::set<std::string> fields;
  // Whether there was such a field to change.
  const auto try_field = [&](Call call, int answer, int field) {
    bool there = false;
    for (const Change change : kChanges) {
      node.tell({call, answer, field, change});
      const auto seen = follow(s.light({node.address()}, from));
      const std::string name = node.changed();
      if (name.empty()) continue;
      there = true;
      fields.insert(name);
      CAPTURE(static_cast<int>(call), answer, name, static_cast<int>(change));
      if (seen.ok()) {
        CHECK(*seen == *truth);
        CHECK((call == Call::info || call == Call::header));
        CHECK(kNotUsed.contains(name));
        continue;
      }
      ++refused;
      CHECK(seen.error().check.has_value());
      CHECK((seen.error().kind == ClientErrorKind::not_proved ||
             seen.error().kind == ClientErrorKind::wrong_chain));
    }
    return there;
  };
  for (const Call call : calls) {
    for (int answer = 0;; ++answer) {
      int field = 0;
      while (try_field(call, answer, field)) ++field;
      if (field == 0) break;
    }
  }
  CHECK(refused > 100);
  for (const char* name : {"genesis_hash", "scale", "values", "values.key", "values.value",
                           "values.proof", "state_root", "block.hash"}) {
    CAPTURE(name);
    CHECK(fields.contains(name));
  }
  node.be_honest();
  CHECK(follow(s.light({node.address()}, from)).ok());
}

namespace {

// Every bit flipped, and every prefix.
template <class Refused>
void spoil(const Bytes& whole, const Refused& refused) {
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    Bytes spoilt = whole;
    spoilt[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    CAPTURE(bit);
    REQUIRE(refused(spoilt));
  }
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    REQUIRE(refused(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))));
  }
}

}  // namespace

TEST_CASE("light: no bit of an epoch's proof can be changed, and none left out") {
  const Served s(11);
  const Trust trust(s.root());
  spoil(encode(*s.chain.finality_proof(BlockNumber(5))), [&](const Bytes& bytes) {
    const auto proof = decode<FinalityProof>(bytes);
    Trust learning = trust;
    return !proof.ok() || !learning.learn(*proof).ok();
  });
  spoil(encode(*s.chain.finality_proof(BlockNumber(7))), [&](const Bytes& bytes) {
    const auto proof = decode<FinalityProof>(bytes);
    return !proof.ok() || !trust.verify(*proof).ok();
  });
}

TEST_CASE("light: no bit of a value's proof can be changed, and none left out") {
  const Served s(6);
  for (const Bytes& key : {account_key(), no_channel_key()}) {
    const auto read = s.chain.read_state({{key}, ports::LatestFinal{}, true});
    const auto& value = read->values[0];
    spoil(encode(*value.proof), [&](const Bytes& bytes) {
      const auto proof = decode<StateProof>(bytes);
      return !proof.ok() || !verify_state_value(read->state_root, key, value.value, *proof).ok();
    });
    // Nor is another value, or its absence, proved.
    std::optional<Bytes> other = value.value ? std::nullopt : std::optional<Bytes>(Bytes{1});
    CHECK_FALSE(verify_state_value(read->state_root, key, other, *value.proof).ok());
  }
}

TEST_CASE("light: an epoch, a head and two values cost a few kilobytes") {
  const Served s;
  LightConfig config;
  config.nodes = {s.address()};
  std::vector<EpochLearnt> epochs;
  config.client.on_epoch = [&](const EpochLearnt& epoch) { epochs.push_back(epoch); };
  LightClient light(std::move(config), s.root());
  REQUIRE(light.advance().ok());
  const Traffic first = light.traffic();
  REQUIRE(epochs.size() == 3);  // of the epochs 1 to 3, which name the sets of 3 to 5
  std::uint64_t for_epochs = 0;
  for (const EpochLearnt& epoch : epochs) {
    CHECK(epoch.received < 1'500);
    CHECK(epoch.set_changed);
    CHECK(epoch.end == BlockNumber(static_cast<std::uint32_t>(epoch.epoch.value * kLength)));
    for_epochs += epoch.received;
  }
  CHECK(first.received - for_epochs < 1'000);  // the chain's name, and the newest head
  CHECK(first.signatures >= 4 * 3);
  REQUIRE(light.read({account_key(), no_channel_key()}).ok());
  const Traffic read = light.traffic();
  CHECK(read.received - first.received < 1'000);
  REQUIRE(light.advance().ok());
  CHECK(light.traffic().received - read.received < 1'000);
  CHECK(light.traffic().answers - read.answers == 1);
}

// Shown to fail without check_fresh() in newest().
TEST_CASE("light: a head that is too old is refused, by the clock and by what was seen before") {
  Served s;
  const std::uint64_t newest = s.time_of(kBlocks).value;
  std::uint64_t now = newest + kAgeMax;
  LightConfig config;
  config.nodes = {s.address()};
  config.max_age = DurationMs(kAgeMax);
  config.client.now = [&now] { return TimestampMs(now); };
  LightClient light(config, s.root());
  REQUIRE(light.advance().ok());
  now += 1;
  const auto old = light.advance();
  REQUIRE_FALSE(old.ok());
  CHECK(old.error().check == Check::freshness);
  CHECK(old.error().kind == ClientErrorKind::not_proved);
  CHECK(old.error().message.find("clock") != std::string::npos);
  CHECK_FALSE(light.nodes()[0].set_aside);  // it may catch up
  s.add();
  CHECK(light.advance().ok());

  // A clock that is wrong is no help to a node that hides what this client has seen.
  now = 0;
  Served behind(3);
  config.nodes = {behind.address()};
  config.max_age = DurationMs(1'000);  // ten blocks
  config.saved_trust = light.saved_trust();
  LightClient later(config, s.root());
  const auto hidden = later.advance();
  REQUIRE_FALSE(hidden.ok());
  CHECK(hidden.error().check == Check::freshness);
}

TEST_CASE("light: one honest node among liars and silent ones is enough") {
  Served s;
  LyingNode liar(s.address());
  liar.tell({Call::finality_proof, 0, 3, Change::flip_middle});
  LightClient light = s.light({"127.0.0.1:1", liar.address(), s.address()});
  const auto head = light.advance();
  REQUIRE(head.ok());
  CHECK(head->hash == s.hash_of(kBlocks));
  CHECK(light.nodes()[0].error->kind == ClientErrorKind::unreachable);
  CHECK_FALSE(light.nodes()[0].set_aside);
  CHECK(liar.changed() == "scale");
  CHECK(light.nodes()[1].error->kind == ClientErrorKind::not_proved);
  CHECK(light.nodes()[1].set_aside);
  REQUIRE(light.read({account_key()}).ok());
  // None but liars: what the first of them lied about is the error.
  liar.tell({Call::finality_proof, 0, 3, Change::flip_middle});
  const auto none = s.light({"127.0.0.1:1", liar.address()}).advance();
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().kind == ClientErrorKind::not_proved);
}

TEST_CASE("light: a value that one node lies about comes from the next") {
  Served s;
  LyingNode liar(s.address());
  LightClient light = s.light({liar.address(), s.address()});
  REQUIRE(light.advance().ok());
  liar.tell({Call::read, 0, 6, Change::flip_first});
  const auto values = light.read({account_key()});
  REQUIRE(values.ok());
  CHECK(liar.changed() == "values.value");
  CHECK(light.nodes()[0].set_aside);
  CHECK(light.nodes()[0].error->check == Check::state_proof);
}

// Shown to fail without printable() in connection.cpp: the terminal would be written to, and JSON
// would not take the words.
TEST_CASE("light: what a node says of its failure can be shown to people") {
  Served s;
  LyingNode node(s.address());
  node.refuse("\x1b[2Jall is \xff\xfe well\n");
  const auto refused = s.light({node.address()}).advance();
  REQUIRE_FALSE(refused.ok());
  const std::string& message = refused.error().message;
  CHECK(message.find("all is ?? well?") != std::string::npos);
  CHECK(std::none_of(message.begin(), message.end(), [](unsigned char c) { return c < 0x20; }));
}

// Shown to fail without one_history().
TEST_CASE("light: two final blocks of one height are an alarm, not a choice") {
  Served s;
  const Served forked(kBlocks, 8);  // of the same genesis and validators
  REQUIRE(forked.hash_of(1) != s.hash_of(1));
  for (const bool longer : {false, true}) {
    if (longer) s.add();
    const auto head = s.light({s.address(), forked.address()}).advance();
    REQUIRE_FALSE(head.ok());
    CHECK(head.error().code == "two_histories");
    CHECK(head.error().check == Check::history);
  }
}

// It cannot say whether an old head is of its chain. Shown to fail where it is given up for that.
TEST_CASE("light: a node that keeps few blocks is not given up for one that is behind") {
  struct Long {
    FakeChain chain{4, 200};
    std::unique_ptr<rpc::Server> server;
    explicit Long(std::uint32_t blocks) {
      rpc::ServerConfig config;
      config.listen = "127.0.0.1:0";
      server = *rpc::Server::start(config, chain);
      while (chain.heads().finalized.number.value < blocks) chain.add_block();
    }
    std::string address() const { return "127.0.0.1:" + std::to_string(server->port()); }
  };
  Long s(100);
  const Long behind(20);
  const Long near(90);
  s.chain.keeps_from = BlockNumber(95);
  LightConfig config;
  config.nodes = {behind.address(), s.address()};
  const TrustRoot root{s.chain.genesis_hash(), s.chain.genesis_state_root(), 200,
                       s.chain.validators()};
  LightClient light(config, root);
  const auto head = light.advance();
  REQUIRE(head.ok());
  CHECK(head->number == BlockNumber(100));
  CHECK(light.nodes()[0].error->check == Check::freshness);
  // Who says so of a block just below its head hides it.
  config.nodes = {near.address(), s.address()};
  const auto hidden = LightClient(config, root).advance();
  REQUIRE(hidden.ok());
  CHECK(hidden->number == BlockNumber(90));
}

// Shown to fail where the newest head of a round replaces the newest ever.
TEST_CASE("light: a head that was proved is not taken back by nodes that are behind") {
  Served s;
  Served behind(3);
  REQUIRE(behind.hash_of(3) == s.hash_of(3));
  LightClient light = s.light({s.address(), behind.address()});
  REQUIRE(light.advance().ok());
  s.server.reset();
  const auto head = light.advance();
  REQUIRE(head.ok());
  CHECK(head->number == BlockNumber(kBlocks));
  CHECK(light.nodes()[1].head->number == BlockNumber(3));
}

// Shown to fail with each of the conditions of Trust::restore() left out.
TEST_CASE("light: a file of trust that cannot be is not taken") {
  const Served s;
  struct Saved {
    Hash genesis_hash;
    Hash start;
    TimestampMs newest;
    Epoch known_up_to;
    std::vector<SetSince> sets;
  };
  const auto restored = [&](const Saved& saved) {
    Trust trust(s.root());
    Bytes bytes;
    append(bytes, encode(saved.genesis_hash));
    append(bytes, encode(saved.start));
    append(bytes, encode(saved.newest));
    append(bytes, encode(saved.known_up_to));
    append(bytes, encode(saved.sets));
    return trust.restore(bytes);
  };
  const ValidatorSet set = s.chain.validators();
  const Hash genesis = s.chain.genesis_hash();
  const Saved good{genesis, genesis, TimestampMs(7), Epoch(5), {{Epoch(1), set}, {Epoch(4), set}}};
  CHECK(restored(good));
  Saved bad = good;
  bad.genesis_hash.bytes[0] ^= 1;
  CHECK_FALSE(restored(bad));
  bad = good;
  bad.known_up_to = Epoch(1);  // genesis knows two
  bad.sets.pop_back();
  CHECK_FALSE(restored(bad));
  bad = good;
  bad.known_up_to = Epoch(3);
  CHECK_FALSE(restored(bad));
  bad = good;
  bad.sets[1].epoch = Epoch(1);
  CHECK_FALSE(restored(bad));
  bad = good;
  bad.sets[0].epoch = Epoch(0);
  CHECK_FALSE(restored(bad));
  bad = good;
  bad.sets[1].set = ValidatorSet{};
  CHECK_FALSE(restored(bad));
  bad = good;
  bad.sets.clear();
  CHECK_FALSE(restored(bad));
}

}  // namespace tally::client
