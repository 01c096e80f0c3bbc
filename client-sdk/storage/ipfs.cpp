#include "client-sdk/storage/ipfs.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "primitives/crypto/hash.hpp"

namespace tally::storage {

namespace {

StoreResult<void> check_id(const ContentId& id) {
  const auto cid = id.store == StoreKind::ipfs ? Cid::parse(id.id) : std::nullopt;
  if (!cid) {
    return store_failure(
        StoreFault::unsupported,
        "expected an IPFS CID, got \"" + id.id + "\" of " + std::string(enumerator_name(id.store)));
  }
  if (cid->codec != kCodecRaw) {
    return store_failure(StoreFault::unsupported,
                         id.id +
                             " names a file that was cut into blocks (dag-pb, or another codec); "
                             "only raw blocks (CIDv1, codec raw) can be checked against their id");
  }
  return {};
}

// A form with one part, as the API takes blocks; the boundary does not occur in the blob.
http::Request block_request(ByteView blob) {
  const std::string boundary = "tally-" + to_hex(sha256(blob));
  http::Request out{"POST", "/api/v0/block/put?cid-codec=raw&mhtype=sha2-256&pin=true",
                    "multipart/form-data; boundary=" + boundary, ""};
  out.body = "--" + boundary +
             "\r\nContent-Disposition: form-data; name=\"data\"; filename=\"blob\"\r\n"
             "Content-Type: application/octet-stream\r\n\r\n";
  out.body += as_text(blob);
  out.body += "\r\n--" + boundary + "--\r\n";
  return out;
}

}  // namespace

Result<IpfsStore, Error> IpfsStore::open(const IpfsConfig& config) {
  std::optional<Gateways> api;
  if (!config.api_url.empty()) {
    GatewayConfig single = config.gateways;
    single.urls = {config.api_url};
    api = TALLY_TRY(Gateways::open(single));
  }
  auto gateways = TALLY_TRY(Gateways::open(config.gateways));
  return IpfsStore(std::move(gateways), std::move(api));
}

StoreResult<Stored> IpfsStore::put(ByteView blob, const PutOptions& options) {
  if (blob.size() > kMaxIpfsBlock) {
    return store_failure(StoreFault::too_large,
                         "an IPFS block holds at most " + std::to_string(kMaxIpfsBlock) +
                             " bytes, the blob has " + std::to_string(blob.size()) +
                             ": use another store");
  }
  if (!api_) {
    return store_failure(StoreFault::refused, "to put blocks, give the URL of a node's RPC API");
  }
  const std::string cid = raw_cid(blob).to_text();
  const auto accept = [&](const http::Response& response) -> StoreResult<void> {
    const auto json = nlohmann::json::parse(response.body, nullptr, /*allow_exceptions=*/false);
    if (json.is_object() && json.contains("Key") && json["Key"] == cid) return {};
    return store_failure(StoreFault::mismatch, "it took another block than " + cid);
  };
  const auto put = api_->ask({block_request(blob), 4096, "put block " + cid}, accept, options.stop);
  if (!put.ok()) return fail(put.error());
  if (options.progress) options.progress({blob.size(), blob.size()});
  return Stored{{StoreKind::ipfs, cid}};
}

StoreResult<Bytes> IpfsStore::get(const ContentId& id, std::uint64_t max_bytes,
                                  const std::stop_token& stop) {
  TALLY_TRY(check_id(id));
  Bytes out;
  const auto accept = [&](const http::Response& response) -> StoreResult<void> {
    const ByteView body = as_bytes(response.body);
    if (raw_cid(body).to_text() != id.id) {
      return store_failure(StoreFault::mismatch, "its bytes have another CID");
    }
    out = to_bytes(body);
    return {};
  };
  const auto got = gateways_.ask({{"GET", "/ipfs/" + id.id + "?format=raw"},
                                  std::min(max_bytes, kMaxIpfsBlock),
                                  "read " + id.id},
                                 accept, stop);
  if (!got.ok()) return fail(got.error());
  return out;
}

StoreResult<BlobStatus> IpfsStore::status(const ContentId& id, const std::stop_token& stop) {
  const auto got = get(id, kMaxIpfsBlock, stop);
  if (got.ok()) return BlobStatus{Presence::deep, 0};
  if (got.error().fault == StoreFault::not_found) return BlobStatus{Presence::absent, 0};
  return fail(got.error());
}

}  // namespace tally::storage
