#include "client-sdk/arweave/transaction.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

#include "client-sdk/arweave/chunk_tree.hpp"
#include "primitives/base64url.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::arweave {

namespace {

using Json = nlohmann::json;

// One chunk of data in base64url, and room for the header.
constexpr std::size_t kMaxJsonBytes = (kMaxChunkBytes * 4 / 3) + (64 << 10);
constexpr std::size_t kMaxAnchorBytes = 48;
constexpr std::size_t kAddressBytes = 32;

Failure<Error> malformed(const std::string& field, std::string_view expected) {
  return fail_with("not an Arweave transaction: \"" + field + "\" must be " +
                   std::string(expected));
}

Result<std::string_view, Error> text_field(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) return malformed(name, "a string");
  return std::string_view(found->get_ref<const std::string&>());
}

struct Length {
  std::size_t least = 0;
  std::size_t most = 0;
};

Result<Bytes, Error> bytes_field(const Json& json, const char* name, Length length) {
  const std::string_view text = TALLY_TRY(text_field(json, name));
  auto bytes = text.size() > length.most * 2 ? std::nullopt : from_base64url(text);
  if (!bytes || bytes->size() < length.least || bytes->size() > length.most) {
    return malformed(name, "canonical base64url of " + std::to_string(length.least) + " to " +
                               std::to_string(length.most) + " bytes");
  }
  return *std::move(bytes);
}

Result<std::uint64_t, Error> number_field(const Json& json, const char* name) {
  const auto value = parse_decimal(TALLY_TRY(text_field(json, name)));
  if (!value) return malformed(name, "a decimal number below 2^64, as a string");
  return *value;
}

Result<Tags, Error> tags_field(const Json& json) {
  const auto found = json.find("tags");
  if (found == json.end() || !found->is_array()) return malformed("tags", "a list");
  Tags out;
  std::size_t size = 0;
  for (const Json& entry : *found) {
    if (!entry.is_object()) return malformed("tags", "a list of objects");
    const Length length{1, kMaxTransactionTagBytes};
    const Bytes name = TALLY_TRY(bytes_field(entry, "name", length));
    const Bytes value = TALLY_TRY(bytes_field(entry, "value", length));
    size += name.size() + value.size();
    if (size > kMaxTransactionTagBytes) return malformed("tags", "at most 2048 bytes together");
    out.push_back({std::string(as_text(name)), std::string(as_text(value))});
  }
  return out;
}

Result<void, Error> check_data_fields(const Json& json, Transaction& tx) {
  const Bytes root = TALLY_TRY(bytes_field(json, "data_root", {0, 32}));
  if (!root.empty() && root.size() != 32) return malformed("data_root", "empty or 32 bytes");
  if (root.empty() != (tx.data_size == 0)) {
    return malformed("data_root", "there exactly when data_size is not 0");
  }
  if (!root.empty()) {
    tx.data_root.emplace();
    std::memcpy(tx.data_root->data(), root.data(), root.size());
  }
  if (json.contains("data")) {
    tx.data = TALLY_TRY(bytes_field(json, "data", {0, kMaxChunkBytes}));
    if (!tx.data.empty() && tx.data.size() != tx.data_size) {
      return malformed("data", "empty or as long as data_size says");
    }
  }
  return {};
}

}  // namespace

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  const bool leading_zero = text.size() > 1 && text.front() == '0';
  if (error != std::errc() || end != text.data() + text.size() || leading_zero) {
    return std::nullopt;
  }
  return out;
}

Transaction Transaction::for_data(ByteView data, Tags tags) {
  TALLY_ASSERT(transaction_tags_are_valid(tags));
  Transaction out;
  out.tags = std::move(tags);
  out.data_size = data.size();
  if (!data.empty()) out.data_root = build_chunk_tree(data).root;
  return out;
}

Hash384 Transaction::signature_data() const {
  const std::string quantity = std::to_string(quantity_winston);
  const std::string reward = std::to_string(reward_winston);
  const std::string size = std::to_string(data_size);
  std::vector<DeepValue> tag_values;
  for (const Tag& tag : tags) {
    tag_values.emplace_back(std::vector<DeepValue>{as_bytes(tag.name), as_bytes(tag.value)});
  }
  return DeepValue(std::vector<DeepValue>{as_bytes("2"), ByteView(owner), ByteView(target),
                                          as_bytes(quantity), as_bytes(reward), ByteView(last_tx),
                                          std::move(tag_values), as_bytes(size),
                                          data_root ? ByteView(*data_root) : ByteView()})
      .hash();
}

void Transaction::sign(const RsaKey& key) {
  owner = key.modulus();
  signature = key.sign(signature_data());
}

std::string Transaction::id() const {
  return to_base64url(sha256(signature));
}

bool Transaction::is_valid() const {
  if (!data.empty() && (data.size() != data_size || build_chunk_tree(data).root != data_root)) {
    return false;
  }
  return rsa_verify(owner, signature_data(), signature);
}

std::string Transaction::to_json() const {
  auto tag_list = nlohmann::ordered_json::array();
  for (const Tag& tag : tags) {
    tag_list.push_back(
        {{"name", to_base64url(as_bytes(tag.name))}, {"value", to_base64url(as_bytes(tag.value))}});
  }
  const nlohmann::ordered_json out = {
      {"format", 2},
      {"id", id()},
      {"last_tx", to_base64url(last_tx)},
      {"owner", to_base64url(owner)},
      {"tags", std::move(tag_list)},
      {"target", to_base64url(target)},
      {"quantity", std::to_string(quantity_winston)},
      {"data", to_base64url(data)},
      {"data_size", std::to_string(data_size)},
      {"data_root", data_root ? to_base64url(*data_root) : ""},
      {"reward", std::to_string(reward_winston)},
      {"signature", to_base64url(signature)},
  };
  return out.dump();
}

Result<Transaction, Error> Transaction::from_json(std::string_view text) {
  if (text.size() > kMaxJsonBytes) {
    return fail_with("not an Arweave transaction: expected at most " +
                     std::to_string(kMaxJsonBytes) + " bytes, got " + std::to_string(text.size()));
  }
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return fail_with("not an Arweave transaction: expected a JSON object");
  const auto format = json.find("format");
  if (format == json.end() || !format->is_number_integer() || *format != 2) {
    return malformed("format", "2; no other is supported");
  }
  Transaction tx;
  tx.last_tx = TALLY_TRY(bytes_field(json, "last_tx", {0, kMaxAnchorBytes}));
  tx.owner = TALLY_TRY(bytes_field(json, "owner", {1, kRsaBytes}));
  tx.tags = TALLY_TRY(tags_field(json));
  tx.target = TALLY_TRY(bytes_field(json, "target", {0, kAddressBytes}));
  if (!tx.target.empty() && tx.target.size() != kAddressBytes) {
    return malformed("target", "empty or 32 bytes");
  }
  tx.quantity_winston = TALLY_TRY(number_field(json, "quantity"));
  tx.data_size = TALLY_TRY(number_field(json, "data_size"));
  TALLY_TRY(check_data_fields(json, tx));
  tx.reward_winston = TALLY_TRY(number_field(json, "reward"));
  tx.signature = TALLY_TRY(bytes_field(json, "signature", {1, kRsaBytes}));
  if (TALLY_TRY(text_field(json, "id")) != tx.id()) {
    return malformed("id", "the SHA-256 of the signature");
  }
  return tx;
}

}  // namespace tally::arweave
