// A dispute as its record on the chain tells it, followed to its end and explained.
//
//   TALLY_TRY(follow_dispute(chain, number, stop, [](const DisputeView& view) { … return true; }));
//   Explanation why = explain(view);
//   DrawCheck check = TALLY_TRY(check_draw(chain, number));       // trusts no node
#pragma once

#include <functional>
#include <stop_token>

#include "client-sdk/chain/client.hpp"
#include "modules/disputes/api.hpp"
#include "modules/disputes/draw.hpp"
#include "modules/disputes/events.hpp"

namespace tally::dispute {

struct DisputeView {
  disputes::DisputeNumber number;
  disputes::Dispute record;
  std::optional<disputes::Case> task;  // none once the dispute has ended
  std::optional<disputes::Pool> pool;  // none in the challenge's own block
  TimestampMs chain_time;
  client::FinalHead at;
  std::vector<disputes::Event> events;  // of this block, about this dispute
};

// Nothing for a number that is not known, or any more.
client::ClientResult<std::optional<DisputeView>> read_dispute(client::ChainClient& chain,
                                                              disputes::DisputeNumber number);
// Calls on_change with the dispute as it is, then for every final block in which something happened
// to it, until it has ended, on_change returns false, or `stop` asks.
client::ClientResult<void> follow_dispute(client::ChainClient& chain,
                                          disputes::DisputeNumber number, std::stop_token stop,
                                          const std::function<bool(const DisputeView&)>& on_change);

// What one verifier did and what it costs or earns.
struct SeatStory {
  AccountId verifier;
  disputes::Round round{};
  disputes::SeatState state{};
  std::optional<Hash> commitment;
  std::optional<disputes::Vote> vote;
  bool with_verdict{};
  std::string text;  // one sentence for people
};
struct Explanation {
  std::string headline;            // what the verdict is, or what is awaited and until when
  std::vector<std::string> lines;  // the draw, the votes, the money: a sentence each
  std::vector<SeatStory> seats;
};
Explanation explain(const DisputeView& view);

// The draw, recomputed: the beacon by folding the VRF outputs of proved headers, the order from it
// and the proved pool.
struct DrawCheck {
  struct Part {
    BlockNumber asked_in;
    BlockNumber fixed_in;
    Hash beacon;            // of block fixed_in, recomputed
    bool beacon_matches{};  // it is the one in the record
    // fixed_in is the first block whose draw_ready reached asked_in; nothing where the node keeps
    // the states of these two blocks no longer.
    std::optional<bool> ready_matches;
    std::vector<AccountId> order;  // who was called, recomputed
  };
  Part first;
  std::optional<Part> appeal;
  bool seats_match{};       // every seat is held by one whom the draw called
  BlockNumber beacon_from;  // the first header that was folded; 1: from genesis on
  bool holds() const {
    const auto good = [](const Part& part) {
      return part.beacon_matches && part.ready_matches.value_or(true);
    };
    return seats_match && good(first) && (!appeal || good(*appeal));
  }
};
struct DrawCheckOptions {
  // Fold the headers from genesis on, whatever the chain's length; else from the asking block on,
  // if the node still proves the beacon there.
  bool from_genesis = false;
  // Of the chain spec: the beacon begins with it. Empty: as the node calls its chain.
  std::string chain_id = {};
  std::function<void(BlockNumber)> progress = {};
};
client::ClientResult<DrawCheck> check_draw(client::ChainClient& chain,
                                           disputes::DisputeNumber number,
                                           const DrawCheckOptions& options = {});

}  // namespace tally::dispute
