// A light client and sets of validators that change: it follows them from genesis, or from a block
// that its user trusts, and believes no node that shows it others.
#include <catch2/catch.hpp>

#include "client-sdk/chain/light.hpp"
#include "client-sdk/chain/trust_file.hpp"
#include "modules/validators/storage.hpp"
#include "primitives/crypto/hash.hpp"
#include "rpc/server.hpp"
#include "rpc/testing/fake_chain.hpp"

namespace tally::client {
namespace {

using testing::FakeChain;

constexpr std::uint32_t kLength = 5;

// From epoch 3 on nobody of the first four is left, and sizes differ.
std::vector<std::size_t> members(Epoch epoch) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < 3 + epoch.value % 4; ++i) out.push_back(4 + (epoch.value + i) % 9);
  return out;
}

struct Setup {
  FakeChain chain;
  std::unique_ptr<rpc::Server> server;

  explicit Setup(std::uint32_t blocks = 43, bool other = false) : other_state(other) {
    chain.members = members;
    rpc::ServerConfig config;
    config.listen = "127.0.0.1:0";
    server = *rpc::Server::start(config, chain);
    while (chain.heads().finalized.number.value < blocks) chain.add_block(sets_after_next());
  }
  // What the validators module keeps after the block that comes next.
  FakeChain::Changes sets_after_next() const {
    const std::uint32_t number = chain.heads().finalized.number.value + 1;
    const Epoch epoch(number / kLength + 1);
    FakeChain::Changes out;
    out[to_bytes(validators::kEpoch.key())] =
        encode(validators::EpochInfo{epoch, BlockNumber(number), Hash{}});
    for (const Epoch one : {epoch, epoch.next()}) {
      out[to_bytes(validators::kSets.key(one))] =
          encode(validators::EpochSet{chain.set_in(one), TimestampMs(0)});
    }
    if (other_state) out[Bytes(16, 1)] = Bytes{1};
    return out;
  }
  std::unique_ptr<ChainClient> connect() {
    auto client = ChainClient::connect(
        {"127.0.0.1:" + std::to_string(server->port()), 10'000, 20'000, [this] { return now; }},
        {chain.genesis_hash(), chain.genesis_state_root(), kLength, chain.validators(),
         genesis_time, trust_period});
    REQUIRE(client.ok());
    return std::move(*client);
  }
  TimestampMs time_of(std::uint32_t number) const {
    return consensus_digest(chain.header(BlockNumber(number))->header)->time;
  }

  bool other_state;  // than another chain of the same validators
  TimestampMs now{};
  TimestampMs genesis_time{};
  std::optional<DurationMs> trust_period;
  Hash hash_of(std::uint32_t number) const { return chain.header(BlockNumber(number))->block.hash; }
};

bool is_end(const Header& header) {
  return header.number.value.value % kLength == 0;
}

}  // namespace

TEST_CASE("sets: followed from genesis over many changes, and saved") {
  Setup s;
  const auto client = s.connect();
  const auto head = client->finalized();
  REQUIRE(head.ok());
  CHECK(head->number == BlockNumber(43));
  const auto again = s.connect();
  REQUIRE(again->restore_trust(client->save_trust()));
  // Nothing of the epochs before is asked for a second time.
  s.chain.lie_in_proof = [](FinalityProof& proof) {
    if (proof.header.number.value < BlockNumber(40)) proof.finalization.signatures = {};
  };
  CHECK(again->finalized().ok());
}

