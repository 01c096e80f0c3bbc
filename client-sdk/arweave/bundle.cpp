#include "client-sdk/arweave/bundle.hpp"

namespace tally::arweave {

namespace {

constexpr std::size_t kNumberSize = 32;
constexpr std::size_t kEntrySize = kNumberSize + 32;
constexpr std::string_view kFormatTag = "Bundle-Format";
constexpr std::string_view kFormat = "binary";
constexpr std::string_view kVersionTag = "Bundle-Version";
constexpr std::string_view kVersion = "2.0.0";

void put_number(Bytes& out, std::uint64_t value) {
  for (std::size_t i = 0; i < kNumberSize; ++i) {
    out.push_back(i < 8 ? static_cast<std::uint8_t>(value >> (8 * i)) : std::uint8_t{0});
  }
}

// Nothing for what does not fit 64 bits.
std::optional<std::uint64_t> read_number(ByteView bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < kNumberSize; ++i) {
    if (i >= 8 && bytes[i] != 0) return std::nullopt;
    if (i < 8) out |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
  }
  return out;
}

Failure<Error> malformed(const std::string& reason) {
  return fail_with("not a bundle: " + reason);
}

}  // namespace

Tags bundle_tags() {
  return {{std::string(kFormatTag), std::string(kFormat)},
          {std::string(kVersionTag), std::string(kVersion)}};
}

bool is_bundle(const Tags& transaction_tags) {
  return find_tag(transaction_tags, kFormatTag) == kFormat &&
         find_tag(transaction_tags, kVersionTag) == kVersion;
}

Bytes encode_bundle(const std::vector<DataItem>& items) {
  Bytes out;
  Bytes bodies;
  put_number(out, items.size());
  for (const DataItem& item : items) {
    const Bytes body = item.encode();
    put_number(out, body.size());
    append(out, item.raw_id());
    append(bodies, body);
  }
  append(out, bodies);
  return out;
}

Result<std::vector<DataItem>, Error> decode_bundle(ByteView bytes) {
  if (bytes.size() < kNumberSize) return malformed("it is shorter than its first field");
  const auto count = read_number(bytes.first(kNumberSize));
  const ByteView after_count = bytes.subspan(kNumberSize);
  if (!count || *count > after_count.size() / kEntrySize) {
    return malformed("it is shorter than its list of items");
  }
  ByteView bodies = after_count.subspan(*count * kEntrySize);
  std::vector<DataItem> out;
  for (std::size_t i = 0; i < *count; ++i) {
    const ByteView entry = after_count.subspan(i * kEntrySize, kEntrySize);
    const auto size = read_number(entry.first(kNumberSize));
    if (!size || *size > bodies.size()) return malformed("an item is cut off");
    DataItem item = TALLY_TRY(DataItem::decode(bodies.first(*size)));
    if (!equal(item.raw_id(), entry.subspan(kNumberSize))) {
      return malformed("its list names another item than it holds");
    }
    out.push_back(std::move(item));
    bodies = bodies.subspan(*size);
  }
  if (!bodies.empty()) return malformed("bytes are left after the last item");
  return out;
}

}  // namespace tally::arweave
