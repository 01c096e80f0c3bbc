#include "client-sdk/arweave/tags.hpp"

#include <algorithm>

namespace tally::arweave {

namespace {

void put_size(Bytes& out, std::size_t size) {
  std::uint64_t zigzag = static_cast<std::uint64_t>(size) << 1;
  while (zigzag >= 0x80) {
    out.push_back(static_cast<std::uint8_t>(zigzag | 0x80));
    zigzag >>= 7;
  }
  out.push_back(static_cast<std::uint8_t>(zigzag));
}

void put_text(Bytes& out, std::string_view text) {
  put_size(out, text.size());
  append(out, as_bytes(text));
}

// A non-negative number below 2^20, which is more than any size here, in its shortest form.
std::optional<std::size_t> take_size(ByteView& bytes) {
  std::uint64_t zigzag = 0;
  for (unsigned i = 0; i < 3 && i < bytes.size(); ++i) {
    const std::uint8_t byte = bytes[i];
    zigzag |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if ((byte & 0x80) != 0) continue;
    const bool longer_than_needed = byte == 0 && i > 0;
    const bool negative = (zigzag & 1) != 0;
    if (longer_than_needed || negative) return std::nullopt;
    bytes = bytes.subspan(i + 1);
    return zigzag >> 1;
  }
  return std::nullopt;
}

std::optional<std::string> take_text(ByteView& bytes) {
  const auto size = take_size(bytes);
  if (!size || *size > bytes.size()) return std::nullopt;
  std::string out(as_text(bytes.first(*size)));
  bytes = bytes.subspan(*size);
  return out;
}

bool none_is_empty(const Tags& tags) {
  return std::none_of(tags.begin(), tags.end(),
                      [](const Tag& tag) { return tag.name.empty() || tag.value.empty(); });
}

Bytes encode_any(const Tags& tags) {
  Bytes out;
  if (tags.empty()) return out;
  put_size(out, tags.size());
  for (const Tag& tag : tags) {
    put_text(out, tag.name);
    put_text(out, tag.value);
  }
  out.push_back(0);
  return out;
}

}  // namespace

bool item_tags_are_valid(const Tags& tags) {
  return tags.size() <= kMaxItemTags && none_is_empty(tags) &&
         encode_any(tags).size() <= kMaxItemTagBytes;
}

bool transaction_tags_are_valid(const Tags& tags) {
  std::size_t size = 0;
  for (const Tag& tag : tags) size += tag.name.size() + tag.value.size();
  return size <= kMaxTransactionTagBytes && none_is_empty(tags);
}

std::optional<Bytes> encode_tags(const Tags& tags) {
  if (!item_tags_are_valid(tags)) return std::nullopt;
  return encode_any(tags);
}

std::optional<Tags> decode_tags(ByteView bytes, std::uint64_t count) {
  if (count > kMaxItemTags || bytes.size() > kMaxItemTagBytes) return std::nullopt;
  Tags out;
  if (count == 0) {
    if (!bytes.empty()) return std::nullopt;
    return out;
  }
  if (take_size(bytes) != count) return std::nullopt;
  for (std::uint64_t i = 0; i < count; ++i) {
    auto name = take_text(bytes);
    auto value = name ? take_text(bytes) : std::nullopt;
    if (!value || name->empty() || value->empty()) return std::nullopt;
    out.push_back({*std::move(name), *std::move(value)});
  }
  if (bytes.size() != 1 || bytes[0] != 0) return std::nullopt;
  return out;
}

std::optional<std::string_view> find_tag(const Tags& tags, std::string_view name) {
  const auto found =
      std::find_if(tags.begin(), tags.end(), [&](const Tag& tag) { return tag.name == name; });
  if (found == tags.end()) return std::nullopt;
  return found->value;
}

}  // namespace tally::arweave
