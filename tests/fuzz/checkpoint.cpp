// A checkpoint's blob as a store gave it, and the journal of a push.
#include "client-sdk/checkpoint/blob.hpp"
#include "client-sdk/checkpoint/push_journal.hpp"
#include "tests/fuzz/codec.hpp"

namespace tally::fuzz {

void run(ByteView input) {
  decode_strictly<checkpoint::BlobHeader>(input);
  decode_strictly<checkpoint::PushJournal>(input);
  decode_strictly<storage_registry::Checkpoint>(input);
  if (input.size() < checkpoint::kBlobHeaderBytes) return;
  // Whatever the header says is what is expected, up to a size that can be made room for.
  const auto header = decode<checkpoint::BlobHeader>(input.first(checkpoint::kBlobHeaderBytes));
  if (!header.ok() || header->plain_bytes > (1 << 20)) return;
  const auto state = checkpoint::unpack(input, {header->state_hash, header->plain_bytes});
  if (!state.ok()) return;
  TALLY_ASSERT(state->size() == header->plain_bytes);
  TALLY_ASSERT(checkpoint::state_hash(*state) == header->state_hash);
}

}  // namespace tally::fuzz
