#include "tests/gateway/network.hpp"

#include <nlohmann/json.hpp>

#include "client-sdk/arweave/bundle.hpp"
#include "client-sdk/arweave/chunk_tree.hpp"
#include "primitives/base64url.hpp"
#include "primitives/content_id.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::gateway {

namespace {

using arweave::Transaction;
using Json = nlohmann::json;

constexpr std::uint64_t kPricePerTransaction = 1'000;
constexpr std::uint64_t kPricePerChunk = 50;
constexpr std::size_t kMaxBlockBytes = 1 << 20;

Answer bad(std::string why) {
  return {400, std::move(why)};
}
Answer not_found() {
  return {404, "Not Found"};
}
Answer json_answer(const Json& json) {
  return {200, json.dump(), "application/json"};
}

std::optional<std::string> text_of(const Json& json, const char* name) {
  if (!json.is_object() || !json.contains(name) || !json[name].is_string()) return std::nullopt;
  return json[name].get<std::string>();
}
std::optional<std::uint64_t> number_of(const Json& json, const char* name) {
  const auto text = text_of(json, name);
  return text ? arweave::parse_decimal(*text) : std::nullopt;
}
std::optional<Bytes> bytes_of(const Json& json, const char* name) {
  const auto text = text_of(json, name);
  return text ? from_base64url(*text) : std::nullopt;
}

Bytes joined(const std::map<std::uint64_t, Bytes>& chunks) {
  Bytes out;
  for (const auto& [begin, bytes] : chunks) {
    if (begin != out.size()) break;
    append(out, bytes);
  }
  return out;
}

// The only part of a form, as `curl -F` and IPFS clients send one.
std::optional<std::string> only_part(const Question& question) {
  const auto at = question.content_type.find("boundary=");
  if (!question.content_type.starts_with("multipart/form-data") || at == std::string::npos) {
    return std::nullopt;
  }
  const std::string boundary = "--" + question.content_type.substr(at + 9);
  const std::string end = "\r\n" + boundary + "--\r\n";
  const auto begin = question.body.find("\r\n\r\n");
  if (!question.body.starts_with(boundary + "\r\n") || !question.body.ends_with(end) ||
      begin == std::string::npos || begin + 4 + end.size() > question.body.size()) {
    return std::nullopt;
  }
  return question.body.substr(begin + 4, question.body.size() - end.size() - begin - 4);
}

}  // namespace

std::uint64_t Network::price_of(std::uint64_t bytes) const {
  const std::uint64_t chunks = (bytes + arweave::kMaxChunkBytes - 1) / arweave::kMaxChunkBytes;
  return (kPricePerTransaction + chunks * kPricePerChunk) * price_factor_;
}

std::uint64_t Network::balance(const std::string& address) const {
  const auto found = balances_.find(address);
  return found == balances_.end() ? 0 : found->second;
}

void Network::mine(unsigned blocks) {
  for (unsigned i = 0; i < blocks; ++i) {
    ++height_;
    for (auto& [id, stored] : transactions_) {
      if (!stored.height) stored.height = height_;
    }
    for (auto& [id, stored] : items_) {
      if (!stored.height) stored.height = height_;
    }
  }
}

void Network::jump_price(unsigned after_quotes, std::uint64_t factor) {
  jump_ = {quotes_ + after_quotes, factor};
}

void Network::forget(const std::string& id) {
  transactions_.erase(id);
  items_.erase(id);
}

void Network::forget_data(const std::string& id) {
  const auto found = transactions_.find(id);
  if (found == transactions_.end()) return;
  found->second.chunks.clear();
  found->second.paths.clear();
}

std::optional<std::string> Network::another(const std::string& id) const {
  for (const auto& [other, stored] : transactions_) {
    if (other != id) return stored.tx.to_json();
  }
  return std::nullopt;
}

std::string Network::new_anchor() {
  const auto bytes = sha256(as_bytes("anchor " + std::to_string(anchors_.size())));
  anchors_.insert(std::string(as_text(bytes)));
  return to_base64url(bytes);
}

Answer Network::answer(const Question& question) {
  const std::string& target = question.target;
  if (question.method == "GET") return get(target);
  if (question.method != "POST") return {405, "Method Not Allowed"};
  if (target == "/tx") return post_transaction(question);
  if (target == "/chunk") return post_chunk(question);
  if (target == "/bundler/tx") return post_item(question);
  if (target == "/graphql") return ask_index(question);
  if (target.starts_with("/api/v0/block/put?")) return post_block(question);
  return not_found();
}

