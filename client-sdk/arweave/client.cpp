#include "client-sdk/arweave/client.hpp"

#include <nlohmann/json.hpp>

#include "primitives/base64url.hpp"

namespace tally::arweave {

namespace {

using Json = nlohmann::json;
using storage::error_of;
using storage::store_failure;

constexpr std::uint64_t kMaxText = 256;
// Some gateways answer a post with what was posted.
constexpr std::uint64_t kMaxEcho = 1 << 20;
constexpr std::uint64_t kMaxTransactionJson = 512 << 10;
// A chunk in base64url, its proof, and room for the names.
constexpr std::uint64_t kMaxChunkJson = kMaxChunkBytes * 4 / 3 + (32 << 10);
constexpr std::uint64_t kMaxIndexJson = 64 << 10;
constexpr const char* kJson = "application/json";

Failure<StoreError> mismatch(std::string message) {
  return store_failure(StoreFault::mismatch, std::move(message));
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

StoreResult<void> take_number(const http::Response& response, std::uint64_t& to) {
  const auto value = parse_decimal(trimmed(response.body));
  if (!value) {
    return mismatch("expected a decimal number below 2^64, got \"" + response.body.substr(0, 40) +
                    "\"");
  }
  to = *value;
  return {};
}

const Json* member(const Json& json, std::initializer_list<const char*> path) {
  const Json* at = &json;
  for (const char* name : path) {
    if (!at->is_object()) return nullptr;
    const auto found = at->find(name);
    if (found == at->end()) return nullptr;
    at = &*found;
  }
  return at;
}

std::optional<std::string> text_in(const Json& json, std::initializer_list<const char*> path) {
  const Json* found = member(json, path);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::optional<std::uint64_t> count_in(const Json& json, std::initializer_list<const char*> path) {
  const Json* found = member(json, path);
  if (found == nullptr || !found->is_number_unsigned()) return std::nullopt;
  return found->get<std::uint64_t>();
}

std::optional<Bytes> bytes_in(const Json& json, std::initializer_list<const char*> path) {
  const auto text = text_in(json, path);
  return text ? from_base64url(*text) : std::nullopt;
}

// Empty is nothing; what has another length than an id is an error, said by false.
bool take_id(const std::optional<Bytes>& bytes, std::optional<Hash256>& to) {
  if (!bytes || bytes->empty()) return true;
  if (bytes->size() != 32) return false;
  to.emplace();
  std::copy(bytes->begin(), bytes->end(), to->begin());
  return true;
}

std::optional<SignatureType> type_of_owner(std::size_t size) {
  if (size == kRsaBytes) return SignatureType::arweave;
  if (size == Ed25519Key::kSize) return SignatureType::ed25519;
  if (size == 65) return SignatureType::ethereum;
  return std::nullopt;
}

// The header of a data item in the terms of a gateway's index.
std::optional<DataItem> item_header(const Json& node) {
  DataItem out;
  auto owner = bytes_in(node, {"owner", "key"});
  auto signature = bytes_in(node, {"signature"});
  const auto type = owner ? type_of_owner(owner->size()) : std::nullopt;
  if (!type || !signature) return std::nullopt;
  out.type = *type;
  out.owner = *std::move(owner);
  out.signature = *std::move(signature);
  if (!take_id(bytes_in(node, {"recipient"}), out.content.target) ||
      !take_id(bytes_in(node, {"anchor"}), out.content.anchor)) {
    return std::nullopt;
  }
  const Json* tags = member(node, {"tags"});
  if (tags == nullptr || !tags->is_array() || tags->size() > kMaxItemTags) return std::nullopt;
  for (const Json& tag : *tags) {
    auto name = text_in(tag, {"name"});
    auto value = text_in(tag, {"value"});
    if (!name || !value) return std::nullopt;
    out.content.tags.push_back({*std::move(name), *std::move(value)});
  }
  if (!item_tags_are_valid(out.content.tags)) return std::nullopt;
  return out;
}

http::Request item_question(const std::string& id) {
  const Json body = {{"query",
                      "query($id: ID!) { transaction(id: $id) { id anchor signature recipient "
                      "owner { key } tags { name value } block { height } } }"},
                     {"variables", {{"id", id}}}};
  return {"POST", "/graphql", kJson, body.dump()};
}

StoreResult<Json> item_node(const http::Response& response) {
  const Json json = Json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  const Json* node = member(json, {"data", "transaction"});
  if (node == nullptr) return mismatch("its index gave no answer to the question");
  if (node->is_null()) return store_failure(StoreFault::not_found, "its index does not know it");
  return *node;
}

std::string chunk_json(const Transaction& tx, const Chunk& chunk, ByteView bytes) {
  TALLY_ASSERT(tx.data_root.has_value());
  return Json{{"data_root", to_base64url(*tx.data_root)},
              {"data_size", std::to_string(tx.data_size)},
              {"data_path", to_base64url(chunk.path)},
              {"offset", std::to_string(chunk.offset())},
              {"chunk", to_base64url(bytes)}}
      .dump();
}

}  // namespace

StoreResult<std::uint64_t> Client::price(std::uint64_t bytes, const std::stop_token& stop) const {
  std::uint64_t out = 0;
  TALLY_TRY(gateways_.ask(
      {{"GET", "/price/" + std::to_string(bytes)}, kMaxText, "ask the price"},
      [&](const http::Response& response) -> StoreResult<void> {
        return take_number(response, out);
      },
      stop));
  return out;
}

StoreResult<std::uint64_t> Client::balance(const std::string& address,
                                           const std::stop_token& stop) const {
  std::uint64_t out = 0;
  TALLY_TRY(gateways_.ask(
      {{"GET", "/wallet/" + address + "/balance"}, kMaxText, "ask the balance of " + address},
      [&](const http::Response& response) -> StoreResult<void> {
        return take_number(response, out);
      },
      stop));
  return out;
}

StoreResult<Bytes> Client::anchor(const std::stop_token& stop) const {
  Bytes out;
  TALLY_TRY(gateways_.ask(
      {{"GET", "/tx_anchor"}, kMaxText, "ask for an anchor"},
      [&](const http::Response& response) -> StoreResult<void> {
        auto bytes = from_base64url(trimmed(response.body));
        if (!bytes || (bytes->size() != 32 && bytes->size() != 48)) {
          return mismatch("expected an anchor of 32 or 48 bytes in base64url");
        }
        out = *std::move(bytes);
        return {};
      },
      stop));
  return out;
}

StoreResult<void> Client::post(const Transaction& tx, const std::stop_token& stop) const {
  return gateways_.ask_any(
      {{"POST", "/tx", kJson, tx.to_json()}, kMaxEcho, "post transaction " + tx.id()},
      [](const http::Response& response) -> StoreResult<void> {
        // 208: it has this transaction already.
        if (response.status == 200 || response.status == 202 || response.status == 208) return {};
        return fail(error_of(response));
      },
      stop);
}

StoreResult<void> Client::post_chunk(const Transaction& tx, const Chunk& chunk, ByteView bytes,
                                     const std::stop_token& stop) const {
  return gateways_.ask(
      {{"POST", "/chunk", kJson, chunk_json(tx, chunk, bytes)},
       kMaxEcho,
       "post the chunk at " + std::to_string(chunk.begin) + " of " + tx.id()},
      [](const http::Response&) -> StoreResult<void> { return {}; }, stop);
}

StoreResult<Confirmations> Client::confirmations(const std::string& id,
                                                 const std::stop_token& stop) const {
  Confirmations out;
  TALLY_TRY(gateways_.ask_any(
      {{"GET", "/tx/" + id + "/status"}, kMaxEcho, "ask the status of " + id},
      [&](const http::Response& response) -> StoreResult<void> {
        out = {};
        if (response.status == 202) return {};
        if (response.status != 200) return fail(error_of(response));
        if (trimmed(response.body) == "Pending") return {};
        const Json json = Json::parse(response.body, nullptr, /*allow_exceptions=*/false);
        const auto count = count_in(json, {"number_of_confirmations"});
        if (!count) return mismatch("expected a number_of_confirmations");
        out = {true, *count};
        return {};
      },
      stop));
  return out;
}

StoreResult<Transaction> Client::transaction(const std::string& id,
                                             const std::stop_token& stop) const {
  Transaction out;
  const auto judge = [&](const http::Response& response) -> StoreResult<void> {
    if (response.status != 200) return fail(error_of(response));
    auto tx = Transaction::from_json(response.body);
    if (!tx.ok()) return mismatch(tx.error().message);
    if (tx->id() != id) return mismatch("it answered with another transaction, " + tx->id());
    if (!tx->is_valid()) return mismatch("the transaction's signature does not hold");
    out = *std::move(tx);
    return {};
  };
  TALLY_TRY(gateways_.ask_any({{"GET", "/tx/" + id}, kMaxTransactionJson, "read transaction " + id},
                              judge, stop));
  return out;
}

StoreResult<void> Client::data_by_chunks(const storage::Gateways& gateway, const Transaction& tx,
                                         Bytes& out, const std::stop_token& stop) const {
  std::uint64_t last_byte = 0;
  const auto read_offset = [&](const http::Response& response) -> StoreResult<void> {
    const Json json = Json::parse(response.body, nullptr, /*allow_exceptions=*/false);
    const auto offset = text_in(json, {"offset"});
    const auto size = text_in(json, {"size"});
    const auto end = offset ? parse_decimal(*offset) : std::nullopt;
    if (!end || !size || parse_decimal(*size) != tx.data_size || *end < tx.data_size - 1) {
      return mismatch("its offset and size are not those of the transaction");
    }
    last_byte = *end;
    return {};
  };
  TALLY_TRY(gateway.ask({{"GET", "/tx/" + tx.id() + "/offset"}, kMaxText, "find " + tx.id()},
                        read_offset, stop));
  const std::uint64_t first_byte = last_byte - (tx.data_size - 1);
  const auto read_chunk = [&](const http::Response& response) -> StoreResult<void> {
    const Json json = Json::parse(response.body, nullptr, /*allow_exceptions=*/false);
    const auto bytes = bytes_in(json, {"chunk"});
    const auto path = bytes_in(json, {"data_path"});
    const ChunkPlace place{*tx.data_root, tx.data_size, out.size()};
    const auto bounds = bytes && path ? check_chunk(place, *path, *bytes) : std::nullopt;
    if (!bounds || bounds->begin != out.size()) {
      return mismatch("the chunk at " + std::to_string(out.size()) + " is not the transaction's");
    }
    append(out, *bytes);
    return {};
  };
  while (out.size() < tx.data_size) {
    const auto asked =
        gateway.ask({{"GET", "/chunk/" + std::to_string(first_byte + out.size())},
                     kMaxChunkJson,
                     "read the chunk at " + std::to_string(out.size()) + " of " + tx.id()},
                    read_chunk, stop);
    if (!asked.ok()) return asked;
  }
  return {};
}

StoreResult<Bytes> Client::data(const Transaction& tx, const std::stop_token& stop) const {
  if (tx.data_size == 0) return Bytes();
  TALLY_ASSERT(tx.data_root.has_value());
  Bytes out;
  const auto take_whole = [&](const http::Response& response) -> StoreResult<void> {
    const ByteView body = as_bytes(response.body);
    if (body.size() != tx.data_size || build_chunk_tree(body).root != *tx.data_root) {
      return mismatch("the data are not the transaction's: " + std::to_string(body.size()) +
                      " bytes, of " + std::to_string(tx.data_size) + ", or others");
    }
    out = to_bytes(body);
    return {};
  };
  // Each chunk is proved, so those of one gateway go together with those of another.
  Bytes proved;
  const auto read = [&](const storage::Gateways& gateway) -> StoreResult<void> {
    const auto fetched = gateway.ask(
        {{"GET", "/" + tx.id()}, tx.data_size, "read the data of " + tx.id()}, take_whole, stop);
    if (fetched.ok() || fetched.error().fault == StoreFault::interrupted) return fetched;
    const auto chunks = data_by_chunks(gateway, tx, proved, stop);
    if (chunks.ok()) {
      out = std::move(proved);
      return {};
    }
    if (chunks.error().fault == StoreFault::interrupted) return chunks;
    return store_failure(fetched.error().fault,
                         fetched.error().message + "; " + chunks.error().message);
  };
  TALLY_TRY(gateways_.each(read, stop));
  return out;
}

StoreResult<DataItem> Client::item(const std::string& id, std::uint64_t max_bytes,
                                   const std::stop_token& stop) const {
  DataItem out;
  const auto read_header = [&](const http::Response& response) -> StoreResult<void> {
    const auto node = item_node(response);
    if (!node.ok()) return fail(node.error());
    auto header = item_header(*node);
    if (!header || header->id() != id) return mismatch("its index describes another data item");
    out = *std::move(header);
    return {};
  };
  const auto read_data = [&](const http::Response& response) -> StoreResult<void> {
    out.content.data = to_bytes(as_bytes(response.body));
    if (!out.is_valid()) return mismatch("the bytes are not those that the data item signs");
    return {};
  };
  const auto read = [&](const storage::Gateways& gateway) -> StoreResult<void> {
    TALLY_TRY(gateway.ask({item_question(id), kMaxIndexJson, "describe data item " + id},
                          read_header, stop));
    return gateway.ask({{"GET", "/" + id}, max_bytes, "read data item " + id}, read_data, stop);
  };
  const auto done = gateways_.each(read, stop);
  if (!done.ok()) return fail(done.error());
  return out;
}

StoreResult<Confirmations> Client::item_confirmations(const std::string& id,
                                                      const std::stop_token& stop) const {
  Confirmations out;
  std::optional<std::uint64_t> height;
  const auto read_node = [&](const http::Response& response) -> StoreResult<void> {
    const auto node = item_node(response);
    if (!node.ok()) return fail(node.error());
    height = count_in(*node, {"block", "height"});
    return {};
  };
  const auto read_info = [&](const http::Response& response) -> StoreResult<void> {
    const Json json = Json::parse(response.body, nullptr, /*allow_exceptions=*/false);
    const auto now = count_in(json, {"height"});
    if (!now || *now < *height) return mismatch("expected a height not below the data item's");
    out = {true, *now - *height + 1};
    return {};
  };
  const auto read = [&](const storage::Gateways& gateway) -> StoreResult<void> {
    TALLY_TRY(gateway.ask({item_question(id), kMaxIndexJson, "describe data item " + id}, read_node,
                          stop));
    out = {};
    if (!height) return {};
    return gateway.ask({{"GET", "/info"}, kMaxIndexJson, "ask the height"}, read_info, stop);
  };
  const auto done = gateways_.each(read, stop);
  if (!done.ok()) return fail(done.error());
  return out;
}

}  // namespace tally::arweave
