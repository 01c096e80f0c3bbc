// Short texts that people and peers give: amounts, accounts, addresses, links, content ids, times.
#include "client-sdk/content/fetch.hpp"
#include "client-sdk/http/http.hpp"
#include "node/network/address.hpp"
#include "primitives/balance.hpp"
#include "primitives/content_id.hpp"
#include "primitives/ss58.hpp"
#include "tests/fuzz/target.hpp"

namespace tally::fuzz {

void run(ByteView input) {
  const std::string_view text = as_text(input);
  if (const auto amount = parse_balance(text); amount.ok()) {
    const auto again = parse_balance(to_text(*amount));
    TALLY_ASSERT(again.ok() && *again == *amount);
  }
  if (const auto number = parse_decimal(text)) {
    const auto again = parse_decimal(to_decimal(*number));
    TALLY_ASSERT(again && *again == *number);
  }
  if (const auto bytes = from_hex(text)) TALLY_ASSERT(from_hex(to_hex(*bytes)) == bytes);
  (void)parse_account(text).ok();
  if (const auto id = Cid::parse(text)) {
    const auto again = Cid::parse(id->to_text());
    TALLY_ASSERT(again && *again == *id);
  }
  if (const auto endpoint = http::Endpoint::parse(text); endpoint.ok()) {
    const auto again = http::Endpoint::parse(endpoint->to_text());
    TALLY_ASSERT(again.ok() && *again == *endpoint);
  }
  (void)network::parse_peer_address(text).ok();
  (void)content::location_is_valid(text);
}

}  // namespace tally::fuzz
