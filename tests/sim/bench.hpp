// A bench for one node's consensus: the engine on a simulated disk, with three other validators
// played by the test, which decides what arrives, in which order, and when.
//
//   Bench bench;   // four validators; the node leads view 4
//   bench.start();
//   const Proposal p = bench.propose(View(1), bench.root());
//   bench.receive(bench.leader(View(1)), p);
//   CHECK(bench.sent_vote({…}));
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/consensus/engine.hpp"
#include "node/store/sim_disk.hpp"
#include "tests/sim/fake_crypto.hpp"
#include "tests/sim/machine.hpp"

namespace tally::sim {

struct BenchOptions {
  std::uint32_t epoch_length = 60;
  std::optional<View> leads;   // the node is this view's leader; else it leads none of views 1..3
  bool own_key_guard = false;  // whether it listens before it votes
};

// How a proposed block is to be.
struct Wish {
  std::uint64_t later_ms = 0;  // header time beyond the usual
  std::size_t transactions = 0;
  bool justify = true;
};

// Keys in a process that can go away and come back.
class RemoteKeys final : public ports::KeyHolder {
 public:
  explicit RemoteKeys(const FakeSigner& keys) : keys_(keys) {}
  Ed25519Key consensus_key() const override { return keys_.consensus_key(); }
  std::optional<Ed25519Signature> try_sign(ByteView message) const override {
    return gone ? std::nullopt : keys_.try_sign(message);
  }
  std::optional<VrfProof> try_prove(ByteView alpha) const override {
    return gone ? std::nullopt : keys_.try_prove(alpha);
  }
  std::optional<std::string> away() const override {
    return gone ? std::optional<std::string>("gone") : std::nullopt;
  }
  std::optional<std::string> refused() const override { return std::nullopt; }

  bool gone = false;

 private:
  const FakeSigner& keys_;
};

class Bench {
 public:
  explicit Bench(const BenchOptions& options = {});

  void start(std::optional<std::string> stopped = {});
  // Stops the node, loses what was not synced, and starts it on the same disk. `stopped`: as within
  // one process, after a guard that shut.
  void restart(std::optional<std::string> stopped = {});
  consensus::Engine& engine() { return *engine_; }
  const consensus::Simplex& simplex() const { return engine_->simplex(); }
  View current() const { return simplex().current(); }
  store::SimDisk& disk() { return disk_; }

  std::size_t self() const { return self_; }
  std::size_t leader(View view);
  std::vector<std::size_t> others() const;  // all but this node
  const Hash& root() const { return root_; }
  std::uint64_t& now() { return now_; }

  // A block that is valid on `parent`, by the view's leader, and the proposal of it. Certificates
  // that the test made before go into the justification, unless told otherwise.
  consensus::Proposal propose(View view, const Hash& parent, const Wish& wish = {});
  Hash hash_of(const consensus::Proposal& proposal) const;
  const Header& header(const Hash& block) const { return headers_.at(block); }  // of proposed ones
  Vote vote(std::size_t signer, VoteKind kind, View view, const Hash& hash = {});
  // Signed by the three others.
  Certificate certificate(VoteKind kind, View view, const Hash& hash = {});

  void receive(std::size_t from, consensus::Message message);
  // Where another says, outside of consensus, that it stands.
  void hear_hint(std::size_t from, const consensus::Hint& hint);
  // Another node that proves this validator's key comes up, as `copy`.
  void meet_copy_of(std::size_t validator);
  static ports::PeerId copy();
  void receive_votes(VoteKind kind, View view, const Hash& hash, std::size_t count);
  void wait(std::uint64_t ms);  // fires every timer on the way
  void submit();                // a transaction, to the node's pool
  // Nothing is signed while it is away; when it is back, the peers hear whose this node is.
  void lose_signer() { keys_->gone = true; }
  void find_signer();

  // What the node has sent since the last call of forget().
  const std::vector<consensus::TurnOutput::Frame>& frames() const { return frames_; }
  void forget() { frames_.clear(); }
  bool sent_vote(VoteKind kind, View view, const Hash& hash = {}) const;
  bool sent_any_vote(VoteKind kind, View view) const;
  bool asked_for(const Hash& block) const;
  bool asked_for(VoteKind kind, View view) const;
  std::size_t disconnects() const { return disconnects_; }
  const std::vector<std::string>& alarms() const { return alarms_; }
  const std::vector<Evidence>& evidence() const { return evidence_; }
  const std::vector<consensus::Finalized>& finalized() const { return finalized_; }
  const std::optional<consensus::SafetyViolation>& violation() const { return violation_; }

 private:
  ports::Moment moment() const;
  void turn();
  void event(const consensus::Event& event);
  static ports::PeerId peer(std::size_t validator);

  bool own_key_guard_;
  std::unique_ptr<MachineFactory> factory_;
  std::vector<std::unique_ptr<FakeSigner>> signers_;
  std::unique_ptr<RemoteKeys> keys_;  // this node's
  SharedCache vrf_;
  std::uint64_t now_ = 1'000;
  std::size_t self_ = 0;
  Hash root_;
  Random random_{1};

  store::SimDisk disk_;
  std::unique_ptr<ports::Store> store_;
  std::unique_ptr<ports::VoteLog> log_;
  std::unique_ptr<ports::HighWaterFile> high_water_;
  std::unique_ptr<FakeVerifier> verifier_;
  std::unique_ptr<Machine> machine_;
  std::unique_ptr<consensus::Engine> engine_;

  // Another node's application, on which the test builds the others' blocks.
  store::SimDisk builder_disk_;
  std::unique_ptr<ports::Store> builder_store_;
  std::unique_ptr<Machine> builder_;
  std::map<Hash, View> views_;
  std::map<Hash, Header> headers_;
  std::map<View, std::map<VoteKind, Certificate>> certificates_;

  std::vector<consensus::TurnOutput::Frame> frames_;
  std::vector<std::string> alarms_;
  std::vector<Evidence> evidence_;
  std::vector<consensus::Finalized> finalized_;
  std::optional<consensus::SafetyViolation> violation_;
  std::size_t disconnects_ = 0;
};

}  // namespace tally::sim
