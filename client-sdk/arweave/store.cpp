#include "client-sdk/arweave/store.hpp"

#include <nlohmann/json.hpp>

#include "client-sdk/arweave/bundle.hpp"
#include "client-sdk/arweave/upload.hpp"
#include "client-sdk/content/files.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::arweave {

namespace {

using storage::store_failure;
using storage::Stored;

// Of a bundle with one data item: its list, and the longest header.
constexpr std::uint64_t kBundleOverhead =
    32 + 64 + 2 + 2 * kRsaBytes + 2 * 33 + 16 + kMaxItemTagBytes;

std::string winston(std::uint64_t amount) {
  return std::to_string(amount) + " winston";
}

StoreResult<void> check_id(const storage::ContentId& id) {
  if (id.store == StoreKind::arweave && content_id_is_valid(StoreKind::arweave, id.id)) return {};
  return store_failure(StoreFault::unsupported,
                       "expected an Arweave id (43 characters of base64url), got \"" + id.id +
                           "\" of " + std::string(enumerator_name(id.store)));
}

Failure<StoreError> too_large(std::uint64_t size, std::uint64_t most) {
  return store_failure(StoreFault::too_large, "it has " + std::to_string(size) +
                                                  " bytes, at most " + std::to_string(most) +
                                                  " were asked for");
}

// The blob in a transaction's data.
StoreResult<Bytes> unpack(const Transaction& tx, Bytes data) {
  if (!is_bundle(tx.tags)) return data;
  auto items = decode_bundle(data);
  if (!items.ok()) return store_failure(StoreFault::mismatch, items.error().message);
  if (items->size() != 1) {
    return store_failure(StoreFault::unsupported,
                         "the transaction bundles " + std::to_string(items->size()) +
                             " data items, where a blob is one: ask for the item's own id");
  }
  if (!items->front().is_valid()) {
    return store_failure(StoreFault::mismatch, "the data item's signature does not hold");
  }
  return std::move(items->front().content.data);
}

storage::BlobStatus to_status(const Confirmations& confirmations) {
  using storage::Presence;
  if (!confirmations.mined) return {Presence::pending, 0};
  const bool deep = confirmations.count >= kDeepConfirmations;
  return {deep ? Presence::deep : Presence::confirmed, confirmations.count};
}

}  // namespace

Result<ArweaveStore, Error> ArweaveStore::open(const StoreConfig& config) {
  Tags all = config.tags;
  for (Tag& tag : bundle_tags()) all.push_back(std::move(tag));
  if (!item_tags_are_valid(all) || !transaction_tags_are_valid(all)) {
    return fail_with("the tags exceed what a transaction may carry: 2048 bytes, none empty");
  }
  std::optional<storage::Gateways> bundler;
  if (!config.bundler_url.empty()) {
    storage::GatewayConfig single = config.gateways;
    single.urls = {config.bundler_url};
    bundler = TALLY_TRY(storage::Gateways::open(single));
  }
  auto gateways = TALLY_TRY(storage::Gateways::open(config.gateways));
  return ArweaveStore(config, Client(std::move(gateways)), std::move(bundler));
}

Bytes ArweaveStore::transaction_data(ByteView blob, Tags& tags) const {
  tags = config_.tags;
  if (!config_.account) return to_bytes(blob);
  for (Tag& tag : bundle_tags()) tags.push_back(std::move(tag));
  return encode_bundle({sign_item(*config_.account, {config_.tags, to_bytes(blob)})});
}

StoreResult<std::uint64_t> ArweaveStore::quote(std::uint64_t blob_bytes,
                                               const std::stop_token& stop) const {
  if (!config_.wallet) return std::uint64_t{0};
  Tags tags;
  const std::uint64_t overhead = transaction_data({}, tags).size();
  return client_.price(blob_bytes + overhead, stop);
}

