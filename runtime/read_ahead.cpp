#include "runtime/read_ahead.hpp"

#include <array>
#include <vector>

#include "modules/support/expectant.hpp"
#include "modules/system/storage.hpp"
#include "primitives/crypto/hash_many.hpp"

namespace tally::runtime {
namespace {

constexpr std::size_t kAccountsMax = 2 * kReadAhead;

// The accounts that every call of its kind reads; a missing one costs time, nothing else.
std::optional<AccountId> other_party(const RuntimeCall& call) {
  const auto* credits_call = std::get_if<CreditsCall>(&call);
  if (credits_call == nullptr) return std::nullopt;
  const auto* transfer = std::get_if<credits::Transfer>(&credits_call->value);
  return transfer != nullptr ? lookup(transfer->dest) : std::nullopt;
}

}  // namespace

void read_ahead(const StateReader& below, const Overlay& state,
                std::span<const CheckedTransaction* const> coming) {
  TALLY_ASSERT(coming.size() <= kReadAhead);
  std::array<AccountId, kAccountsMax> accounts;
  std::array<ByteView, kAccountsMax> views;
  std::size_t count = 0;
  for (const CheckedTransaction* checked : coming) {
    accounts[count++] = checked->tx().signer;
    if (const auto other = other_party(checked->tx().call)) accounts[count++] = *other;
  }
  for (std::size_t i = 0; i < count; ++i) views[i] = accounts[i].view();
  std::array<std::array<std::uint8_t, 16>, kAccountsMax> hashes;
  blake2_128_many(std::span(views).first(count), std::span(hashes).first(count));

  std::vector<StorageKey> keys;
  keys.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    StorageKey& key = keys.emplace_back(system::kAccount.prefix);
    key.append(hashes[i]);
    key.append(accounts[i].view());
    views[i] = key.view();
  }
  expect(below, std::span<const ByteView>(views).first(count));
  for (std::size_t i = 0; i < count; ++i) {
    state.remember(system::kAccount.prefix.data(), accounts[i].view(), state.slot(keys[i]));
  }
}

}  // namespace tally::runtime
