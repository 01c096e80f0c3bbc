// Bundles from gateways: what decodes has one encoding.
#include "client-sdk/arweave/bundle.hpp"
#include "tests/fuzz/target.hpp"

namespace tally::fuzz {

void run(ByteView input) {
  const auto items = arweave::decode_bundle(input);
  if (items.ok()) TALLY_ASSERT(equal(arweave::encode_bundle(*items), input));
  if (input.empty()) return;
  const auto tags = arweave::decode_tags(input.subspan(1), input[0]);
  if (tags) TALLY_ASSERT(equal(*arweave::encode_tags(*tags), input.subspan(1)));
}

}  // namespace tally::fuzz
