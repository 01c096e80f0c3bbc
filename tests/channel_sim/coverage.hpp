// Which rare paths a simulation took. A life counts what happened in it; a test asserts that fixed
// seeds take every path, so that a simulator which no longer reaches one is found out.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tally::channel_sim {

enum class Mark : std::uint8_t {
  pipelined_offers,   // an offer on top of one that is still open
  crossing_offers,    // a countersignature overtook own offers, which were made anew
  crash_before_sync,  // the turn never was
  crash_torn_write,   // a part of a frame stayed on the disk
  crash_after_sync,   // written, and nothing left
  crash_amid_effects,
  crash_in_recovery,
  backup_restored,
  disk_restored,  // an old copy of the journal came back
  peer_found_ahead,
  close_together,
  close_withheld,  // a completed close was kept back and posted later
  splice_landed,
  splice_expired,
  splice_crossing,
  splice_crash,        // a machine died between a splice's signature and its end
  splice_challenged,   // a challenge began while a splice was signed
  splice_withheld,     // kept back by the peer, and posted in the end
  splice_of_balances,  // moves credits between the sides and leaves the sum
  old_claim,
  refuted_by_party,
  refuted_by_tower,
  fraud_at_once,
  fraud_at_deadline,
  tower_rewarded,
  request_close,
  request_refuted,
  offer_refused,
  version_too_far,
  false_ack,
  replayed,
  countersignature_withheld,
  peer_silent,
  front_run,  // a refutation was refused because another got into the block first
  censored,   // a call of an honest side waited for most of what a watcher must bear
  lane_full,
  stretched_rescue,  // refuted later than the period as written, and in time by the stretched one
  party_away,        // a party was away while its tower refuted
  tower_lagged,
  tower_crashed,
  tower_lied,
  exit_queue,    // settlements waited because a block may hold no more
  exit_refuted,  // an old claim among many exits was refuted
  exit_lane_full,
  count
};

constexpr std::array<std::string_view, static_cast<std::size_t>(Mark::count)> kMarkNames{
    "pipelined offers",
    "crossing offers",
    "crash before the sync",
    "crash with a torn write",
    "crash after the sync",
    "crash between two effects",
    "crash in a recovery",
    "backup restored",
    "old disk restored",
    "peer found ahead",
    "close together",
    "close withheld",
    "splice landed",
    "splice expired",
    "splices crossing",
    "crash in a splice",
    "challenge in a splice",
    "splice withheld",
    "splice between the sides",
    "old claim",
    "refuted by the party",
    "refuted by the tower",
    "fraud proved at once",
    "fraud paid at the deadline",
    "tower rewarded",
    "request_close",
    "request_close refuted",
    "offer refused",
    "version too far",
    "false ack",
    "message replayed",
    "countersignature withheld",
    "peer silent",
    "refutation front-run",
    "censored",
    "lane full",
    "saved by the stretch",
    "party away, tower refuted",
    "tower lagged",
    "tower crashed",
    "tower lied",
    "exits queued",
    "exit refuted",
    "exits in a full lane",
};

constexpr std::string_view name_of(Mark mark) {
  return kMarkNames[static_cast<std::size_t>(mark)];
}

class Coverage {
 public:
  void hit(Mark mark) { ++counts_[static_cast<std::size_t>(mark)]; }
  std::uint64_t of(Mark mark) const { return counts_[static_cast<std::size_t>(mark)]; }
  void add(const Coverage& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  }

 private:
  std::array<std::uint64_t, static_cast<std::size_t>(Mark::count)> counts_{};
};

}  // namespace tally::channel_sim
