// What execution reads back from the database: tree nodes, their names, history keys, records.
#include "node/execution/layout.hpp"
#include "tests/fuzz/codec.hpp"

namespace tally::fuzz {

void run(ByteView input) {
  decode_strictly<execution::TxPlace>(input);
  decode_strictly<execution::Undo>(input);
  decode_strictly<tree::Root>(input);
  if (const auto key = tree::NodeKey::from_store_key(input)) {
    TALLY_ASSERT(equal(key->to_store_key(), input));
  }
  if (const auto parsed = execution::parse_value_key(input)) {
    TALLY_ASSERT(equal(execution::value_key(parsed->first, parsed->second), input));
  }
  // The root's place takes any leaf; a place deep below refuses most.
  const tree::NodeKey root{BlockNumber(7), 0, {}};
  for (const tree::NodeKey& key : {root, root.child(3, BlockNumber(7))}) {
    const auto node = tree::Node::decode(input, key);
    if (!node) continue;
    TALLY_ASSERT(equal(node->encode(), input));
    for (unsigned nibble = 0; nibble < tree::Node::kWidth; ++nibble) (void)node->walk(nibble);
  }
}

}  // namespace tally::fuzz
