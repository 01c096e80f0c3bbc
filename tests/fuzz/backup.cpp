// Backups of channels: sealed files, and, since no fuzzer finds a password, what they seal.
#include "client-sdk/channel/backup.hpp"

#include "tests/fuzz/codec.hpp"

namespace tally::fuzz {
namespace {

// A file names its own cost. What is within the bounds but costs seconds would only hold the
// fuzzer up.
bool is_cheap(ByteView file) {
  constexpr std::size_t kCostAt = 8;
  if (file.size() < kCostAt + 16) return true;
  const auto cost = decode<channel::BackupCost>(file.subspan(kCostAt, 16));
  TALLY_ASSERT(cost.ok());
  const bool refused = cost->passes > 16 || cost->memory_bytes > (std::uint64_t{1} << 30);
  return refused || (cost->passes <= 2 && cost->memory_bytes <= (1 << 20));
}

// Nobody here knows a key; but a key, and with it an account, can be recovered from any message and
// ECDSA signature.
bool can_be_made_up(const MultiSignature& signature) {
  return std::holds_alternative<SignedEcdsa>(signature);
}

}  // namespace

void run(ByteView input) {
  if (input.empty()) return;
  const ByteView rest = input.subspan(1);
  if (input[0] == 'f') {
    if (is_cheap(rest)) (void)channel::open_backup(rest, "password").ok();
    return;
  }
  decode_strictly<channel::Backup>(rest);
  const auto backup = decode<channel::Backup>(rest);
  if (!backup.ok()) return;
  const auto found = channel::verify_backup(*backup);
  TALLY_ASSERT(found.size() == backup->records.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& newest = backup->records[i].newest;
    TALLY_ASSERT(!found[i].signatures_valid || !newest ||
                 (can_be_made_up(newest->signature_a) && can_be_made_up(newest->signature_b)));
  }
  const auto sealed = channel::seal_backup(*backup, "password", channel::BackupCost::least());
  TALLY_ASSERT(sealed.ok());
  const auto opened = channel::open_backup(*sealed, "password");
  TALLY_ASSERT(opened.ok() && *opened == *backup);
}

}  // namespace tally::fuzz
