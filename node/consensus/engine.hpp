// Engine: Simplex over all epochs, and what it keeps on disk.
//
// Runs one Simplex instance, for the epoch that the newest final block is in; when the epoch's last
// block is committed it purges the log and starts the next instance with that block as view 0. It
// answers whoever still talks of an older epoch with the proof of that epoch's last block. It owns
// the vote log and the high-water file and keeps the order of a turn: bodies synced, then records,
// then the high-water file, and only then do sends leave (end_turn()).
//
// At a start: a log that is behind the high-water file has lost synced data, and nothing is signed
// below the file's view; a damaged log, or both files missing on a node that has run before, make
// the node an observer until the next epoch, and it says so. Where both are missing that is the
// epoch after one in which it was where the chain is: the database may be older than the votes.
#pragma once

#include <memory>

#include "node/consensus/simplex.hpp"

namespace tally::consensus {

struct ChainSetup {
  Hash genesis_hash;
  Header genesis;
  TimestampMs genesis_time;  // block 1 is later
  ValidatorSet first;        // of epoch 1
  ValidatorSet second;       // of epoch 2
  Parameters parameters;
  // The operator takes the blame for votes that were lost with both files.
  bool trust_missing_votes = false;
  // Without it a second copy of this validator goes unnoticed (key_guard.hpp).
  bool own_key_guard = true;
  // Why the guard shut for good earlier in this process, on another state: it stays shut.
  std::optional<std::string> stopped{};
};

// What a turn hands to the rest of the node, after everything it depends on is durable.
struct TurnOutput {
  struct Frame {
    std::vector<PeerId> to;
    Envelope envelope;
  };
  std::vector<Frame> sends;
  std::vector<Disconnect> disconnects;
  std::vector<Finalized> finalized;
  std::vector<Evidence> evidence;
  std::vector<std::string> alarms;
  std::optional<SafetyViolation> violation;
};

class Engine {
 public:
  Engine(ChainSetup chain, const Ports& ports, ports::VoteLog& log,
         ports::HighWaterFile& high_water, const Moment& now);

  void on_event(const Event& event, const Moment& now);
  // Where a peer says that it stands, outside of any message of consensus.
  void on_hint(const PeerId& peer, const Hint& hint, const Moment& now);
  // Makes durable what the turn's events asked for and returns what may leave then.
  TurnOutput end_turn(const Moment& now);
  std::optional<Instant> next_timer() const;

  const Simplex& simplex() const { return *simplex_; }
  Simplex& simplex() { return *simplex_; }
  Epoch epoch() const { return simplex_->setup().epoch; }
  Hint hint() const { return simplex_->hint(); }
  // The sets of this epoch and of the next, which is known already.
  const ValidatorSet& current_set() const { return simplex_->setup().set; }
  ValidatorSet next_set() const { return set_of(epoch().next()); }
  const Parameters& parameters() const { return chain_.parameters; }

 private:
  struct PeerInfo {
    std::optional<Ed25519Key> validator;
    Epoch epoch;  // by its last hint
    std::optional<Instant> proof_sent;
    std::optional<Instant> proof_asked;
  };

  void start_epoch(const Moment& now, const Recovered& recovered);
  void ask_for_proof(const PeerId& peer, PeerInfo& info, const Moment& now);
  ValidatorSet set_of(Epoch epoch) const;
  Recovered recover(Epoch epoch);
  void apply_high_water(Recovered& recovered, Epoch epoch);
  void run(const Event& event, const Moment& now);
  void merge(Actions actions, const Moment& now);
  void persist();
  void on_received(const Received& received, const Moment& now);
  void send_proof(const PeerId& peer, Epoch epoch, const Moment& now);
  void on_epoch_proof(const PeerId& from, const EpochProofMessage& message, const Moment& now);
  void offer_ticket(const Moment& now);

  ChainSetup chain_;
  Ports ports_;
  ports::VoteLog& log_;
  ports::HighWaterFile& high_water_;
  std::unique_ptr<Simplex> simplex_;
  std::map<PeerId, PeerInfo> peers_;

  std::vector<ports::LogRecord> records_;  // of this turn
  std::optional<ports::HighWater> high_;
  bool store_bodies_ = false;
  std::size_t appended_ = 0;  // records in the log since its last rewrite
  bool keeps_log_ = true;     // false while the files cannot be trusted
  Epoch signed_up_to_;        // the newest epoch of which the log or the high-water file speaks
  std::optional<EpochProof> epoch_over_;
  std::optional<Instant> ticket_at_;
  TurnOutput output_;
};

}  // namespace tally::consensus
