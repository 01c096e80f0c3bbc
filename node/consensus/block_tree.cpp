#include "node/consensus/block_tree.hpp"

namespace tally::consensus {

bool BlockTree::insert(const Hash& hash, Block block) {
  if (entries_.contains(hash)) return true;
  const auto digest = consensus_digest(block.header);
  if (!digest) return false;
  TreeEntry entry;
  entry.block = std::move(block);
  entry.digest = *digest;
  entries_.emplace(hash, std::move(entry));
  return true;
}

TreeEntry* BlockTree::find(const Hash& hash) {
  const auto found = entries_.find(hash);
  return found == entries_.end() ? nullptr : &found->second;
}

const TreeEntry* BlockTree::find(const Hash& hash) const {
  const auto found = entries_.find(hash);
  return found == entries_.end() ? nullptr : &found->second;
}

std::vector<Hash> BlockTree::below_or_at(View view) const {
  std::vector<Hash> out;
  for (const auto& [hash, entry] : entries_) {
    if (entry.digest.view <= view) out.push_back(hash);
  }
  return out;
}

void BlockTree::prune(View floor) {
  for (const Hash& hash : below_or_at(floor)) entries_.erase(hash);
}

void BlockTree::drop_unexecuted() {
  std::erase_if(entries_, [](const auto& entry) {
    return entry.second.state == BlockState::stored && !entry.second.durable;
  });
}

}  // namespace tally::consensus