// Each section fails when its check is left out: the set of Trust::learn (the set of epochs 1 and 2
// in its place), block_hash in fetch_header and verify, not_epoch_end, is_filler_of.
TEST_CASE("sets: no lie about an epoch's end is believed") {
  Setup s;
  const auto client = s.connect();
  std::string refused = "bad_certificate";  // by which check
  SECTION("signed by those who have left") {
    s.chain.lie_in_proof = [&](FinalityProof& proof) {
      if (!is_end(proof.header) || proof.header.number.value < BlockNumber(15)) return;
      proof.finalization = s.chain.sign_as({0, 1, 2, 3}, proof.finalization.statement);
    };
  }
  SECTION("another set, in a block that those who have left sign") {
    s.chain.lie_in_proof = [&](FinalityProof& proof) {
      if (!is_end(proof.header) || proof.header.number.value < BlockNumber(15)) return;
      proof.header.digest.back() = make_set_item(s.chain.validators());
      Statement statement = proof.finalization.statement;
      statement.hash = block_hash(proof.header);
      proof.finalization = s.chain.sign_as({0, 1, 2, 3}, statement);
    };
  }
  SECTION("another set in the true block") {
    refused = "broken_chain";
    s.chain.lie_in_proof = [&](FinalityProof& proof) {
      if (is_end(proof.header)) proof.header.digest.back() = make_set_item(s.chain.validators());
    };
  }
  SECTION("a block of the epoch that is not its end") {
    refused = "not_epoch_end";
    s.chain.lie_in_proof = [&](FinalityProof& proof) {
      if (!is_end(proof.header)) return;
      const BlockNumber before(proof.header.number.value.value - 1);
      s.chain.lie_in_proof = nullptr;
      proof = *s.chain.finality_proof(before);
    };
  }
  SECTION("a filler of another block") {
    refused = "not_a_filler";
    s.chain.lie_in_proof = [&](FinalityProof& proof) {
      if (proof.header.number.value != BlockNumber(15)) return;
      const ConsensusDigest above{Epoch(3), View(9), TimestampMs(1), VrfProof{}};
      Header filler = make_filler(proof.header, above);
      proof.header.digest.back() = make_set_item(s.chain.validators());
      const Statement statement{Epoch(3), VoteKind::finalize, View(9), block_hash(filler)};
      TALLY_ASSERT(proof.descendants.push_back(filler));
      proof.finalization = s.chain.sign_as(members(Epoch(3)), statement);
    };
  }
  const auto head = client->finalized();
  REQUIRE_FALSE(head.ok());
  CHECK(head.error().kind == ClientErrorKind::not_proved);
  CHECK(head.error().message.find(refused) != std::string::npos);
}

TEST_CASE("sets: an epoch's end that only a filler proves is learnt") {
  Setup s;
  s.chain.lie_in_proof = [&](FinalityProof& proof) {
    const auto digest = *consensus_digest(proof.header);
    if (!is_end(proof.header)) return;
    const ConsensusDigest above{digest.epoch, View(90), TimestampMs(1), VrfProof{}};
    const Header filler =
        make_filler(make_filler(proof.header, {digest.epoch, View(80), {}, {}}), above);
    TALLY_ASSERT(proof.descendants.push_back(filler));
    proof.finalization = s.chain.sign_as(
        digest.epoch > Epoch(2) ? members(digest.epoch) : std::vector<std::size_t>{0, 1, 2, 3},
        {digest.epoch, VoteKind::finalize, View(90), block_hash(filler)});
  };
  CHECK(s.connect()->finalized().ok());
}

TEST_CASE("sets: a client begins at a block that its user trusts") {
  Setup s;
  for (const std::uint32_t number : {22u, 25u}) {  // within an epoch, and its last block
    const auto client = s.connect();
    // The proofs of the epochs before are of no use.
    s.chain.lie_in_proof = [](FinalityProof& proof) {
      if (proof.header.number.value <= BlockNumber(20)) proof.finalization.signatures = {};
    };
    CHECK_FALSE(client->finalized().ok());
    const auto trusted = client->trust_block(s.hash_of(number));
    REQUIRE(trusted.ok());
    CHECK(trusted->number == BlockNumber(number));
    REQUIRE(client->finalized().ok());
    CHECK(client->finalized()->number == BlockNumber(43));
    CHECK(client->finalized_at(BlockNumber(28)).ok());
    CHECK_FALSE(client->finalized_at(BlockNumber(3)).ok());
    const auto again = s.connect();
    REQUIRE(again->restore_trust(client->save_trust()));
    CHECK(again->finalized().ok());
    s.chain.lie_in_proof = nullptr;
  }
}