StoreResult<ArweaveStore::Upload> ArweaveStore::start_upload(
    ByteView blob, const storage::PutOptions& options) const {
  Upload out;
  out.file = Upload::file_of(options.folder, blob);
  Tags tags;
  out.data = transaction_data(blob, tags);
  out.tree = build_chunk_tree(out.data);
  const std::uint64_t price = TALLY_TRY(client_.price(out.data.size(), options.stop));
  if (price > config_.max_price_winston) {
    return store_failure(StoreFault::refused, "storing " + std::to_string(out.data.size()) +
                                                  " bytes costs " + winston(price) +
                                                  ", above the maximum of " +
                                                  winston(config_.max_price_winston) +
                                                  ": raise the maximum to pay that");
  }
  const std::string address = address_of(config_.wallet->modulus());
  const auto balance = client_.balance(address, options.stop);
  if (!balance.ok()) return fail(balance.error());
  if (*balance < price) {
    return store_failure(StoreFault::refused, "storing it costs " + winston(price) +
                                                  ", the wallet " + address + " has " +
                                                  winston(*balance) + ": send it some AR");
  }
  out.tx = Transaction::for_data(out.data, std::move(tags));
  out.tx.reward_winston = price;
  auto anchor = client_.anchor(options.stop);
  if (!anchor.ok()) return fail(anchor.error());
  out.tx.last_tx = *std::move(anchor);
  out.tx.sign(*config_.wallet);
  TALLY_TRY(out.create());
  return out;
}

StoreResult<void> ArweaveStore::check_price(const Upload& upload,
                                            const std::stop_token& stop) const {
  const auto now = client_.price(upload.tx.data_size, stop);
  if (!now.ok()) return fail(now.error());
  if (*now <= upload.tx.reward_winston) return {};
  TALLY_TRY(upload.forget());
  return store_failure(StoreFault::refused,
                       "the price rose from " + winston(upload.tx.reward_winston) + " to " +
                           winston(*now) +
                           " between the quote and the post: nothing was sent or paid; put it "
                           "again for a new quote");
}

StoreResult<void> ArweaveStore::post_transaction(Upload& upload,
                                                 const std::stop_token& stop) const {
  Transaction sent = upload.tx;
  if (upload.is_inline()) sent.data = upload.data;
  upload.chunks = 0;
  upload.sent = true;
  TALLY_TRY(upload.save());
  const auto posted = client_.post(sent, stop);
  if (!posted.ok()) return posted;
  if (upload.is_inline()) upload.chunks = upload.tree.chunks.size();
  return upload.save();
}

StoreResult<void> ArweaveStore::post_chunks(Upload& upload,
                                            const storage::PutOptions& options) const {
  const auto tell = [&] {
    if (!options.progress) return;
    const std::uint64_t done = upload.chunks == 0 ? 0 : upload.tree.chunks[upload.chunks - 1].end;
    options.progress({done, upload.data.size()});
  };
  tell();
  while (upload.chunks < upload.tree.chunks.size()) {
    const Chunk& chunk = upload.tree.chunks[upload.chunks];
    const ByteView bytes = ByteView(upload.data).subspan(chunk.begin, chunk.end - chunk.begin);
    const auto posted = client_.post_chunk(upload.tx, chunk, bytes, options.stop);
    if (!posted.ok()) return posted;
    ++upload.chunks;
    TALLY_TRY(upload.save());
    tell();
  }
  return {};
}

// Of a transaction that may have been sent: posts it again where it is not known, and once it was
// complete, begins again with its chunks where the blob cannot be read.
StoreResult<void> ArweaveStore::resume(Upload& upload, ByteView blob, const std::stop_token& stop) {
  const auto known = client_.confirmations(upload.tx.id(), stop);
  if (!known.ok() && known.error().fault != StoreFault::not_found) return fail(known.error());
  if (!known.ok()) return post_transaction(upload, stop);
  if (!upload.complete) return {};
  const auto read = get({StoreKind::arweave, upload.tx.id()}, blob.size(), stop);
  if (read.ok() && equal(*read, blob)) return {};
  if (!read.ok() && read.error().fault == StoreFault::interrupted) return fail(read.error());
  // Data of one chunk are accepted as a chunk too, whatever way they came first.
  upload.chunks = 0;
  return {};
}

