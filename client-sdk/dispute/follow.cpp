#include "client-sdk/dispute/follow.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "client-sdk/chain/events.hpp"
#include "client-sdk/dispute/proved_state.hpp"
#include "modules/disputes/storage.hpp"
#include "modules/system/storage.hpp"

namespace tally::dispute {

namespace {

using client::ChainClient;
using client::ClientResult;
using disputes::DisputeNumber;

constexpr std::chrono::milliseconds kAgain{200};

// As the state of this block has it.
ClientResult<std::optional<DisputeView>> read_at(ChainClient& chain, const client::FinalHead& head,
                                                 DisputeNumber number) {
  ProvedState state(chain, head);
  TALLY_TRY(state.fetch({key_of(disputes::kDisputes, number), key_of(disputes::kCases, number),
                         key_of(disputes::kPools, number), key_of(system::kChainTime)}));
  const auto record = disputes::kDisputes.find(state, number);
  if (!record) return std::optional<DisputeView>();
  return std::optional<DisputeView>(DisputeView{.number = number,
                                                .record = *record,
                                                .task = disputes::kCases.find(state, number),
                                                .pool = disputes::kPools.find(state, number),
                                                .chain_time = system::kChainTime.get(state),
                                                .at = head,
                                                .events = {}});
}

std::vector<disputes::Event> events_about(const client::RawEvents& raw, DisputeNumber number) {
  std::vector<disputes::Event> out;
  const auto records = client::decode_events(raw.records);
  if (!records) return out;
  for (const auto& record : *records) {
    const auto* module = std::get_if<runtime::DisputesEvent>(&record.event);
    if (module == nullptr) continue;
    const bool same =
        std::visit([&](const auto& event) { return event.number == number; }, module->value);
    if (same) out.push_back(module->value);
  }
  return out;
}

bool is_over(const DisputeView& view) {
  return view.record.phase == disputes::Phase::ended;
}

}  // namespace

ClientResult<std::optional<DisputeView>> read_dispute(ChainClient& chain, DisputeNumber number) {
  const client::FinalHead head = TALLY_TRY(chain.finalized());
  return read_at(chain, head, number);
}

namespace {

using OnChange = std::function<bool(const DisputeView&)>;

// Whether on_change has seen what it wanted, or the dispute is over; else the node did not prove
// what a block brought, and the state has it. `last`: what on_change saw last.
ClientResult<bool> follow_once(ChainClient& chain, DisputeNumber number,
                               const std::stop_token& stop, const OnChange& on_change,
                               std::optional<disputes::Dispute>& last) {
  const client::FinalHead head = TALLY_TRY(chain.finalized());
  const auto first = TALLY_TRY(read_at(chain, head, number));
  if (!first) {
    return fail(client::ClientError{
        client::ClientErrorKind::not_found, "not_found",
        "the chain knows no dispute " + to_decimal(number.value) + ", or knows it no more"});
  }
  if (last != first->record) {
    last = first->record;
    if (!on_change(*first) || is_over(*first)) return true;
  }
  ClientResult<void> seen;
  const auto on_block = [&](const client::FollowedBlock& block) {
    auto events = events_about(block.events, number);
    if (events.empty()) return true;
    auto view = read_at(chain, block.head, number);
    if (!view) {
      seen = fail(view.error());
      return false;
    }
    if (!view->has_value()) return false;
    (*view)->events = std::move(events);
    last = (*view)->record;
    return on_change(**view) && !is_over(**view);
  };
  auto followed = chain.follow(head.number.next(), stop, on_block);
  const client::ClientError* error = !seen       ? &seen.error()
                                     : !followed ? &followed.error()
                                                 : nullptr;
  if (error == nullptr) return true;
  if (error->kind == client::ClientErrorKind::pruned) return false;
  return fail(*error);
}

}  // namespace

ClientResult<void> follow_dispute(ChainClient& chain, DisputeNumber number, std::stop_token stop,
                                  const OnChange& on_change) {
  std::optional<disputes::Dispute> last;
  while (!TALLY_TRY(follow_once(chain, number, stop, on_change, last))) {
    std::this_thread::sleep_for(kAgain);
  }
  return {};
}

}  // namespace tally::dispute