// Shown to fail without verify_state_value() in read_at and without the hash check in fetch_header.
TEST_CASE("sets: nor is a lie about the trusted block believed") {
  Setup s;
  const auto client = s.connect();
  SECTION("other validators than its state's") {
    s.chain.lie_in_state = [&](ports::StateRead& answer) {
      for (auto& value : answer.values) {
        if (value.key == to_bytes(validators::kEpoch.key())) continue;
        value.value = encode(validators::EpochSet{s.chain.validators(), TimestampMs(0)});
      }
    };
  }
  SECTION("another header") {
    s.chain.lie_in_header = [](Header& header) { header.state_root.bytes[0] ^= 1; };
  }
  const auto trusted = client->trust_block(s.hash_of(22));
  REQUIRE_FALSE(trusted.ok());
  CHECK(trusted.error().kind == ClientErrorKind::not_proved);
}

TEST_CASE("sets: what is known is believed for the trust period, and no longer") {
  constexpr std::uint64_t kPeriod = 5'000'000;
  Setup s;
  s.trust_period = DurationMs(kPeriod);
  const std::uint64_t newest = s.time_of(43).value;
  s.genesis_time = TimestampMs(newest - kPeriod);
  s.now = TimestampMs(newest + 1);
  const auto refused = [](const auto& result) {
    return !result.ok() && result.error().code == "trust_expired" &&
           result.error().message.find("--trust-block") != std::string::npos;
  };
  // Genesis is too old by a millisecond; then it is not.
  CHECK(refused(s.connect()->finalized()));
  s.now = TimestampMs(newest);
  const auto client = s.connect();
  REQUIRE(client->finalized().ok());
  const Bytes saved = client->save_trust();
  // From there on the newest block counts, in this run and in the next one.
  s.now = TimestampMs(newest + kPeriod);
  CHECK(client->finalized_at(BlockNumber(40)).ok());
  const auto again = s.connect();
  REQUIRE(again->restore_trust(saved));
  CHECK(again->finalized().ok());
  s.now = TimestampMs(newest + kPeriod + 1);
  CHECK(refused(client->finalized_at(BlockNumber(39))));
  const auto late = s.connect();
  REQUIRE(late->restore_trust(saved));
  CHECK(refused(late->finalized()));
  // A block that is as old is no remedy; the next one is.
  CHECK(refused(late->trust_block(s.hash_of(43))));
  s.chain.add_block(s.sets_after_next());
  s.now = TimestampMs(s.time_of(44).value + kPeriod);
  CHECK(late->trust_block(s.hash_of(44)).ok());
  CHECK(late->trust_start() == s.hash_of(44));
  CHECK(late->finalized().ok());
}

