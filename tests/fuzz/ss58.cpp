#include "primitives/ss58.hpp"

#include "tests/fuzz/target.hpp"

namespace tally::fuzz {

void run(ByteView input) {
  const std::string_view text = as_text(input);
  const auto address = parse_ss58(text);
  if (address.ok()) TALLY_ASSERT(to_ss58(address->account, address->prefix) == text);
  const auto account = parse_account(text);
  if (account.ok() && !text.starts_with("0x")) TALLY_ASSERT(to_ss58(*account) == text);
  if (const auto raw = from_base58(text, 64)) TALLY_ASSERT(to_base58(*raw) == text);
  if (input.size() <= 64) TALLY_ASSERT(equal(*from_base58(to_base58(input), 64), input));
}

}  // namespace tally::fuzz
