#include "runtime/read_ahead.hpp"

#include <catch2/catch.hpp>

#include "modules/support/expectant.hpp"
#include "modules/system/storage.hpp"

namespace tally::runtime {
namespace {

AccountId account(std::uint8_t number) {
  AccountId out;
  out.bytes[0] = number;
  return out;
}

class Told final : public ExpectantReader {
 public:
  std::optional<Bytes> get(ByteView key) const override {
    read.push_back(to_bytes(key));
    return std::nullopt;
  }
  void expect(std::span<const ByteView> keys) const override {
    CHECK(read.empty());  // first told, then asked
    for (const ByteView key : keys) told.push_back(to_bytes(key));
  }
  mutable std::vector<Bytes> told;
  mutable std::vector<Bytes> read;
};

// Shown to fail: with the accounts' hashes given to the wrong accounts.
TEST_CASE("read ahead: a state is told of signers and receivers, which are read but not changed") {
  std::vector<CheckedTransaction> transactions;
  for (std::uint8_t i = 0; i < 12; ++i) {
    Transaction tx;
    tx.signer = account(i);
    const MultiAddress to = AddressId{account(static_cast<std::uint8_t>(100 + i))};
    if (i % 2 == 0) tx.call = CreditsCall{credits::Transfer{to, {Balance(5)}}};
    if (i % 2 == 1) tx.call = CreditsCall{credits::TransferAll{to}};
    transactions.push_back(CheckedTransaction::already_verified(std::move(tx), {}));
  }
  std::vector<const CheckedTransaction*> pointers;
  for (const CheckedTransaction& tx : transactions) pointers.push_back(&tx);

  const Told below;
  const Overlay state(below, 7);
  read_ahead(below, state, pointers);
  std::vector<Bytes> wanted;
  for (std::uint8_t i = 0; i < 12; ++i) {
    wanted.push_back(to_bytes(system::kAccount.key(account(i))));
    if (i % 2 == 1) continue;
    const AccountId to = account(static_cast<std::uint8_t>(100 + i));
    wanted.push_back(to_bytes(system::kAccount.key(to)));
  }
  CHECK(below.told == wanted);
  CHECK(below.read == wanted);
  CHECK(state.changes().empty());
  for (std::uint8_t i = 0; i < 12; ++i) {
    CHECK(state.read(system::kAccount.slot(state, account(i))) == std::nullopt);
  }
  CHECK(below.read == wanted);  // known by now
}

}  // namespace
}  // namespace tally::runtime