// Shown to fail without the check of the height in Trust::verify.
TEST_CASE("sets: who served once signs no block beyond the epochs in which it did") {
  Setup s;
  const Trust trust(
      {s.chain.genesis_hash(), s.chain.genesis_state_root(), kLength, s.chain.validators()});
  for (const std::uint32_t number : {0u, 5u, 6u, 10u, 11u, 1'000u}) {
    const bool end = number % kLength == 0 && number != 0;
    FinalityProof proof = *s.chain.finality_proof(BlockNumber(end ? 10 : 6));
    proof.header.number = {BlockNumber(number)};
    proof.header.digest.front() =
        make_consensus_digest({Epoch(2), View(90), TimestampMs(1), VrfProof{}});
    const Statement made{Epoch(2), VoteKind::finalize, View(90), block_hash(proof.header)};
    proof.finalization = s.chain.sign_as({0, 1, 2, 3}, made);
    CAPTURE(number);
    CHECK(trust.verify(proof).ok() == (number > kLength && number <= 2 * kLength));
  }
}

namespace {

LightClient light_of(Setup& s, const std::vector<std::uint16_t>& ports, Bytes saved) {
  LightConfig config;
  for (const std::uint16_t port : ports)
    config.nodes.push_back("127.0.0.1:" + std::to_string(port));
  config.saved_trust = std::move(saved);
  config.client.now = [&s] { return s.now; };
  return LightClient(std::move(config), {s.chain.genesis_hash(), s.chain.genesis_state_root(),
                                         kLength, s.chain.validators()});
}

}  // namespace

// Shown to fail without each comparison with reached(): of finalized(), counts()
// and seen().
TEST_CASE("sets: who is gone for long makes no newest block") {
  Setup s;
  s.now = s.time_of(43);
  const auto before = s.connect();
  REQUIRE(before->finalized().ok());
  CHECK(before->reached() == BlockNumber(35));
  const Bytes saved = before->save_trust();

  // What the validators of epoch 3 have signed beside what is final, or sign today.
  Setup liar(12, true);
  const auto client = liar.connect();
  REQUIRE(client->restore_trust(saved));
  CHECK(client->finalized_at(BlockNumber(12)).ok());  // of an old epoch, on their word
  const auto head = client->finalized();
  REQUIRE_FALSE(head.ok());
  CHECK(head.error().check == Check::freshness);
  CHECK(client->save_trust() == saved);

  auto light = light_of(s, {liar.server->port()}, saved);
  const auto alone = light.advance();
  REQUIRE_FALSE(alone.ok());
  CHECK(alone.error().check == Check::freshness);
  // Nor is it a reason for an alarm beside an honest one.
  auto both = light_of(s, {liar.server->port(), s.server->port()}, saved);
  const auto found = both.advance();
  REQUIRE(found.ok());
  CHECK(found->hash == s.hash_of(43));

  Trust trust(
      {s.chain.genesis_hash(), s.chain.genesis_state_root(), kLength, s.chain.validators()});
  REQUIRE(trust.restore(saved));
  Header old = s.chain.header(BlockNumber(34))->header;
  const TimestampMs today(s.now.value + 1'000'000);
  old.digest.front() = make_consensus_digest({Epoch(7), View(90), today, VrfProof{}});
  trust.seen(old, today);
  CHECK(trust.newest() == s.now);
  old.number = {BlockNumber(35)};
  trust.seen(old, today);
  CHECK(trust.newest() == today);
}

// Shown to fail where what cannot be judged counts as a lie.
TEST_CASE("sets: a node that is behind the trusted block is asked again when it has caught up") {
  Setup s;
  Setup behind(23);
  REQUIRE(behind.hash_of(23) == s.hash_of(23));
  // Its state names the validators of the epoch that begins after it.
  const TrustedBlock from{BlockNumber(25), s.hash_of(25)};
  LightConfig config;
  for (const Setup* one : {&s, &behind}) {
    config.nodes.push_back("127.0.0.1:" + std::to_string(one->server->port()));
  }
  config.from = from;
  config.saved_trust = [&] {
    const auto client = s.connect();
    REQUIRE(client->finalized().ok());
    return client->save_trust();
  }();
  LightClient light(config, {s.chain.genesis_hash(), s.chain.genesis_state_root(), kLength,
                             s.chain.validators()});
  REQUIRE(light.advance().ok());
  CHECK(light.nodes()[1].error->check == Check::freshness);
  CHECK_FALSE(light.nodes()[1].set_aside);
  // The block that was named is what it stands on, not what was saved.
  const auto client = s.connect();
  REQUIRE(client->restore_trust(light.saved_trust()));
  CHECK(client->trust_start() == s.hash_of(25));

  while (behind.chain.heads().finalized.number.value < 43) {
    behind.chain.add_block(behind.sets_after_next());
  }
  s.server.reset();
  const auto head = light.advance();
  REQUIRE(head.ok());
  CHECK(light.nodes()[1].head->hash == s.hash_of(43));
}

// Shown to fail where any head that was proved before will do.
TEST_CASE("sets: a head below what is proved to be reached is not the newest") {
  Setup ahead(12);
  Setup slow(12);
  auto light = light_of(ahead, {ahead.server->port(), slow.server->port()}, {});
  REQUIRE(light.advance().ok());
  // One proves the ends of later epochs, and no head; the other has come half as far.
  while (ahead.chain.heads().finalized.number.value < 43) {
    ahead.chain.add_block(ahead.sets_after_next());
  }
  while (slow.chain.heads().finalized.number.value < 24) {
    slow.chain.add_block(slow.sets_after_next());
  }
  ahead.chain.lie_in_proof = [](FinalityProof& proof) {
    if (proof.header.number.value == BlockNumber(43)) proof.finalization.signatures = {};
  };
  const auto head = light.advance();
  REQUIRE_FALSE(head.ok());
  CHECK(light.nodes()[1].error->check == Check::freshness);
}

// Shown to fail without has_set_item() in Trust::verify.
TEST_CASE("sets: a filler is no block of the chain") {
  Setup s;
  FinalityProof proof = *s.chain.finality_proof(BlockNumber(10));
  const ConsensusDigest above{Epoch(2), View(90), TimestampMs(1), VrfProof{}};
  proof.header = make_filler(proof.header, above);
  proof.finalization = s.chain.sign_as(
      {0, 1, 2, 3}, {Epoch(2), VoteKind::finalize, View(90), block_hash(proof.header)});
  const Trust trust(
      {s.chain.genesis_hash(), s.chain.genesis_state_root(), kLength, s.chain.validators()});
  REQUIRE(trust.verify(*s.chain.finality_proof(BlockNumber(10))).ok());
  REQUIRE_FALSE(trust.verify(proof).ok());
  CHECK(trust.verify(proof).error().message.find("bad_next_set") != std::string::npos);
}

// Shown to fail without forget_oldest() in learn(), and where a set that is needed is forgotten.
TEST_CASE("sets: of a long chain the oldest sets are forgotten") {
  Setup s(203);
  for (const std::size_t kept : {12u, 1u}) {
    Trust trust({s.chain.genesis_hash(),
                 s.chain.genesis_state_root(),
                 kLength,
                 s.chain.validators(),
                 {},
                 {},
                 kept});
    std::size_t largest = 0;
    while (const auto number = trust.wanted_for(Epoch(41))) {
      REQUIRE(trust.learn(*s.chain.finality_proof(*number)).ok());
      largest = std::max(largest, trust.save().size());
    }
    CHECK(largest < 2'000);  // of at most 12 members and one set more
    CHECK(trust.verify(*s.chain.finality_proof(BlockNumber(203))).ok());
    const auto old = trust.verify(*s.chain.finality_proof(BlockNumber(12)));
    REQUIRE_FALSE(old.ok());
    CHECK(old.error().message.find("known are those of epochs") != std::string::npos);
  }
}

TEST_CASE("sets: where trust begins is named as NUMBER:HASH and kept in a file") {
  const Setup s;
  const std::string hash = to_hex_prefixed(s.hash_of(22));
  CHECK_FALSE(parse_trusted_block(hash)->number.has_value());
  CHECK(parse_trusted_block("22:" + hash)->number == BlockNumber(22));
  for (const std::string& text : {hash.substr(2), hash + "0", ":" + hash, "4294967296:" + hash,
                                  std::string("22:"), "-1:" + hash, std::string()}) {
    CAPTURE(text);
    CHECK_FALSE(parse_trusted_block(text).ok());
  }
}

TEST_CASE("sets: a file of trust goes on where it began, unless another block is named") {
  Setup s;
  const auto folder = std::filesystem::temp_directory_path() /
                      ("tally-trust-" + to_hex(ByteView(s.chain.genesis_hash()).first(4)) + "-" +
                       std::to_string(s.server->port()));
  const auto file = folder / "trust" / "chain.bin";
  const auto begin = [&](std::optional<TrustedBlock> block) {
    auto client = s.connect();
    const auto begun = begin_trust(*client, {file, block});
    if (!begun.ok()) return std::pair(std::move(client), begun.error().message);
    REQUIRE(client->finalized().ok());
    REQUIRE(keep_trust(*client, file).ok());
    return std::pair(std::move(client), std::string());
  };
  CHECK(begin(std::nullopt).first->trust_start() == s.chain.genesis_hash());
  CHECK(begin(TrustedBlock{BlockNumber(22), s.hash_of(22)}).first->trust_start() == s.hash_of(22));
  CHECK(begin(std::nullopt).first->trust_start() == s.hash_of(22));
  // The same one again needs nothing of its state, which no node may keep by now.
  s.chain.state_error = ports::QueryError{ports::QueryErrorCode::pruned, "gone"};
  CHECK(begin(TrustedBlock{std::nullopt, s.hash_of(22)}).second.empty());
  CHECK(begin(TrustedBlock{std::nullopt, s.hash_of(23)}).second.find("newer") != std::string::npos);
  s.chain.state_error.reset();
  const auto wrong = begin(TrustedBlock{BlockNumber(24), s.hash_of(23)});
  CHECK(wrong.second.find("has the number 23, not 24") != std::string::npos);
  // What is there and cannot be read is not as if there were nothing.
  std::filesystem::permissions(file, std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  CHECK(begin(std::nullopt).second.find("cannot be read") != std::string::npos);
  std::filesystem::remove_all(folder);
}

}  // namespace tally::client
