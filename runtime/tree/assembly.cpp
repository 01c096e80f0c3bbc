// Nodes in the making: many at a time, so that hashes that do not depend on each other are
// calculated together.
#include <array>
#include <bit>

#include "primitives/assert.hpp"
#include "primitives/crypto/hash_many.hpp"
#include "runtime/tree/binary_levels.hpp"
#include "runtime/tree/node.hpp"

namespace tally::tree {
namespace {

// Nodes made at a time: few enough for a processor's cache, enough to fill its registers.
constexpr std::size_t kTogether = 32;
// How many nodes ahead the memory of an old one is asked for.
constexpr std::size_t kAhead = 4;

}  // namespace

class Node::Assembly {
 public:
  explicit Assembly(const Order& order);

  // The binary subtrees first .. 2 * first - 1, whose children have been done: copies what is known
  // and adds what has to be hashed. Stays where it is from the first call on.
  void add_pairs(unsigned first, std::vector<TaggedPair>& pairs);
  std::shared_ptr<const Node> take() { return std::move(node_); }

 private:
  Hash& place(unsigned index);
  const std::uint8_t* child(unsigned index);

  std::shared_ptr<Node> node_ = std::make_shared<Node>();
  const Node* before_;
  unsigned changed_ = 0;
  bool same_shape_ = false;
  std::array<Hash, kWidth> narrow_;  // hashes of subtrees that the node does not keep
};

Node::Assembly::Assembly(const Order& order) : before_(order.before) {
  Node& node = *node_;
  if (before_ != nullptr) {
    node.present_ = before_->present_;
    node.leaf_mask_ = before_->leaf_mask_;
  }
  for (const Edit& edit : order.edits) {
    const unsigned bit = 1U << edit.nibble;
    TALLY_ASSERT(edit.nibble < kWidth && changed_ < bit);
    changed_ |= bit;
    node.present_ =
        static_cast<std::uint16_t>(edit.slot ? node.present_ | bit : node.present_ & ~bit);
    const bool leaf = edit.slot && edit.slot->is_leaf;
    node.leaf_mask_ =
        static_cast<std::uint16_t>(leaf ? node.leaf_mask_ | bit : node.leaf_mask_ & ~bit);
  }
  TALLY_ASSERT(node.present_ != 0);
  same_shape_ = before_ != nullptr && before_->present_ == node.present_ &&
                before_->leaf_mask_ == node.leaf_mask_;
  if (same_shape_)
    node.copy_with(*before_, order.edits);
  else
    node.collect(before_, order.edits);
}

Hash& Node::Assembly::place(unsigned index) {
  if (index == 1) return node_->hash_;
  return node_->wide() ? node_->units_[node_->count() + index] : narrow_[index];
}

const std::uint8_t* Node::Assembly::child(unsigned index) {
  static constexpr std::array<std::uint8_t, Hash::kSize> kNothing{};
  if (index < kWidth) return place(index).bytes.data();
  return node_->has(index - kWidth) ? node_->child_hash(index - kWidth).bytes.data()
                                    : kNothing.data();
}

void Node::Assembly::add_pairs(unsigned first, std::vector<TaggedPair>& pairs) {
  const Node& node = *node_;
  const bool copied = same_shape_ && node.wide();
  for (unsigned index = first; index < 2 * first; ++index) {
    const unsigned below = nibbles_below(index);
    const bool unchanged = (below & changed_) == 0;
    if (copied && unchanged) continue;
    const unsigned here = below & node.present_;
    if (here == 0) {
      place(index) = {};
    } else if (std::has_single_bit(here) && (here & node.leaf_mask_) != 0) {
      place(index) = node.child_hash(static_cast<unsigned>(std::countr_zero(here)));
    } else if (unchanged && before_ != nullptr && before_->wide()) {
      place(index) = before_->units_[before_->count() + index];
    } else {
      pairs.push_back({child(2 * index), child(2 * index + 1), &place(index)});
    }
  }
}

void Node::make_all(std::span<Order> orders) {
  std::vector<Assembly> assemblies;
  std::vector<TaggedPair> pairs;
  assemblies.reserve(std::min(orders.size(), kTogether));
  while (!orders.empty()) {
    const auto part = orders.first(std::min(orders.size(), kTogether));
    assemblies.clear();
    for (std::size_t i = 0; i < part.size(); ++i) {
      const Node* soon = i + kAhead < orders.size() ? orders[i + kAhead].before : nullptr;
      if (soon != nullptr) soon->prefetch();
      assemblies.emplace_back(part[i]);
    }
    for (unsigned first = kWidth / 2; first > 0; first /= 2) {
      pairs.clear();
      for (Assembly& assembly : assemblies) assembly.add_pairs(first, pairs);
      hash_tagged_pairs(kInnerTag, pairs);
    }
    for (std::size_t i = 0; i < part.size(); ++i) part[i].made = assemblies[i].take();
    orders = orders.subspan(part.size());
  }
}

std::shared_ptr<const Node> Node::make(const Node* before, std::span<const Edit> edits) {
  Order order{before, edits, nullptr};
  make_all({&order, 1});
  return order.made;
}

}  // namespace tally::tree
