#include "primitives/derivation.hpp"
#include "tests/fuzz/target.hpp"

namespace tally::fuzz {

void run(ByteView input) {
  const std::string_view text = as_text(input);
  const auto entropy = parse_mnemonic(text);
  if (entropy.ok())
    TALLY_ASSERT(equal(parse_mnemonic(to_mnemonic(*entropy))->view(), entropy->view()));
  const auto uri = SecretUri::parse(text);
  if (!uri.ok()) {
    TALLY_ASSERT(!uri.error().message.empty());
    return;
  }
  TALLY_ASSERT(KeyPair::from_secret(KeyScheme::ed25519, uri->derive(KeyScheme::ed25519)));
  // One more junction is one more step of derivation.
  if (text.find("///") == text.npos) {
    const auto longer = SecretUri::parse(std::string(text) + "//x");
    TALLY_ASSERT(longer.ok() && longer->junctions.size() == uri->junctions.size() + 1);
  }
}

}  // namespace tally::fuzz
