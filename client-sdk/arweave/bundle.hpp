// ANS-104 bundles: data items one after the other, as the data of one transaction.
//
//   u256 count | count × ( u256 size | id, 32 bytes ) | the items      (little endian)
//
// The transaction says so with the tags of bundle_tags().
// Source: ANS-104, section 2; vectors in tests/vectors/arweave/bundle.json.
#pragma once

#include "client-sdk/arweave/data_item.hpp"

namespace tally::arweave {

Tags bundle_tags();
bool is_bundle(const Tags& transaction_tags);

Bytes encode_bundle(const std::vector<DataItem>& items);
// Strict: sizes fill the bundle exactly, every item decodes and has the id that the header states.
// Says nothing of signatures.
Result<std::vector<DataItem>, Error> decode_bundle(ByteView bytes);

}  // namespace tally::arweave
