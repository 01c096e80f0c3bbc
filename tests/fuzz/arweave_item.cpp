// Data items from strangers: what decodes has one encoding.
#include "client-sdk/arweave/data_item.hpp"
#include "tests/fuzz/target.hpp"

namespace tally::fuzz {

void run(ByteView input) {
  const auto item = arweave::DataItem::decode(input);
  if (!item.ok()) return;
  TALLY_ASSERT(equal(item->encode(), input));
  // Nobody can sign for this key, whose secret nobody has.
  if (item->is_valid()) {
    TALLY_ASSERT(item->type != arweave::SignatureType::ed25519 ||
                 !Ed25519Key::from(item->owner)->is_zero());
  }
}

}  // namespace tally::fuzz
