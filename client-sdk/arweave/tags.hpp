// Tags: short names and values, bytes both, that transactions and data items carry.
//
// In a data item they are an Avro array of {name: string, value: string}: zigzag varint of the
// count, for each tag zigzag(length) bytes zigzag(length) bytes, then a zero. No tags are no bytes.
// Sources: ANS-104, section 1.2 and its limits; Avro 1.11 binary encoding, of which one array block
// with a positive count is accepted and nothing else, so that tags have one encoding.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "primitives/bytes.hpp"

namespace tally::arweave {

constexpr std::size_t kMaxItemTags = 128;
constexpr std::size_t kMaxItemTagBytes = 4096;         // encoded
constexpr std::size_t kMaxTransactionTagBytes = 2048;  // names and values together

struct Tag {
  std::string name;
  std::string value;
  friend bool operator==(const Tag&, const Tag&) = default;
};
using Tags = std::vector<Tag>;

// Whether a data item may carry them: counts and sizes as above, no empty name or value.
bool item_tags_are_valid(const Tags& tags);
bool transaction_tags_are_valid(const Tags& tags);

// Nothing if they are not valid for a data item.
std::optional<Bytes> encode_tags(const Tags& tags);
std::optional<Tags> decode_tags(ByteView bytes, std::uint64_t count);

// The value of the first tag with this name.
std::optional<std::string_view> find_tag(const Tags& tags, std::string_view name);

}  // namespace tally::arweave