StoreResult<Stored> ArweaveStore::put(ByteView blob, const storage::PutOptions& options) {
  if (blob.size() + kBundleOverhead > kMaxStoredBytes) {
    return too_large(blob.size(), kMaxStoredBytes - kBundleOverhead);
  }
  const auto made = content::make_private_folder(options.folder);
  if (!made.ok()) return store_failure(StoreFault::local, made.error().message);
  if (!config_.wallet) return put_item(blob, options);
  auto loaded = TALLY_TRY(Upload::load(Upload::file_of(options.folder, blob)));
  if (!loaded) {
    auto started = start_upload(blob, options);
    if (!started.ok()) return fail(started.error());
    loaded = *std::move(started);
  }
  Upload& upload = *loaded;
  if (!upload.sent) {
    const auto price = check_price(upload, options.stop);
    if (!price.ok()) return fail(price.error());
    const auto posted = post_transaction(upload, options.stop);
    if (!posted.ok()) return fail(posted.error());
  } else {
    const auto resumed = resume(upload, blob, options.stop);
    if (!resumed.ok()) return fail(resumed.error());
  }
  const auto sent = post_chunks(upload, options);
  if (!sent.ok()) return fail(sent.error());
  upload.complete = true;
  TALLY_TRY(upload.save());
  return Stored{{StoreKind::arweave, upload.tx.id()}, upload.tx.reward_winston};
}

StoreResult<Stored> ArweaveStore::put_item(ByteView blob,
                                           const storage::PutOptions& options) const {
  if (!config_.account || !bundler_) {
    return store_failure(StoreFault::refused,
                         "nobody would pay: give an Arweave wallet, or an account and a bundler");
  }
  // The same blob gives the same data item, so that it needs no journal.
  const DataItem item = sign_item(*config_.account, {config_.tags, to_bytes(blob)});
  const auto posted = bundler_->ask_any(
      {{"POST", "/tx", "application/octet-stream", std::string(as_text(item.encode()))},
       64 << 10,
       "post data item " + item.id()},
      [&](const http::Response& response) -> StoreResult<void> {
        // 202: it has this item already.
        if (response.status == 202) return {};
        if (response.status != 200 && response.status != 201) {
          return fail(storage::error_of(response));
        }
        const auto json = nlohmann::json::parse(response.body, nullptr, /*allow_exceptions=*/false);
        if (json.is_object() && json.contains("id") && json["id"] == item.id()) return {};
        return store_failure(StoreFault::mismatch, "it took another data item than was sent");
      },
      options.stop);
  if (!posted.ok()) return fail(posted.error());
  if (options.progress) options.progress({blob.size(), blob.size()});
  return Stored{{StoreKind::arweave, item.id()}, 0};
}

StoreResult<Bytes> ArweaveStore::get(const storage::ContentId& id, std::uint64_t max_bytes,
                                     const std::stop_token& stop) {
  TALLY_TRY(check_id(id));
  const auto tx = client_.transaction(id.id, stop);
  if (!tx.ok() && tx.error().fault == StoreFault::not_found) {
    auto item = client_.item(id.id, max_bytes, stop);
    if (!item.ok()) return fail(item.error());
    return std::move(item->content.data);
  }
  if (!tx.ok()) return fail(tx.error());
  const std::uint64_t overhead = is_bundle(tx->tags) ? kBundleOverhead : 0;
  if (tx->data_size > max_bytes && tx->data_size - max_bytes > overhead) {
    return too_large(tx->data_size, max_bytes);
  }
  auto data = client_.data(*tx, stop);
  if (!data.ok()) return fail(data.error());
  auto blob = unpack(*tx, *std::move(data));
  if (blob.ok() && blob->size() > max_bytes) return too_large(blob->size(), max_bytes);
  return blob;
}

StoreResult<storage::BlobStatus> ArweaveStore::status(const storage::ContentId& id,
                                                      const std::stop_token& stop) {
  TALLY_TRY(check_id(id));
  const auto mined = client_.confirmations(id.id, stop);
  if (mined.ok()) return to_status(*mined);
  if (mined.error().fault != StoreFault::not_found) return fail(mined.error());
  const auto item = client_.item_confirmations(id.id, stop);
  if (item.ok()) return to_status(*item);
  if (item.error().fault != StoreFault::not_found) return fail(item.error());
  return storage::BlobStatus{storage::Presence::absent, 0};
}

}  // namespace tally::arweave
