// A light client and sets of validators that change: it follows them from genesis, or from a block
// that its user trusts, and believes no node that shows it others.
#include <catch2/catch.hpp>

#include "client-sdk/chain/client.hpp"
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

  explicit Setup(std::uint32_t blocks = 43) {
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
    return out;
  }
  std::unique_ptr<ChainClient> connect() {
    auto client = ChainClient::connect(
        {"127.0.0.1:" + std::to_string(server->port()), 10'000, 20'000},
        {chain.genesis_hash(), chain.genesis_state_root(), kLength, chain.validators()});
    REQUIRE(client.ok());
    return std::move(*client);
  }
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
      REQUIRE(proof.descendants.push_back(filler));
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
    REQUIRE(proof.descendants.push_back(filler));
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

}  // namespace tally::client
