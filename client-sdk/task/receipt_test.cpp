#include "client-sdk/task/receipt.hpp"

#include <catch2/catch.hpp>

#include "client-sdk/task/auth.hpp"
#include "client-sdk/task/certificate.hpp"
#include "client-sdk/task/offer.hpp"
#include "primitives/derivation.hpp"

namespace tally::task {
namespace {

const KeyPair kWorker = dev_key(KeyScheme::ecdsa, "Bob");
const TimestampMs kNow(1'800'000'000'000);

Receipt receipt() {
  return {.worker = kWorker.account(),
          .task_id = 7,
          .type = TaskType::image_resize,
          .price = Balance(55),
          .metered_units = 12,
          .started_ms = TimestampMs(kNow.value - 500),
          .finished_ms = kNow};
}

std::string refusal(const Receipt& got, const Receipt& agreed = receipt(), TimestampMs now = kNow) {
  const auto checked = check_receipt(sign_receipt(kWorker, got), agreed, now);
  return checked ? "accepted" : checked.error().message;
}

TEST_CASE("a receipt as agreed is accepted, any other field's value is refused by name") {
  CHECK(refusal(receipt()) == "accepted");
  Receipt other = receipt();
  other.price = Balance(56);
  CHECK(refusal(other).find("the receipt's price must be") == 0);
  other = receipt();
  other.output_hash.bytes[0] = 1;
  CHECK(refusal(other).find("the receipt's output_hash must be") == 0);
  other = receipt();
  other.task_id = 8;
  CHECK(refusal(other).find("the receipt's task_id must be") == 0);
}

TEST_CASE("a receipt's times must be near the requester's clock and in order") {
  CHECK(refusal(receipt(), receipt(), TimestampMs(kNow.value + 59'000)) == "accepted");
  CHECK(refusal(receipt(), receipt(), TimestampMs(kNow.value + 61'000)).find("times") !=
        std::string::npos);
  CHECK(refusal(receipt(), receipt(), TimestampMs(kNow.value - 61'000)).find("times") !=
        std::string::npos);
  Receipt backwards = receipt();
  backwards.started_ms = TimestampMs(kNow.value + 1);
  CHECK(refusal(backwards).find("times") != std::string::npos);
}

TEST_CASE("a task that ran for longer than the tolerance is receipted, a back-dated one is not") {
  Receipt agreed = receipt();
  agreed.started_ms = TimestampMs(kNow.value - 600'000);  // sent then
  Receipt got = receipt();
  got.started_ms = TimestampMs(kNow.value - 599'000);
  CHECK(refusal(got, agreed) == "accepted");
  got.started_ms = TimestampMs(kNow.value - 661'000);
  CHECK(refusal(got, agreed).find("times") != std::string::npos);
}

TEST_CASE("only the worker's signature is a receipt's") {
  const KeyPair other = dev_key(KeyScheme::ecdsa, "Eve");
  CHECK_FALSE(check_receipt(sign_receipt(other, receipt()), receipt(), kNow).ok());
}

TEST_CASE("the hash of a receipt is fixed for ever") {
  CHECK(to_hex(receipt_hash(receipt())) ==
        "45059780954a09d142342550ab7c3b52c27469ea2e8c6765f63207faf7f4b7b9");
}

// A proof is worth nothing under other certificates: what a middleman would see.
TEST_CASE("an account's proof holds for its role, certificates and nonces alone") {
  const auto identity = make_tls_identity();
  const auto other = make_tls_identity();
  REQUIRE(identity.ok());
  REQUIRE(other.ok());
  CHECK(identity->leaf != other->leaf);
  AuthContext context{.worker_leaf = identity->leaf,
                      .requester_leaf = other->leaf,
                      .requester_nonce = make_nonce(),
                      .worker_nonce = make_nonce()};
  const auto proof = sign_auth(kWorker, Role::worker, context);
  CHECK(auth_is_valid(kWorker.account(), Role::worker, context, proof));
  CHECK_FALSE(auth_is_valid(kWorker.account(), Role::requester, context, proof));
  AuthContext middle = context;
  middle.requester_leaf = identity->leaf;
  CHECK_FALSE(auth_is_valid(kWorker.account(), Role::worker, middle, proof));
  AuthContext replayed = context;
  replayed.requester_nonce = make_nonce();
  CHECK_FALSE(auth_is_valid(kWorker.account(), Role::worker, replayed, proof));
}

}  // namespace
}  // namespace tally::task
