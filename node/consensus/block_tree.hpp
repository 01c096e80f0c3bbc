// The blocks above the floor that are here, by hash, whatever stands on what.
//
// Bodies are kept apart from the slot of a view's first proposal: an equivocating leader must not
// be able to hide the block that was notarized behind the one that came first. Blocks come in only
// as proposals signed by their view's leader or as answers to a request for their hash.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "primitives/header.hpp"

namespace tally::consensus {

enum class BlockState : std::uint8_t {
  stored,    // here, not executed
  executed,  // and it leads to the roots that it states
  invalid,   // it breaks a rule or leads elsewhere
};

struct TreeEntry {
  Block block;
  ConsensusDigest digest;
  BlockState state{};
  bool certified = false;
  bool filler = false;   // known once the block was checked against its parent
  bool durable = false;  // was given to the Store
};

class BlockTree {
 public:
  // False when its digest is missing: such a block is of no use to anyone.
  bool insert(const Hash& hash, Block block);
  TreeEntry* find(const Hash& hash);
  const TreeEntry* find(const Hash& hash) const;
  void prune(View floor);  // forget the views up to it
  void drop_unexecuted();  // what is not in the Store either; whoever needs one asks for it again
  std::vector<Hash> below_or_at(View view) const;
  std::size_t size() const { return entries_.size(); }
  const std::map<Hash, TreeEntry>& all() const { return entries_; }

 private:
  std::map<Hash, TreeEntry> entries_;
};

}  // namespace tally::consensus