Answer Network::get(const std::string& target) {
  const auto after = [&](std::string_view prefix) -> std::optional<std::string> {
    if (!target.starts_with(prefix)) return std::nullopt;
    return target.substr(prefix.size());
  };
  if (target == "/info") {
    return json_answer({{"network", "tallystick.test"}, {"height", height_}});
  }
  if (target == "/tx_anchor") return {200, new_anchor()};
  if (const auto rest = after("/price/")) {
    const auto bytes = arweave::parse_decimal(rest->substr(0, rest->find('/')));
    if (!bytes) return bad("size_must_be_an_integer");
    if (jump_ && ++quotes_ > jump_->first) {
      price_factor_ *= jump_->second;
      jump_.reset();
    }
    return {200, std::to_string(price_of(*bytes))};
  }
  if (const auto rest = after("/wallet/")) {
    const std::string address = rest->substr(0, rest->find('/'));
    if (*rest != address + "/balance") return not_found();
    return {200, std::to_string(balance(address))};
  }
  if (const auto rest = after("/mint/")) {
    const auto slash = rest->find('/');
    const auto amount =
        slash == std::string::npos ? std::nullopt : arweave::parse_decimal(rest->substr(slash + 1));
    if (!amount) return bad("expected /mint/ADDRESS/WINSTON");
    mint(rest->substr(0, slash), *amount);
    return {200, std::to_string(balance(rest->substr(0, slash)))};
  }
  if (const auto rest = after("/mine")) {
    const auto blocks =
        rest->empty() ? std::optional<std::uint64_t>(1) : arweave::parse_decimal(rest->substr(1));
    if (!blocks || *blocks > 1'000) return bad("expected /mine or /mine/BLOCKS");
    mine(static_cast<unsigned>(*blocks));
    return json_answer({{"height", height_}});
  }
  if (const auto rest = after("/tx/")) return get_transaction(*rest);
  if (const auto rest = after("/chunk/")) return get_chunk(*rest);
  if (const auto rest = after("/ipfs/")) {
    const auto found = blocks_.find(rest->substr(0, rest->find('?')));
    if (found == blocks_.end()) return not_found();
    return {200, std::string(as_text(found->second)), "application/vnd.ipld.raw"};
  }
  return get_data(target.substr(1));
}

Answer Network::status_of(const StoredTransaction& stored) const {
  if (!stored.height) return {202, "Pending"};
  return json_answer({{"block_height", *stored.height},
                      {"block_indep_hash", std::string(64, 'A')},
                      {"number_of_confirmations", height_ - *stored.height + 1}});
}

Answer Network::get_transaction(const std::string& rest) {
  const auto slash = rest.find('/');
  const auto found = transactions_.find(rest.substr(0, slash));
  if (found == transactions_.end()) return not_found();
  const StoredTransaction& stored = found->second;
  if (slash == std::string::npos) return {200, stored.tx.to_json(), "application/json"};
  const std::string what = rest.substr(slash);
  if (what == "/status") return status_of(stored);
  if (what == "/offset") {
    return json_answer({{"offset", std::to_string(stored.end - 1)},
                        {"size", std::to_string(stored.tx.data_size)}});
  }
  return not_found();
}

Answer Network::get_chunk(const std::string& offset) {
  const auto at = arweave::parse_decimal(offset);
  if (!at) return bad("invalid_offset");
  for (const auto& [id, stored] : transactions_) {
    const std::uint64_t begin = stored.end - stored.tx.data_size;
    if (*at < begin || *at >= stored.end) continue;
    for (const auto& [chunk_begin, bytes] : stored.chunks) {
      if (*at - begin < chunk_begin || *at - begin >= chunk_begin + bytes.size()) continue;
      return json_answer({{"chunk", to_base64url(bytes)},
                          {"data_path", to_base64url(stored.paths.at(chunk_begin))}});
    }
  }
  return not_found();
}

Answer Network::get_data(const std::string& id) {
  if (const auto item = items_.find(id); item != items_.end()) {
    return {200, std::string(as_text(item->second.item.content.data)), "application/octet-stream"};
  }
  const auto found = transactions_.find(id);
  if (found == transactions_.end()) return not_found();
  const Bytes data = joined(found->second.chunks);
  if (data.size() != found->second.tx.data_size) return {404, "its data are not here"};
  return {200, std::string(as_text(data)), "application/octet-stream"};
}

// Empty if a transaction is to be taken.
std::string Network::why_not(const Transaction& tx) const {
  if (tx.owner.size() != arweave::kRsaBytes) return "the owner's key has not 4096 bits";
  if (!tx.is_valid()) return "the signature, or the data, do not hold";
  const auto anchor = std::string(as_text(tx.last_tx));
  if (anchors_.count(anchor) == 0) return "tx_anchor is none of this gateway";
  if (tx.reward_winston < price_of(tx.data_size)) {
    return "reward " + std::to_string(tx.reward_winston) + " is below the price " +
           std::to_string(price_of(tx.data_size));
  }
  if (paid_.count(tx.id()) != 0) return "";
  const std::uint64_t most = balance(arweave::address_of(tx.owner));
  if (tx.reward_winston > most || tx.quantity_winston > most - tx.reward_winston) {
    return "the balance " + std::to_string(most) + " is too low";
  }
  return "";
}

void Network::take(const Transaction& tx) {
  const std::string id = tx.id();
  StoredTransaction stored{tx, {}, {}, 0, {}};
  if (paid_.insert(id).second) {
    balances_[arweave::address_of(tx.owner)] -= tx.reward_winston + tx.quantity_winston;
    if (tx.quantity_winston > 0) balances_[to_base64url(tx.target)] += tx.quantity_winston;
  }
  weave_size_ += tx.data_size;
  stored.end = weave_size_;
  if (!tx.data.empty()) {
    for (const arweave::Chunk& chunk : arweave::build_chunk_tree(tx.data).chunks) {
      const ByteView bytes = ByteView(tx.data).subspan(chunk.begin, chunk.end - chunk.begin);
      stored.chunks[chunk.begin] = to_bytes(bytes);
      stored.paths[chunk.begin] = chunk.path;
    }
  }
  stored.tx.data.clear();
  transactions_[id] = std::move(stored);
}

Answer Network::post_transaction(const Question& question) {
  if (question.content_type != "application/json") return {415, "expected application/json"};
  const auto tx = Transaction::from_json(question.body);
  if (!tx.ok()) return bad(tx.error().message);
  if (transactions_.count(tx->id()) != 0) return {208, "Transaction already processed."};
  if (const std::string why = why_not(*tx); !why.empty()) return bad(why);
  take(*tx);
  return {200, "OK"};
}

Answer Network::post_chunk(const Question& question) {
  const Json json = Json::parse(question.body, nullptr, /*allow_exceptions=*/false);
  const auto root = bytes_of(json, "data_root");
  const auto size = number_of(json, "data_size");
  const auto path = bytes_of(json, "data_path");
  const auto offset = number_of(json, "offset");
  const auto chunk = bytes_of(json, "chunk");
  if (!root || root->size() != 32 || !size || !path || !offset || !chunk || json.size() != 5) {
    return bad("expected data_root, data_size, data_path, offset and chunk");
  }
  arweave::ChunkPlace place{{}, *size, *offset};
  std::copy(root->begin(), root->end(), place.root.begin());
  const auto bounds = arweave::check_chunk(place, *path, *chunk);
  if (!bounds) return bad("invalid_proof");
  if (*offset + 1 != bounds->end) return bad("offset is not the chunk's last byte");
  for (auto& [id, stored] : transactions_) {
    if (stored.tx.data_root != place.root || stored.tx.data_size != *size) continue;
    stored.chunks[bounds->begin] = *chunk;
    stored.paths[bounds->begin] = *path;
    return {200, "OK"};
  }
  return bad("data_root_not_found");
}

Answer Network::post_item(const Question& question) {
  if (question.content_type != "application/octet-stream") {
    return {415, "expected application/octet-stream"};
  }
  const auto item = arweave::DataItem::decode(as_bytes(question.body));
  if (!item.ok()) return bad(item.error().message);
  if (!item->is_valid()) return bad("the data item's signature does not hold");
  if (items_.count(item->id()) != 0) return {202, "Already Received"};
  items_[item->id()] = {*item, {}};
  return json_answer({{"id", item->id()}});
}

Answer Network::post_block(const Question& question) {
  if (question.target.find("cid-codec=raw") == std::string::npos) {
    return bad("this node takes raw blocks only");
  }
  const auto part = only_part(question);
  if (!part) return bad("expected a form with one part");
  if (part->size() > kMaxBlockBytes) return {500, "produced block is over 1MiB"};
  const Bytes bytes = to_bytes(as_bytes(*part));
  const std::string cid = raw_cid(bytes).to_text();
  blocks_[cid] = bytes;
  return json_answer({{"Key", cid}, {"Size", bytes.size()}});
}

Answer Network::ask_index(const Question& question) {
  const Json json = Json::parse(question.body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !text_of(json, "query") || !json.contains("variables")) {
    return bad("expected query and variables");
  }
  const auto id = text_of(json["variables"], "id");
  const auto found = id ? items_.find(*id) : items_.end();
  if (found == items_.end()) return json_answer({{"data", {{"transaction", nullptr}}}});
  const auto& [item, height] = found->second;
  const auto text = [](const std::optional<arweave::Hash256>& bytes) {
    return bytes ? to_base64url(*bytes) : "";
  };
  Json tags = Json::array();
  for (const arweave::Tag& tag : item.content.tags) {
    tags.push_back({{"name", tag.name}, {"value", tag.value}});
  }
  Json node = {{"id", item.id()},
               {"anchor", text(item.content.anchor)},
               {"signature", to_base64url(item.signature)},
               {"recipient", text(item.content.target)},
               {"owner", {{"key", to_base64url(item.owner)}}},
               {"tags", std::move(tags)},
               {"block", nullptr}};
  if (height) node["block"] = Json{{"height", *height}};
  return json_answer({{"data", {{"transaction", std::move(node)}}}});
}

}  // namespace tally::gateway
