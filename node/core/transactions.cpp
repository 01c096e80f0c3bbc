// Transactions between the clients of this node, its pool, and its peers.
//
// What a peer sends and the pool does not take has cost this node time for nothing: it is charged
// to the peer, by the microseconds that it took of the core thread, and a peer that has used up its
// level is not listened to until time has filled it again. What the pool takes is paid by its fee.
// A signature that can never hold ends the link; one that may hold for a node that is further is
// charged: to a peer that is no validator before it is checked, since it may be gone afterwards.
// What that one paid for a signature that holds is given back; a refutation that turns out unable
// to pay is charged more, whoever sent it.
#include <algorithm>

#include "node/core/node_core.hpp"

namespace tally::core {
namespace {

constexpr std::size_t kMaxJobs = 16'384;  // signature checks under way
constexpr std::size_t kGuestPart = 4;  // of them, one over this for each peer that is no validator
constexpr std::size_t kGossipBytes = 256 * 1024;  // of one frame
constexpr std::uint64_t kKnownMicros = 2;
constexpr std::uint64_t kUselessMicros = 25;  // decoded, looked up in the state, and refused
constexpr std::uint64_t kBadSignatureMicros = 60;
// Of a refutation that may not owe its fee: the signatures within were verified on the core thread.
constexpr std::uint64_t kUnpaidMicros = 4 * kBadSignatureMicros;

std::uint64_t cost_of(ports::PoolVerdict verdict) {
  switch (verdict) {
    case ports::PoolVerdict::accepted:
    case ports::PoolVerdict::check_signature:
      return 0;
    case ports::PoolVerdict::known:
      return kKnownMicros;
    case ports::PoolVerdict::invalid:
    case ports::PoolVerdict::stale:
    case ports::PoolVerdict::refused:
      return kUselessMicros;
  }
  return kUselessMicros;
}

}  // namespace

void NodeCore::on_message(const PeerId& from, const Transactions& transactions) {
  Peer& peer = peers_.at(from);
  const Instant now = ports_.clock->now().instant;
  // They come again, from whoever wants them included.
  const std::size_t jobs_max = peer.member ? kMaxJobs : kMaxJobs / kGuestPart;
  if (peer.jobs + transactions.extrinsics.size() > jobs_max) return;
  if (jobs_ + transactions.extrinsics.size() > kMaxJobs) return;
  if (!peer.gossip.admit(now, kKnownMicros)) return;
  const auto source = peer.member ? ports::PoolSource::gossip : ports::PoolSource::of(from);
  Checking checking;
  checking.from = from;
  checking.prepaid = !peer.member;
  std::vector<ports::SignatureJob> jobs;
  for (const Bytes& extrinsic : transactions.extrinsics) {
    ports::PoolAnswer answer = ports_.pool->offer(extrinsic, source);
    peer.gossip.charge(cost_of(answer.verdict));
    if (answer.verdict == ports::PoolVerdict::accepted) accepted(answer, from);
    if (answer.verdict != ports::PoolVerdict::check_signature) continue;
    TALLY_ASSERT(answer.job.has_value());
    if (checking.prepaid) peer.gossip.charge(kBadSignatureMicros);
    checking.extrinsics.push_back(answer.hash);
    checking.done.emplace_back();
    jobs.push_back(*std::move(answer.job));
  }
  if (jobs.empty()) return;
  const std::uint64_t ticket = next_ticket_++;
  jobs_ += jobs.size();
  peer.jobs += jobs.size();
  checking_.emplace(ticket, std::move(checking));
  ports_.verifier->check_later(ticket, std::move(jobs));
}

void NodeCore::submit(Bytes extrinsic, SubmitDone done) {
  ports::PoolAnswer answer = ports_.pool->offer(std::move(extrinsic), ports::PoolSource::local);
  if (answer.verdict != ports::PoolVerdict::check_signature) {
    if (answer.verdict == ports::PoolVerdict::accepted) accepted(answer, std::nullopt);
    if (done) done(answer);
    return;
  }
  TALLY_ASSERT(answer.job.has_value());
  const std::uint64_t ticket = next_ticket_++;
  jobs_ += 1;
  checking_.emplace(ticket, Checking{{answer.hash}, {std::move(done)}, std::nullopt});
  ports_.verifier->check_later(ticket, {*std::move(answer.job)});
}

void NodeCore::on_signatures_checked(std::uint64_t ticket, const std::vector<bool>& results) {
  if (on_range_checked(ticket, results)) return;
  const auto found = checking_.find(ticket);
  TALLY_ASSERT(found != checking_.end() && found->second.extrinsics.size() == results.size());
  const Checking checking = std::move(found->second);
  checking_.erase(found);
  jobs_ -= results.size();
  const auto peer = checking.from ? peers_.find(*checking.from) : peers_.end();
  // A peer that went and came back has none of these.
  if (peer != peers_.end()) peer->second.jobs -= std::min(peer->second.jobs, results.size());
  bool bad = false;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const ports::PoolAnswer answer = ports_.pool->settle(checking.extrinsics[i], results[i]);
    const bool never = answer.verdict == ports::PoolVerdict::invalid;
    bad = bad || (!results[i] && never);
    if (checking.prepaid && results[i]) {
      (peer != peers_.end() ? peer->second.gossip : *guests_gossip_).give_back(kBadSignatureMicros);
    } else if (!checking.prepaid && !results[i] && !never && peer != peers_.end()) {
      peer->second.gossip.charge(kBadSignatureMicros);
    }
    if (results[i] && never && answer.code == ports::RejectCode::cannot_pay) {
      if (peer != peers_.end()) {
        peer->second.gossip.charge(kUnpaidMicros);
      } else if (checking.prepaid) {
        guests_gossip_->charge(kUnpaidMicros);
      }
    }
    if (answer.verdict == ports::PoolVerdict::accepted) accepted(answer, checking.from);
    if (checking.done[i]) checking.done[i](answer);
  }
  // Nodes pass on only what they have checked.
  if (bad && peer != peers_.end()) {
    ports_.network->disconnect(*checking.from, "a transaction with a bad signature");
  }
}

// The node that a transaction was submitted to sends it to everyone; the others pass it on only to
// peers that this node may not reach: between validators one hop is enough.
void NodeCore::accepted(const ports::PoolAnswer& answer, const std::optional<PeerId>& from) {
  pool_changed_ = true;
  if (ports_.listener != nullptr) ports_.listener->on_accepted(answer.hash);
  const auto bytes = ports_.pool->find(answer.hash);
  if (!bytes) return;
  const bool from_validator =
      from && peers_.contains(*from) && peers_.at(*from).validator.has_value();
  for (const auto& [id, peer] : peers_) {
    if (id == from || (from_validator && peer.validator)) continue;
    gossip_[id].push_back(*bytes);
  }
}

void NodeCore::gossip() {
  for (auto& [peer, extrinsics] : gossip_) {
    std::size_t begin = 0;
    while (begin < extrinsics.size()) {
      Transactions message;
      std::size_t bytes = 0;
      for (; begin < extrinsics.size() && bytes < kGossipBytes; ++begin) {
        if (message.extrinsics.size() == kMaxGossip) break;
        bytes += extrinsics[begin].size();
        TALLY_ASSERT(message.extrinsics.push_back(std::move(extrinsics[begin])));
      }
      send(peer, ports::Channel::transactions, message);
    }
  }
  gossip_.clear();
}

}  // namespace tally::core
