#include "primitives/keystore/key_file.hpp"

#include "tests/fuzz/target.hpp"

namespace tally::fuzz {

void run(ByteView input) {
  const auto file = KeyFile::parse(as_text(input));
  if (!file.ok()) {
    TALLY_ASSERT(!file.error().message.empty());
    return;
  }
  const auto again = KeyFile::parse(file->to_json());
  TALLY_ASSERT(again.ok() && *again == *file);
  if (file->cost == KeyCost::least()) (void)decrypt_key(*file, "password").ok();
}

}  // namespace tally::fuzz
