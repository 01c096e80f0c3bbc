#include "runtime/version.hpp"

#include "primitives/crypto/hash.hpp"

namespace tally::runtime {

RuntimeVersion runtime_version() {
  const auto interface = [](std::string_view name, std::uint32_t version) {
    return InterfaceVersion{blake2_64(as_bytes(name)), version};
  };
  RuntimeVersion version;
  version.spec_name = "tallystick";
  version.impl_name = "tallystick-node";
  version.authoring_version = 1;
  version.spec_version = kSpecVersion;
  version.impl_version = 0;
  version.apis = {interface("Core", 5), interface("Metadata", 2),
                  interface("TaggedTransactionQueue", 3), interface("AccountNonceApi", 1),
                  interface("TransactionPaymentApi", 4)};
  version.transaction_version = kTransactionVersion;
  version.system_version = 1;
  return version;
}

}  // namespace tally::runtime
