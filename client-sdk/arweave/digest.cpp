#include "client-sdk/arweave/digest.hpp"

#include <openssl/evp.h>

#include <string>

#include "primitives/assert.hpp"

namespace tally::arweave {

namespace {

Hash384 sha384_of(ByteView first, ByteView second) {
  Bytes both = to_bytes(first);
  append(both, second);
  return sha384(both);
}

Hash384 tag_hash(std::string_view kind, std::size_t count) {
  return sha384(as_bytes(std::string(kind) + std::to_string(count)));
}

}  // namespace

Hash384 sha384(ByteView data) {
  Hash384 out{};
  TALLY_ASSERT(EVP_Digest(data.data(), data.size(), out.data(), nullptr, EVP_sha384(), nullptr) ==
               1);
  return out;
}

Hash384 DeepValue::hash() const {
  if (const auto* blob = std::get_if<ByteView>(&value_)) {
    return sha384_of(tag_hash("blob", blob->size()), sha384(*blob));
  }
  const auto& list = std::get<std::vector<DeepValue>>(value_);
  Hash384 out = tag_hash("list", list.size());
  for (const DeepValue& item : list) out = sha384_of(out, item.hash());
  return out;
}

}  // namespace tally::arweave
