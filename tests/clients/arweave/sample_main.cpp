// What other programs are held against:
//
//   tally-arweave-sample make JWK                    transactions and data items of ours, as JSON
//   tally-arweave-sample put URL JWK FOLDER SCHEME < BLOB
//                           stores a blob; SCHEME of the account that signs the data item: ed25519,
//                           ecdsa, or none for a plain transaction; prints the content id
//   tally-arweave-sample get URL ID > BLOB
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "client-sdk/arweave/bundle.hpp"
#include "client-sdk/arweave/chunk_tree.hpp"
#include "client-sdk/arweave/store.hpp"
#include "primitives/base64url.hpp"

namespace {

using namespace tally;
using nlohmann::json;

std::string read_all(std::istream& stream) {
  return {std::istreambuf_iterator<char>(stream), {}};
}

arweave::RsaKey read_jwk(const char* path) {
  std::ifstream file(path);
  auto key = arweave::RsaKey::from_jwk(read_all(file));
  if (!key.ok()) {
    std::fprintf(stderr, "%s: %s\n", path, key.error().message.c_str());
    std::exit(1);
  }
  return *key;
}

KeyPair account(KeyScheme scheme) {
  std::array<std::uint8_t, 32> secret{};
  secret.fill(11);
  return *KeyPair::from_secret(scheme, Secret(secret));
}

Bytes some_data(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * i >> 7);
  return out;
}

json transaction_json(const arweave::RsaKey& key, std::size_t size) {
  const Bytes data = some_data(size);
  auto tx = arweave::Transaction::for_data(data, {{"App-Name", "Tallystick"}, {"Größe", "☃"}});
  tx.last_tx = Bytes(48, 7);
  tx.reward_winston = 65'596;
  tx.sign(key);
  json chunks = json::array();
  for (const auto& chunk : arweave::build_chunk_tree(data).chunks) {
    chunks.push_back({{"offset", chunk.offset()},
                      {"begin", chunk.begin},
                      {"end", chunk.end},
                      {"data_path", to_base64url(chunk.path)}});
  }
  return {{"tx", json::parse(tx.to_json())}, {"data", to_base64url(data)}, {"chunks", chunks}};
}

int make(const arweave::RsaKey& key) {
  json transactions = json::array();
  for (const std::size_t size : {1u, 262'144u, 262'145u, 600'000u, 1'048'576u}) {
    transactions.push_back(transaction_json(key, size));
  }
  std::vector<arweave::DataItem> items;
  for (const std::size_t size : {0u, 100u, 300'000u}) {
    arweave::ItemContent content{{}, some_data(size)};
    if (size > 0) content.tags = {{"App-Name", "Tallystick"}, {"Größe", "☃"}};
    if (size > 100) content.target.emplace().fill(3);
    if (size > 100) content.anchor.emplace().fill('a');
    items.push_back(sign_item(key, content));
    items.push_back(sign_item(account(KeyScheme::ed25519), content));
    items.push_back(sign_item(account(KeyScheme::ecdsa), content));
  }
  json item_list = json::array();
  for (const auto& item : items) {
    item_list.push_back({{"id", item.id()},
                         {"type", static_cast<int>(item.type)},
                         {"raw", to_base64url(item.encode())},
                         {"data", to_base64url(item.content.data)}});
  }
  std::cout << json{{"transactions", transactions},
                    {"items", item_list},
                    {"bundle", to_base64url(arweave::encode_bundle(items))}}
                   .dump();
  return 0;
}

arweave::ArweaveStore open_store(const arweave::StoreConfig& config) {
  auto store = arweave::ArweaveStore::open(config);
  if (!store.ok()) {
    std::fprintf(stderr, "%s\n", store.error().message.c_str());
    std::exit(1);
  }
  return *std::move(store);
}

int put(char** argv) {
  arweave::StoreConfig config;
  config.gateways.urls = {argv[2]};
  config.wallet = read_jwk(argv[3]);
  config.max_price_winston = ~std::uint64_t{0};
  const std::string scheme = argv[5];
  if (scheme == "ed25519") config.account = account(KeyScheme::ed25519);
  if (scheme == "ecdsa") config.account = account(KeyScheme::ecdsa);
  const std::string blob = read_all(std::cin);
  const auto stored = open_store(config).put(as_bytes(blob), {.folder = argv[4]});
  if (!stored.ok()) {
    std::fprintf(stderr, "%s\n", stored.error().message.c_str());
    return 1;
  }
  std::cout << stored->id.id;
  return 0;
}

int get(char** argv) {
  arweave::StoreConfig config;
  config.gateways.urls = {argv[2]};
  const auto blob = open_store(config).get({StoreKind::arweave, argv[3]}, arweave::kMaxStoredBytes);
  if (!blob.ok()) {
    std::fprintf(stderr, "%s\n", blob.error().message.c_str());
    return 1;
  }
  std::cout << as_text(*blob);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "make" && argc == 3) return make(read_jwk(argv[2]));
  if (mode == "put" && argc == 6) return put(argv);
  if (mode == "get" && argc == 4) return get(argv);
  std::fprintf(stderr, "expected make, put or get: see the head of the source file\n");
  return 2;
}
