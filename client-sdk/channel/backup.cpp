#include "client-sdk/channel/backup.hpp"

#include <sodium.h>

#include "modules/channels/signing.hpp"
#include "primitives/assert.hpp"
#include "primitives/keystore/durable_file.hpp"

namespace tally::channel {
namespace {

constexpr std::string_view kMagic = "TALLYBK1";
constexpr std::size_t kFileMax = 256U << 20;
constexpr std::uint64_t kPassesMax = 16;
constexpr std::uint64_t kMemoryMax = 1ULL << 30;

struct Head {
  BackupCost cost;
  std::array<std::uint8_t, crypto_pwhash_SALTBYTES> salt{};
  std::array<std::uint8_t, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES> nonce{};
};
TALLY_DESCRIBE(Head, cost, salt, nonce);
constexpr std::size_t kHeadSize = kMagic.size() + detail::min_size<Head>();

// Wiped when it goes.
struct Key {
  std::array<std::uint8_t, crypto_aead_xchacha20poly1305_ietf_KEYBYTES> bytes{};
  Key() = default;
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  ~Key() { sodium_memzero(bytes.data(), bytes.size()); }
};

Result<void, Error> derive(Key& key, const Head& head, std::string_view password) {
  if (sodium_init() < 0) return fail_with("libsodium does not start");
  const BackupCost& cost = head.cost;
  if (cost.passes < crypto_pwhash_OPSLIMIT_MIN || cost.passes > kPassesMax ||
      cost.memory_bytes < crypto_pwhash_MEMLIMIT_MIN || cost.memory_bytes > kMemoryMax) {
    return fail_with("the backup asks for " + std::to_string(cost.passes) + " passes over " +
                     std::to_string(cost.memory_bytes) +
                     " bytes; at most 16 over 1 GiB are accepted. It is damaged or hostile");
  }
  const int done = crypto_pwhash(
      key.bytes.data(), key.bytes.size(), password.data(), password.size(), head.salt.data(),
      cost.passes, static_cast<std::size_t>(cost.memory_bytes), crypto_pwhash_ALG_ARGON2ID13);
  if (done != 0) {
    return fail_with("not enough memory for the password: " + std::to_string(cost.memory_bytes) +
                     " bytes are needed");
  }
  return {};
}

}  // namespace

Result<Bytes, Error> seal_backup(const Backup& backup, std::string_view password,
                                 const BackupCost& cost) {
  if (password.empty()) return fail_with("a backup needs a password; give one");
  if (sodium_init() < 0) return fail_with("libsodium does not start");
  Head head;
  head.cost = cost;
  randombytes_buf(head.salt.data(), head.salt.size());
  randombytes_buf(head.nonce.data(), head.nonce.size());
  Key key;
  TALLY_TRY(derive(key, head, password));
  Bytes out = to_bytes(as_bytes(kMagic));
  append(out, encode(head));
  const Bytes content = encode(backup);
  Bytes sealed(content.size() + crypto_aead_xchacha20poly1305_ietf_ABYTES);
  crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data(), nullptr, content.data(), content.size(),
                                             out.data(), out.size(), nullptr, head.nonce.data(),
                                             key.bytes.data());
  append(out, sealed);
  return out;
}

Result<Backup, Error> open_backup(ByteView file, std::string_view password) {
  if (file.size() < kHeadSize + crypto_aead_xchacha20poly1305_ietf_ABYTES ||
      !equal(file.first(kMagic.size()), as_bytes(kMagic))) {
    return fail_with("this is no channel backup (it does not begin with TALLYBK1)");
  }
  const ByteView front = file.first(kHeadSize);
  const auto head = decode<Head>(front.subspan(kMagic.size()));
  TALLY_ASSERT(head.ok());  // a head is of fixed length and every byte means something
  Key key;
  TALLY_TRY(derive(key, *head, password));
  const ByteView sealed = file.subspan(kHeadSize);
  Bytes content(sealed.size() - crypto_aead_xchacha20poly1305_ietf_ABYTES);
  const int done = crypto_aead_xchacha20poly1305_ietf_decrypt(
      content.data(), nullptr, nullptr, sealed.data(), sealed.size(), front.data(), front.size(),
      head->nonce.data(), key.bytes.data());
  if (done != 0) return fail_with("wrong password, or the backup is damaged");
  auto backup = decode<Backup>(content);
  if (!backup.ok()) {
    return fail_with("the backup opens but its content does not read (" + to_text(backup.error()) +
                     "): it is of another version of this program");
  }
  return *std::move(backup);
}

Result<void, Error> write_backup(const std::filesystem::path& path, const Backup& backup,
                                 std::string_view password, const BackupCost& cost) {
  const Bytes sealed = TALLY_TRY(seal_backup(backup, password, cost));
  return write_private_file(path, as_text(sealed), true);
}

Result<Backup, Error> read_backup(const std::filesystem::path& path, std::string_view password) {
  const std::string file = TALLY_TRY(read_private_file(path, kFileMax));
  return open_backup(as_bytes(file), password);
}

std::vector<Recoverable> verify_backup(const Backup& backup) {
  std::vector<Recoverable> out;
  for (const Record& record : backup.records) {
    const Side side = record.terms.side;
    Recoverable one;
    one.channel_id = record.terms.channel_id;
    one.peer = record.terms.peer();
    one.stage = record.stage;
    one.newest = record.newest_version();
    one.mine = record.balance(side);
    one.theirs = record.balance(channels::other(side));
    one.signatures_valid = true;
    if (record.newest) {
      const Bytes bytes = channels::update_bytes(record.newest->state);
      one.signatures_valid =
          verify_offchain(record.terms.opener, bytes, record.newest->signature_a).ok() &&
          verify_offchain(record.terms.counterparty, bytes, record.newest->signature_b).ok();
    }
    out.push_back(one);
  }
  return out;
}

}  // namespace tally::channel
