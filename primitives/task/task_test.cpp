#include <catch2/catch.hpp>

#include "primitives/crypto/hash.hpp"
#include "primitives/derivation.hpp"
#include "primitives/task/mandate.hpp"
#include "primitives/task/price.hpp"
#include "primitives/task/receipt.hpp"

namespace tally::task {
namespace {

const KeyPair kWorker = dev_key(KeyScheme::ecdsa, "Bob");
const KeyPair kRequester = dev_key(KeyScheme::ed25519, "Alice");

Hash filled(std::uint8_t byte) {
  Hash hash;
  hash.bytes.fill(byte);
  return hash;
}

TEST_CASE("a receipt altered in any field is not what the worker signed") {
  const Receipt receipt{.worker = kWorker.account(), .task_id = 7, .price = Balance(55)};
  const SignedReceipt good = sign_receipt(kWorker, receipt);
  CHECK(receipt_signature_is_valid(good));
  SignedReceipt altered = good;
  altered.receipt.price = Balance(56);
  CHECK_FALSE(receipt_signature_is_valid(altered));
  altered = good;
  altered.receipt.worker = kRequester.account();
  CHECK_FALSE(receipt_signature_is_valid(altered));
  CHECK(receipt_hash(altered.receipt) != receipt_hash(good.receipt));
}

TEST_CASE("a mandate holds on one chain and as it was written") {
  const Mandate mandate{.requester = kRequester.account(),
                        .bearer = kWorker.account(),
                        .valid_until = TimestampMs(1'000)};
  const SignedMandate good = sign_mandate(kRequester, filled(1), mandate);
  CHECK(mandate_signature_is_valid(filled(1), good));
  CHECK_FALSE(mandate_signature_is_valid(filled(2), good));
  SignedMandate longer = good;
  longer.mandate.valid_until = TimestampMs(1'001);
  CHECK_FALSE(mandate_signature_is_valid(filled(1), longer));
  SignedMandate wider = sign_mandate(
      kRequester, filled(1), {filled(3), kRequester.account(), kWorker.account(), TimestampMs(1)});
  CHECK(mandate_signature_is_valid(filled(1), wider));
  wider.mandate.receipt_hash.reset();
  CHECK_FALSE(mandate_signature_is_valid(filled(1), wider));
}

// Both signatures are deterministic, so these pin layout, tag and signed bytes at once.
TEST_CASE("the bytes of signed receipts and mandates are fixed for ever") {
  const Receipt receipt{.worker = kWorker.account(), .task_id = 7, .price = Balance(55)};
  CHECK(to_hex(blake2_256(encode(sign_receipt(kWorker, receipt)))) ==
        "ac2d69459286ac26efae1be66c1513bd0d08abb2950eee2ade2875111aa43f1d");
  const Mandate mandate{filled(3), kRequester.account(), kWorker.account(), TimestampMs(1)};
  CHECK(to_hex(blake2_256(encode(sign_mandate(kRequester, filled(1), mandate)))) ==
        "d2ed1896c6399b284615fc5262a4839f1a2f46d7d11951e80720030be42d5d84");
}

TEST_CASE("prices are rounded up, doubled for high priority, and never nothing") {
  const TaskPrice price = reference_price(TaskType::prime_calculation);
  CHECK(*price_of(price, 1'800'000'000'000, Priority::normal) == kCredit);
  CHECK(*price_of(price, 1'800'000'000'000, Priority::high) == Balance(2'000'000));
  CHECK(*price_of(price, 1'000'000'000, Priority::normal) == Balance(556));
  CHECK(*price_of(price, 1, Priority::low) == Balance(1));
  CHECK(*price_of(price, 0, Priority::low) == Balance(1));
  CHECK_FALSE(price_of({{}, Balance(~u128{0}), 1}, 2, Priority::normal).ok());
  CHECK_FALSE(price_of({{}, Balance(1), 0}, 2, Priority::normal).ok());
}

TEST_CASE("every type has a reference price and is exact") {
  for (const auto& entry : tally_describe_enum(TaskType{})) {
    CHECK(reference_price(entry.value).type == entry.value);
    CHECK(reference_price(entry.value).per_units > 0);
    CHECK(exactness_of(entry.value) == Exactness::exact);
  }
}

}  // namespace
}  // namespace tally::task
