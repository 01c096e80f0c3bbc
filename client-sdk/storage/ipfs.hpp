// IPFS as a store, over HTTP: blobs of up to 1 MiB, each one raw block.
//
// put() sends the block to a node's RPC API (POST <api>/api/v0/block/put); get() asks gateways for
// <gateway>/ipfs/CID?format=raw. What comes is hashed: its CID (version 1, codec raw, sha2-256)
// must be the one asked for. Ids of files that IPFS cut into blocks itself (codec dag-pb, CIDv0)
// are refused, since the id is then no hash of the bytes.
//
// A node keeps what it was given while it likes: whoever wants more pins it.
// Source: IPFS Kubo RPC API v0, IPFS path gateway and trustless gateway specifications.
#pragma once

#include <optional>

#include "client-sdk/storage/gateways.hpp"

namespace tally::storage {

constexpr std::uint64_t kMaxIpfsBlock = 1 << 20;

struct IpfsConfig {
  GatewayConfig gateways;
  std::string api_url{};  // needed to put
};

class IpfsStore final : public BlobStore {
 public:
  static Result<IpfsStore, Error> open(const IpfsConfig& config);

  StoreKind kind() const override { return StoreKind::ipfs; }
  StoreResult<Stored> put(ByteView blob, const PutOptions& options) override;
  StoreResult<Bytes> get(const ContentId& id, std::uint64_t max_bytes,
                         const std::stop_token& stop = {}) override;
  StoreResult<BlobStatus> status(const ContentId& id, const std::stop_token& stop = {}) override;

 private:
  IpfsStore(Gateways gateways, std::optional<Gateways> api)
      : gateways_(std::move(gateways)), api_(std::move(api)) {}
  Gateways gateways_;
  std::optional<Gateways> api_;
};

}  // namespace tally::storage
