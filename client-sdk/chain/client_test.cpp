#include "client-sdk/chain/client.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "client-sdk/chain/events.hpp"
#include "modules/system/storage.hpp"
#include "primitives/derivation.hpp"
#include "rpc/server.hpp"
#include "rpc/testing/fake_chain.hpp"

namespace tally::client {
namespace {

using testing::FakeChain;

KeyPair alice() {
  return dev_key(KeyScheme::ecdsa, "Alice");
}

Bytes account_key(const AccountId& account) {
  return to_bytes(system::kAccount.key(account));
}

Bytes stored_account(std::uint32_t nonce, Balance free) {
  system::AccountInfo info;
  info.nonce = Nonce(nonce);
  info.providers = 1;
  info.data.free = free;
  return encode(info);
}

Bytes events_of(const std::vector<runtime::RuntimeEvent>& events) {
  std::vector<runtime::EventRecord> records;
  for (const auto& event : events) records.push_back({PhaseApply{0}, event, {}});
  return encode(records);
}

runtime::RuntimeEvent success() {
  return runtime::SystemEvent{system::Event(system::ExtrinsicSuccess{})};
}

runtime::RuntimeEvent failure(DispatchError error) {
  return runtime::SystemEvent{system::Event(system::ExtrinsicFailed{error, {}})};
}

// A fake chain behind a real server on a loopback socket, and a client of it.
struct Setup {
  FakeChain chain;
  std::unique_ptr<rpc::Server> server;
  std::unique_ptr<ChainClient> client;

