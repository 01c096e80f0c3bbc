// A Byzantine validator: an honest node whose outgoing frames pass through an adversary that may
// drop, change, repeat, delay or invent them, with the validator's key at hand. Its inputs are
// those of an honest node, so it knows what is going on. One file each.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "node/consensus/coverage.hpp"
#include "tests/sim/sim_node.hpp"

namespace tally::sim {

// What an adversary may do besides looking.
struct AdversaryTools {
  Random& random;
  const FakeSigner& signer;
  Hash genesis_hash;
  ValidatorIndex self;  // in the epoch that its node is in
  const consensus::ChainSetup& chain;
  const ValidatorSet& set;  // of that epoch
  SharedCache& cache;
  std::vector<ports::PeerId> peers;
  std::function<std::uint64_t()> now_ms;
  // A frame that leaves after so many milliseconds.
  std::function<void(const ports::PeerId& to, ports::Channel channel, Bytes frame,
                     std::uint64_t delay_ms)>
      emit;

  Vote vote(const Statement& statement) const;
  void emit_message(const ports::PeerId& to, const consensus::Envelope& envelope,
                    std::uint64_t delay_ms = 0) const;
};

class Adversary {
 public:
  virtual ~Adversary() = default;
  // In place of sending: the frame leaves only if the adversary emits it.
  virtual void on_send(const AdversaryTools& tools, const ports::PeerId& to, ports::Channel channel,
                       const Bytes& frame) = 0;
  // What its clock is put forward by.
  virtual std::int64_t clock_push_ms(std::uint64_t /*now_ms*/, std::int64_t /*max_drift_ms*/) {
    return 0;
  }
};

std::unique_ptr<Adversary> make_equivocator();
std::unique_ptr<Adversary> make_withholder();
std::unique_ptr<Adversary> make_silent_leader();
std::unique_ptr<Adversary> make_stale_voter();
std::unique_ptr<Adversary> make_conflicting_certificates();
std::unique_ptr<Adversary> make_spammer();
std::unique_ptr<Adversary> make_old_guard();
std::unique_ptr<Adversary> make_time_pusher();
std::unique_ptr<Adversary> make_lying_sync_peer();

// In the order of the seeds: 0 is none; the last is twins, which the world itself sets up.
enum class AdversaryKind : std::uint8_t {
  none,
  equivocator,
  withholder,
  silent_leader,
  stale_voter,
  conflicting_certificates,
  spammer,
  old_guard,
  time_pusher,
  lying_sync_peer,
  twins,
};
constexpr std::size_t kAdversaryKinds = 11;
std::string name_of(AdversaryKind kind);
std::unique_ptr<Adversary> make_adversary(AdversaryKind kind);  // null for none and twins

}  // namespace tally::sim
