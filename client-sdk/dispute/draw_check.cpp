// The draw of a dispute, recomputed.
#include "client-sdk/dispute/follow.hpp"
#include "client-sdk/dispute/proved_state.hpp"
#include "modules/disputes/storage.hpp"
#include "modules/validators/api.hpp"

namespace tally::dispute {

namespace {

using client::ChainClient;
using client::ClientErrorKind;
using client::ClientResult;

Failure<client::ClientError> not_proved(std::string message) {
  return {client::ClientError{ClientErrorKind::not_proved, "not_proved", std::move(message)}};
}

struct Beacon {
  Hash value;
  BlockNumber from;  // the first block whose header was folded
};

// A value of the state after a block; nothing where the node keeps that state no longer.
template <class Item>
ClientResult<std::optional<typename Item::Value>> kept_value(ChainClient& chain, const Item& item,
                                                             BlockNumber number) {
  using Found = std::optional<typename Item::Value>;
  const client::FinalHead head = TALLY_TRY(chain.finalized_at(number));
  ProvedState state(chain, head);
  const auto fetched = state.fetch({key_of(item)});
  if (!fetched) {
    if (fetched.error().kind == ClientErrorKind::pruned) return Found();
    return fail(fetched.error());
  }
  return Found(item.get(state));
}

// Each header carries its leader's VRF proof, which the validators checked before they signed.
ClientResult<Hash> fold_headers(ChainClient& chain, Hash beacon, BlockNumber from, BlockNumber to,
                                const DrawCheckOptions& options) {
  for (BlockNumber number = from; number <= to; number = number.next()) {
    const client::FinalHead head = TALLY_TRY(chain.finalized_at(number));
    const auto digest = consensus_digest(head.header);
    const auto output = digest ? vrf_proof_to_hash(digest->vrf_proof) : std::nullopt;
    if (!output) {
      return not_proved("the header of block " + to_decimal(number.value) +
                        " carries no VRF proof of its leader");
    }
    beacon = validators::fold_beacon(beacon, *output);
    if (options.progress) options.progress(number);
  }
  return beacon;
}

struct Span {
  BlockNumber asked_in;
  BlockNumber fixed_in;
};

ClientResult<Beacon> beacon_of(ChainClient& chain, const Span& span,
                               const DrawCheckOptions& options) {
  if (!options.from_genesis) {
    const auto known = TALLY_TRY(kept_value(chain, validators::kBeacon, span.asked_in));
    if (known) {
      const BlockNumber from = span.asked_in.next();
      const Hash value = TALLY_TRY(fold_headers(chain, *known, from, span.fixed_in, options));
      return Beacon{value, from};
    }
  }
  const Hash first = validators::genesis_beacon(options.chain_id.empty() ? chain.version().chain
                                                                         : options.chain_id);
  const BlockNumber from(1);
  const Hash value = TALLY_TRY(fold_headers(chain, first, from, span.fixed_in, options));
  return Beacon{value, from};
}

// Nothing where the node keeps the two states no longer.
ClientResult<std::optional<bool>> ready_matches(ChainClient& chain, const Span& span) {
  const BlockNumber before(span.fixed_in.value - 1);
  const auto then = TALLY_TRY(kept_value(chain, validators::kDrawWindow, span.fixed_in));
  const auto earlier = TALLY_TRY(kept_value(chain, validators::kDrawWindow, before));
  if (!then || !earlier) return std::optional<bool>();
  return std::optional<bool>(then->ready >= span.asked_in && earlier->ready < span.asked_in);
}

struct PartCheck {
  DrawCheck::Part part;
  BlockNumber beacon_from;
};

ClientResult<PartCheck> check_part(ChainClient& chain, const disputes::Draw& draw,
                                   const DrawCheckOptions& options) {
  const Span span{draw.asked_in, draw.source->fixed_in};
  if (span.fixed_in <= span.asked_in) {
    return not_proved("the draw is said to be fixed before it was asked for");
  }
  const Beacon beacon = TALLY_TRY(beacon_of(chain, span, options));
  auto matches = TALLY_TRY(ready_matches(chain, span));
  return PartCheck{{.asked_in = span.asked_in,
                    .fixed_in = span.fixed_in,
                    .beacon = beacon.value,
                    .beacon_matches = beacon.value == draw.source->beacon,
                    .ready_matches = std::move(matches),
                    .order = {}},
                   beacon.from};
}

}  // namespace

ClientResult<DrawCheck> check_draw(ChainClient& chain, disputes::DisputeNumber number,
                                   const DrawCheckOptions& options) {
  const auto view = TALLY_TRY(read_dispute(chain, number));
  if (!view) {
    return fail(client::ClientError{ClientErrorKind::not_found, "not_found",
                                    "the chain knows no dispute " + to_decimal(number.value)});
  }
  const disputes::Dispute& record = view->record;
  if (!record.draw.source || !view->pool) {
    return fail(client::ClientError{
        ClientErrorKind::not_found, "no_draw",
        "the draw of dispute " + to_decimal(number.value) + " has not been made yet"});
  }
  const auto first = TALLY_TRY(check_part(chain, record.draw, options));
  DrawCheck out{.first = first.part,
                .appeal = std::nullopt,
                .seats_match = disputes::seats_match_draw(number, record, view->pool->items()),
                .beacon_from = first.beacon_from};
  const auto order = disputes::called({number, record.draw, record.appeal}, view->pool->items());
  out.first.order = order.first;
  if (record.appeal && record.appeal->draw.source) {
    out.appeal = TALLY_TRY(check_part(chain, record.appeal->draw, options)).part;
    out.appeal->order = order.appeal;
  }
  return out;
}

}  // namespace tally::dispute