  explicit Setup(std::uint32_t blocks = 3) {
    rpc::ServerConfig config;
    config.listen = "127.0.0.1:0";
    server = *rpc::Server::start(config, chain);
    chain.add_block({{account_key(alice().account()), stored_account(4, kCredit)}});
    while (chain.heads().finalized.number.value < blocks) chain.add_block();
    auto connected = ChainClient::connect(config_of(*server), root());
    REQUIRE(connected.ok());
    client = std::move(*connected);
  }
  static ClientConfig config_of(const rpc::Server& server) {
    return {"127.0.0.1:" + std::to_string(server.port()), 10'000, 20'000};
  }
  TrustRoot root() const {
    return {chain.genesis_hash(), chain.genesis_state_root(), chain.epoch_blocks(),
            chain.validators()};
  }
  // Puts every submitted extrinsic into a block with these events, and says so.
  void include_with(std::vector<runtime::RuntimeEvent> events) {
    chain.on_submit = [this, events](const Bytes& extrinsic) {
      const ports::BlockRef block =
          chain.add_block({{to_bytes(runtime::kEvents.key()), events_of(events)}}, {extrinsic});
      const Hash hash = extrinsic_hash(extrinsic);
      chain.tell(hash, ports::TxReady{});
      chain.tell(hash, ports::TxInBlock{{block, false, 0}});
      chain.tell(hash, ports::TxFinalized{{block, true, 0}});
    };
  }
};

TEST_CASE("an account is read from proved state") {
  Setup s;
  const auto info = s.client->account(alice().account());
  REQUIRE(info.ok());
  CHECK(info->nonce == Nonce(4));
  CHECK(info->data.free == kCredit);
  const auto nobody = s.client->account(dev_key(KeyScheme::ecdsa, "Nobody").account());
  REQUIRE(nobody.ok());
  CHECK(!nobody->alive());
}

TEST_CASE("the chain of trust is followed over epochs, and saved") {
  Setup s(23);  // epochs of five blocks
  const auto head = s.client->finalized();
  REQUIRE(head.ok());
  CHECK(head->number == BlockNumber(23));
  CHECK(epoch_of(head->header) == Epoch(5));

  Trust saved(s.root());
  REQUIRE(saved.restore(s.client->save_trust()));
  CHECK(!saved.wanted_for(Epoch(5)));
  CHECK(saved.wanted_for(Epoch(6)) == BlockNumber(20));
  TrustRoot other = s.root();
  other.genesis_hash = blake2_256(as_bytes("another chain"));
  CHECK(!Trust(other).restore(s.client->save_trust()));
}

TEST_CASE("genesis is final by definition") {
  FakeChain chain;
  rpc::ServerConfig config;
  config.listen = "127.0.0.1:0";
  const auto server = *rpc::Server::start(config, chain);
  const auto client = ChainClient::connect(
      Setup::config_of(*server),
      {chain.genesis_hash(), chain.genesis_state_root(), 5, chain.validators()});
  REQUIRE(client.ok());
  const auto head = (*client)->finalized();
  REQUIRE(head.ok());
  CHECK(head->hash == chain.genesis_hash());
  CHECK((*client)->account(alice().account()).ok());
}

TEST_CASE("another chain is refused with both hashes") {
  Setup s;
  TrustRoot other = s.root();
  other.genesis_hash = blake2_256(as_bytes("another chain"));
  const auto client = ChainClient::connect(Setup::config_of(*s.server), other);
  REQUIRE(!client.ok());
  CHECK(client.error().kind == ClientErrorKind::wrong_chain);
  CHECK(client.error().message.find(to_hex(other.genesis_hash)) != std::string::npos);
  CHECK(client.error().message.find(to_hex(s.chain.genesis_hash())) != std::string::npos);
}

TEST_CASE("nobody at the endpoint is an error that names it") {
  const auto client = ChainClient::connect({"127.0.0.1:1", 2'000, 2'000}, TrustRoot{});
  REQUIRE(!client.ok());
  CHECK(client.error().kind == ClientErrorKind::unreachable);
  CHECK(client.error().message.find("127.0.0.1:1") != std::string::npos);
}

// Each section fails when its check is left out: verify_state_value in read_at for the values, the
// hash comparison in fetch_header, Trust::verify in prove, the hash comparison in prove_at.
TEST_CASE("no lie of the node is believed") {
  Setup s;
  ClientErrorKind expected = ClientErrorKind::not_proved;
  const auto read = [&] { return s.client->account(alice().account()); };
  SECTION("another value than the proved one") {
    s.chain.lie_in_state = [](ports::StateRead& answer) {
      answer.values[0].value = stored_account(4, Balance(7 * kCredit.micro));
    };
  }
  SECTION("a value that is there is denied") {
    s.chain.lie_in_state = [](ports::StateRead& answer) { answer.values[0].value.reset(); };
  }
  SECTION("a proof that is cut short") {
    s.chain.lie_in_state = [](ports::StateRead& answer) {
      answer.values[0].proof = StateProof{};
      answer.values[0].value.reset();
    };
  }
  SECTION("a header with another state root") {
    s.chain.lie_in_header = [](Header& header) { header.state_root.bytes[0] ^= 1; };
    expected = ClientErrorKind::not_found;  // nobody has a certificate for such a block
  }
  SECTION("a certificate below quorum") {
    s.chain.lie_in_proof = [&](FinalityProof& proof) {
      proof.finalization.signers[0] = 0b0011;
      auto kept = proof.finalization.signatures.items();
      kept.resize(2);
      proof.finalization.signatures =
          *BoundedVec<Ed25519Signature, kMaxValidators>::from(std::move(kept));
    };
  }
  SECTION("a signature that is not the validator's") {
    s.chain.lie_in_proof = [](FinalityProof& proof) {
      proof.finalization.signatures[1].bytes[5] ^= 1;
    };
  }
  SECTION("votes to notarize, shown as finality") {
    s.chain.lie_in_proof = [](FinalityProof& proof) {
      proof.finalization.statement.kind = VoteKind::notarize;
    };
  }
  SECTION("the proof of another block") {
    s.chain.lie_in_proof = [&](FinalityProof& proof) {
      s.chain.lie_in_proof = nullptr;
      proof = *s.chain.finality_proof(BlockNumber(1));
    };
  }
  const auto answer = read();
  REQUIRE(!answer.ok());
  CHECK(answer.error().kind == expected);
}

TEST_CASE("a finalized head never goes back") {
  Setup s;
  REQUIRE(s.client->finalized()->number == BlockNumber(3));
  const Header old = s.chain.header(BlockNumber(1))->header;
  s.chain.lie_in_header = [old](Header& header) { header = old; };
  const auto head = s.client->finalized();
  REQUIRE(head.ok());
  CHECK(head->number == BlockNumber(3));
}

TEST_CASE("a transaction is followed until it is proved final") {
  Setup s;
  s.include_with({success()});
  std::vector<std::size_t> progress;
  SubmitOptions options;
  options.on_progress = [&](const Hash&, const TxProgress& p) { progress.push_back(p.index()); };
  const auto outcome = s.client->submit(alice(), Bytes{1, 0}, options);
  REQUIRE(outcome.ok());
  CHECK(!outcome->failure);
  CHECK(outcome->at.number == BlockNumber(4));
  CHECK(progress == std::vector<std::size_t>{0, 1});
  CHECK(s.client->find_transaction(outcome->extrinsic_hash)->number == BlockNumber(4));

  const auto extrinsic = decode_extrinsic(s.chain.submitted().back());
  REQUIRE(extrinsic.ok());
  CHECK(extrinsic->signature->extra.nonce.value == Nonce(4));
  CHECK(extrinsic->signature->extra.era.period == 1'024);
  CHECK(extrinsic->signature->extra.era.birth(BlockNumber(4)) == BlockNumber(3));
}

// Shown to fail where any proved block will do.
TEST_CASE("a transaction is not believed to be in a block from before its signature") {
  Setup s;
  s.include_with({success()});
  const auto made = s.client->sign(alice(), Bytes{1, 0});
  REQUIRE(made.ok());
  CHECK(made->above == BlockNumber(3));
  SubmitOptions options;
  options.above = BlockNumber(4);
  const auto outcome = s.client->submit_signed(made->bytes, options);
  REQUIRE(!outcome.ok());
  CHECK(outcome.error().check == Check::extrinsics);
  CHECK(outcome.error().message.find("above block 4") != std::string::npos);

  // The same bytes in a block that is there when it is signed.
  options = {};
  options.mortality_blocks = 0;
  const Bytes same = s.client->sign(alice(), Bytes{1, 0}, options)->bytes;
  const ports::BlockRef block =
      s.chain.add_block({{to_bytes(runtime::kEvents.key()), events_of({success()})}}, {same});
  s.chain.on_submit = [&](const Bytes& extrinsic) {
    s.chain.tell(extrinsic_hash(extrinsic), ports::TxFinalized{{block, true, 0}});
  };
  CHECK(s.client->submit_signed(same).ok());
  const auto old = s.client->submit(alice(), Bytes{1, 0}, options);
  REQUIRE(!old.ok());
  CHECK(old.error().check == Check::extrinsics);
  CHECK(s.chain.submitted().back() == same);
}

TEST_CASE("a call that failed in its block is an outcome with its error") {
  Setup s;
  s.include_with({failure(ErrorCannotLookup{})});
  const auto outcome = s.client->submit(alice(), Bytes{1, 0});
  REQUIRE(outcome.ok());
  REQUIRE(outcome->failure);
  CHECK(*outcome->failure == DispatchError(ErrorCannotLookup{}));
}

TEST_CASE("a refusal, an expiry and a broken stream are errors of their own kinds") {
  Setup s;
  SECTION("refused at the door") {
    s.chain.refuse_submissions =
        ports::Rejection{ports::RejectCode::stale_nonce, "expected nonce 4, got 3"};
    const auto outcome = s.client->submit(alice(), Bytes{1, 0});
    REQUIRE(!outcome.ok());
    CHECK(outcome.error().kind == ClientErrorKind::rejected);
    CHECK(outcome.error().code == "stale_nonce");
    CHECK(outcome.error().message == "expected nonce 4, got 3");
  }
  SECTION("refused later") {
    s.chain.on_submit = [&](const Bytes& extrinsic) {
      s.chain.tell(extrinsic_hash(extrinsic), ports::TxReady{});
      s.chain.tell(extrinsic_hash(extrinsic),
                   ports::TxRejected{{ports::RejectCode::replaced, "another pays more"}});
    };
    const auto outcome = s.client->submit(alice(), Bytes{1, 0});
    REQUIRE(!outcome.ok());
    CHECK(outcome.error().code == "replaced");
  }
  SECTION("expired") {
    s.chain.on_submit = [&](const Bytes& extrinsic) {
      s.chain.tell(extrinsic_hash(extrinsic), ports::TxExpired{BlockNumber(99)});
    };
    const auto outcome = s.client->submit(alice(), Bytes{1, 0});
    REQUIRE(!outcome.ok());
    CHECK(outcome.error().kind == ClientErrorKind::expired);
    CHECK(outcome.error().message.find("99") != std::string::npos);
  }
  SECTION("the caller stops") {
    std::stop_source source;
    SubmitOptions options;
    options.stop = source.get_token();
    s.chain.on_submit = [&](const Bytes&) { source.request_stop(); };
    const auto outcome = s.client->submit(alice(), Bytes{1, 0}, options);
    REQUIRE(!outcome.ok());
    CHECK(outcome.error().kind == ClientErrorKind::cancelled);
  }
}

TEST_CASE("a transaction that is not in the block that the node names is not believed") {
  Setup s;
  s.chain.on_submit = [&](const Bytes& extrinsic) {
    const ports::BlockRef block = s.chain.add_block({}, {Bytes{1, 2, 3}});
    s.chain.tell(extrinsic_hash(extrinsic), ports::TxFinalized{{block, true, 0}});
  };
  const auto outcome = s.client->submit(alice(), Bytes{1, 0});
  REQUIRE(!outcome.ok());
  CHECK(outcome.error().kind == ClientErrorKind::not_proved);
}

TEST_CASE("extrinsics that do not match the header are not believed") {
  Setup s;
  s.chain.add_block({}, {Bytes{1, 2, 3}});
  CHECK(s.client->block(BlockNumber(4))->extrinsics == std::vector<Bytes>{{1, 2, 3}});
  s.chain.lie_in_block = [](ports::BlockView& view) { view.extrinsics.clear(); };
  const auto block = s.client->block(BlockNumber(4));
  REQUIRE(!block.ok());
  CHECK(block.error().kind == ClientErrorKind::not_proved);
}

// Whose word it is decides whether money moves. Shown to fail where events() falls back on it.
TEST_CASE("events are proved while the state is kept, and later told where that is asked for") {
  Setup s;
  s.chain.add_block({{to_bytes(runtime::kEvents.key()), events_of({success()})}});
  const auto head = s.client->finalized();
  const auto proved = s.client->events(*head);
  REQUIRE(proved.ok());
  CHECK(proved->proved);
  s.chain.state_error = ports::QueryError{ports::QueryErrorCode::pruned, "gone"};
  CHECK(s.client->events(*head).error().kind == ClientErrorKind::pruned);
  const auto told = s.client->events_unproved(*head);
  REQUIRE(told.ok());
  CHECK(!told->proved);
  CHECK(told->records == proved->records);

  std::size_t seen = 0;
  const auto see = [&](const FollowedBlock& block) {
    CHECK(!block.events.proved);
    ++seen;
    return false;
  };
  const auto followed = s.client->follow(head->number, {}, see);
  REQUIRE(!followed.ok());
  CHECK(followed.error().kind == ClientErrorKind::pruned);
  CHECK(seen == 0);
  CHECK(s.client->follow_unproved(head->number, {}, see).ok());
  CHECK(seen == 1);
}

TEST_CASE("what came of a transaction is not believed without the block's state") {
  Setup s;
  s.include_with({success()});
  const auto include = s.chain.on_submit.get();
  s.chain.on_submit = [&s, include](const Bytes& extrinsic) {
    include(extrinsic);
    s.chain.state_error = ports::QueryError{ports::QueryErrorCode::pruned, "gone"};
  };
  const auto outcome = s.client->submit(alice(), Bytes{1, 0});
  REQUIRE(!outcome.ok());
  CHECK(outcome.error().kind == ClientErrorKind::pruned);
  CHECK(outcome.error().message.find("is final in block 4, and what came of it is not proved") !=
        std::string::npos);
}

TEST_CASE("a follower sees every final block once and in order") {
  Setup s(2);
  std::jthread producer([&] {
    if (!s.chain.wait_for_subscribers(1)) return;
    for (int i = 0; i < 5; ++i) s.chain.add_block();
  });
  std::vector<std::uint32_t> seen;
  const auto end = s.client->follow(BlockNumber(1), {}, [&](const FollowedBlock& block) {
    seen.push_back(block.head.number.value);
    return seen.size() < 7;
  });
  CHECK(end.ok());
  CHECK(seen == std::vector<std::uint32_t>{1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("following stops when asked, while nothing happens") {
  Setup s(2);
  std::stop_source source;
  std::jthread stopper([&] {
    if (s.chain.wait_for_subscribers(1)) source.request_stop();
  });
  const auto end = s.client->follow(BlockNumber(3), source.get_token(),
                                    [](const FollowedBlock&) { return true; });
  REQUIRE(!end.ok());
  CHECK(end.error().kind == ClientErrorKind::cancelled);
}

TEST_CASE("a scan proves each entry") {
  Setup s;
  const Bytes prefix = to_bytes(system::kAccount.prefix);
  const auto entries = s.client->scan(prefix);
  REQUIRE(entries.ok());
  REQUIRE(entries->size() == 1);
  CHECK((*entries)[0].first == account_key(alice().account()));

  // Pages without end, of keys that the state does not have, or of other keys than were asked for.
  std::atomic<std::uint8_t> next = 0;
  s.chain.lie_in_scan = [&](ports::ScanPage& page) {
    Bytes key(prefix.size() + 1, 0xff);
    std::copy(prefix.begin(), prefix.end(), key.begin());
    key.back() = next++;
    page.entries = {{key, Bytes{1}}};
    page.more = true;
  };
  CHECK(s.client->scan(prefix).error().check == Check::state_proof);
  CHECK(next < 20);
  next = 0;
  s.chain.lie_in_scan = [&](ports::ScanPage& page) {
    page.entries = {{account_key(alice().account()), Bytes{1}}};
    page.more = ++next < 20;
  };
  CHECK(s.client->scan(prefix).error().check == Check::encoding);
  CHECK(next == 2);
  s.chain.lie_in_scan = [](ports::ScanPage& page) { page.entries = {{Bytes(40, 7), Bytes{1}}}; };
  CHECK(s.client->scan(prefix).error().check == Check::encoding);
}

}  // namespace
}  // namespace tally::client
