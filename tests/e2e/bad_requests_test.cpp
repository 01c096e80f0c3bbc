// What strangers and mistaken clients send to processes that run: transactions that cannot be valid
// and bytes that are nothing at all. Each is refused with what was expected, what came and what to
// do, and nothing else changes.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>

#include "primitives/crypto/hash.hpp"
#include "primitives/ss58.hpp"
#include "runtime/version.hpp"
#include "tests/e2e/market.hpp"

using namespace tally;
using namespace tally::tests;

namespace {

constexpr Balance kOne = Balance(1'000'000);

// Connects, sends, and closes; whether somebody listened.
bool throw_at(std::uint16_t port, const std::string& bytes) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected =
      ::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  if (connected) ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  ::close(socket);
  return connected;
}

Bytes pay_eve() {
  const AccountId eve = dev_key(KeyScheme::ecdsa, "Eve").account();
  return client::call_bytes(credits::Transfer{AddressId{eve}, {kOne}});
}

// An immortal transfer from Alice with what is asked for changed.
struct Forgery {
  Nonce nonce;
  Hash genesis;
  Bytes call = pay_eve();
  Bytes bytes() const {
    const SignedExtra extra{Era::immortal(), {nonce}, {}};
    return sign_extrinsic(dev_key(KeyScheme::ecdsa, "Alice"), call, extra,
                          {runtime::kSpecVersion, runtime::kTransactionVersion, genesis, genesis});
  }
};

class Refusals {
 public:
  explicit Refusals(client::ChainClient& chain) : chain_(chain) {}

  void expect(const Bytes& extrinsic, const std::string& code,
              const std::vector<std::string>& words) const {
    check(chain_.submit_signed(extrinsic), code, words);
  }
  static void check(const client::ClientResult<client::TxOutcome>& outcome, const std::string& code,
                    const std::vector<std::string>& words) {
    REQUIRE_FALSE(outcome.ok());
    INFO(outcome.error().message);
    CHECK(outcome.error().code == code);
    for (const std::string& word : words) {
      INFO("expected: " << word);
      CHECK(outcome.error().message.find(word) != std::string::npos);
    }
  }

 private:
  client::ChainClient& chain_;
};

}  // namespace

TEST_CASE("transactions that cannot be valid are refused in words, and cost nothing") {
  Cluster cluster;
  cluster.start_validators();
  auto chain = cluster.client(0);
  REQUIRE(transfer(*chain, "Alice", "Eve", kOne).ok());
  const KeyPair key = dev_key(KeyScheme::ecdsa, "Alice");
  const AccountId alice = key.account();
  const std::string who = to_ss58(alice);
  const Hash genesis = chain->root().genesis_hash;
  const Balance before = chain->account(alice)->data.free;
  const Refusals refusals(*chain);

  // Another chain's signature, a used nonce, one that is too far ahead.
  const Hash other_chain = blake2_256(as_bytes("another chain"));
  refusals.expect(Forgery{Nonce(1), other_chain}.bytes(), "bad_signature",
                  {"expected a signature of " + who, to_hex_prefixed(genesis), "sign again"});
  refusals.expect(Forgery{Nonce(0), genesis}.bytes(), "stale_nonce",
                  {"expected nonce 1", who, "got 0", "sign again"});
  refusals.expect(Forgery{Nonce(100'000), genesis}.bytes(), "future_nonce", {"got 100000"});

  // A scheme that the chain does not have, a module that it does not have, other encodings.
  auto decoded = decode_extrinsic(Forgery{Nonce(1), genesis}.bytes());
  REQUIRE(decoded.ok());
  decoded->signature->signature = SignedSr25519{};
  refusals.expect(encode_extrinsic(*decoded), "unsupported_scheme",
                  {"expected an Ed25519 or ECDSA signature", "Sr25519"});
  refusals.expect(Forgery{Nonce(1), genesis, Bytes{0x63, 0}}.bytes(), "malformed",
                  {"1 Credits", "got module 99"});
  refusals.expect(Bytes(40, 0xff), "malformed", {"expected an extrinsic", "got 40 bytes"});
  refusals.expect(Bytes(200'000), "too_large", {"expected at most", "got 200000"});
  // More than a gRPC message may have: the node does not even read it.
  refusals.expect(Bytes(32 << 20), "too_large", {"within the bound", "got a larger one"});

  // An account that has nothing for the fee.
  const auto empty = key_from_uri(KeyScheme::ecdsa, "//Nobody");
  Refusals::check(chain->submit(*empty, pay_eve()), "cannot_pay",
                  {"fee of", to_ss58(empty->account()), "0 CC free", "add credits"});

  // One that waits for a nonce that never comes, until its time is over; and one sent too late.
  const auto gap = chain->sign(key, pay_eve(), {.mortality_blocks = 4, .nonce = Nonce(3)});
  const auto late = chain->sign(key, pay_eve(), {.mortality_blocks = 4, .nonce = Nonce(1)});
  REQUIRE(gap.ok());
  REQUIRE(late.ok());
  auto waiting =
      std::async(std::launch::async, [&] { return cluster.client(1)->submit_signed(gap->bytes); });
  const std::uint32_t start = Cluster::height(*chain);
  while (Cluster::height(*chain) < start + 6) REQUIRE(transfer(*chain, "Bob", "Eve", kOne).ok());
  Refusals::check(waiting.get(), "expired", {"before block", "sign and send it again"});
  refusals.expect(late->bytes, "bad_signature", {"born in block", "too old"});

  // Nothing of all that was done, and all go on.
  CHECK_FALSE(chain->account(alice)->data.free < before);  // it may have earned others' fees
  CHECK(chain->account(alice)->nonce == Nonce(1));
  for (std::size_t i = 0; i < 4; ++i) CHECK(cluster.node(i).running());
  CHECK(transfer(*chain, "Alice", "Eve", kOne).ok());
}

TEST_CASE("garbage on every port changes nothing") {
  Market market;
  const Answer first = market.tally(market.task(kSmallTask));
  INFO(first.json.dump(2));
  REQUIRE(first.exit_code == 0);
  const NodePorts& ports = market.cluster.ports(0);
  const std::vector<std::string> garbage{
      std::string(200'000, '\xff'), "GET / HTTP/1.1\r\n\r\n",
      std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\0", 12),
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string(5000, '\x7f')};
  for (const std::uint16_t port : {ports.peers, ports.rpc, ports.metrics, market.worker_port()}) {
    for (const std::string& bytes : garbage) CHECK(throw_at(port, bytes));
  }
  auto alice = market.cluster.client(0);
  CHECK(transfer(*alice, "Alice", "Eve", kOne).ok());
  CHECK(eventually(kPatience, [&] {
    return market.cluster.node(0).log().find("expected the TLS 1.3 handshake") != std::string::npos;
  }));
  // The worker goes on with the same channel.
  const Answer next = market.tally(market.task(kSmallTask));
  INFO(next.json.dump(2));
  INFO(market.worker->log());
  REQUIRE(next.exit_code == 0);
  CHECK(next.json["channel_id"] == first.json["channel_id"]);
  CHECK(next.json["last_state"]["receipts_count"] == 2);
}
