// A whole network against one validator that may do anything: three honest nodes with the real
// NodeCore, pool, execution, store and log on simulated disks and clocks, and a fourth whose every
// frame the fuzzer writes. It sends raw bytes, well-formed messages with votes that it signs as it
// likes, and the honest nodes' own frames again, changed or to others; it cuts links, lets time
// pass, and has nodes crash.
//
// What holds whatever it does: one final block a height, no pair of certificates that only a faulty
// third can make, no honest node that finds fault with another, and a chain that goes on once the
// links are mended. (Oracles of the test; the node's own checks end the process as well.)
#include <algorithm>
#include <deque>
#include <functional>
#include <map>

#include "node/core/wire.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/sim/sim_node.hpp"

namespace tally::fuzz {
namespace {

constexpr std::size_t kHonest = 3;
constexpr std::size_t kLiar = 3;
constexpr std::uint64_t kWallStart = 1'700'000'000'000;
constexpr std::uint64_t kDelayMs = 2;
constexpr std::size_t kEventsMax = 3'000;  // of one input: for speed
constexpr std::size_t kHeard = 64;
constexpr std::uint64_t kStretch = 500;
constexpr std::uint64_t kEndless = 600'000;

ports::PeerId peer_id(std::size_t node) {
  ports::PeerId id;
  id.bytes[0] = static_cast<std::uint8_t>(node);
  return id;
}

sim::WorldSetup setup() {
  sim::WorldSetup out;
  out.epoch_length = 6;
  return out;
}

class Network {
 public:
  Network() : factory_(sim::toy_machines(setup())), chain_(factory_->chain()) {
    for (std::size_t i = 0; i < kHonest; ++i) nodes_.push_back(std::make_unique<Node>(*this, i));
    for (std::size_t i = 0; i < kHonest; ++i) start(i);
  }

  void play(Input input) {
    while (!input.empty() && events_ < kEventsMax) step(input);
    mend();
  }

 private:
  struct Node final : core::Listener {
    Node(Network& network, std::size_t number) : net(network), index(number) {
      sim::NodeHooks hooks;
      hooks.send = [this](const ports::PeerId& to, ports::Channel, Bytes frame) {
        outbox.emplace_back(to.bytes[0], std::move(frame));
      };
      hooks.disconnect = [this](const ports::PeerId& peer, std::string_view) {
        drops.push_back(peer.bytes[0]);
      };
      hooks.now = [this] {
        return ports::Moment{ports::Instant(net.now_), TimestampMs(kWallStart + net.now_)};
      };
      hooks.checked = [this](std::uint64_t ticket, std::vector<bool> results) {
        checked.emplace_back(ticket, std::move(results));
      };
      hooks.listener = this;
      machine = std::make_unique<sim::SimNode>(
          peer_id(index), std::make_unique<sim::FakeSigner>(index, &net.cache_), std::move(hooks));
    }
    void on_final(const consensus::Finalized& block) override {
      const auto number = block.header.number.value.value;
      const auto [at, fresh] = net.final_.try_emplace(number, block.hash);
      TALLY_ASSERT(fresh || at->second == block.hash);
    }
    void on_accepted(const Hash&) override {}
    void on_alarm(const std::string&) override {}
    void on_evidence(const Evidence& evidence) override {
      TALLY_ASSERT(evidence.first.signer.value == kLiar);
    }
    void on_evidence_news(const std::string&) override {}
    void on_violation(const consensus::SafetyViolation&) override { TALLY_ASSERT(false); }

    Network& net;
    std::size_t index;
    std::unique_ptr<sim::SimNode> machine;
    std::vector<std::pair<std::size_t, Bytes>> outbox;
    std::vector<std::size_t> drops;
    std::vector<std::pair<std::uint64_t, std::vector<bool>>> checked;
  };
  struct Flying {
    std::uint64_t due{};
    std::size_t from{};
    std::size_t to{};
    Bytes bytes;
  };

  void step(Input& input) {
    events_ += 1;
    const std::uint8_t what = input.byte();
    const std::size_t node = input.byte() % kHonest;
    switch (what % 8) {
      case 0:
        return run(std::uint64_t{input.byte()} * 8);
      case 1:
        return frame(node, input.piece());
      case 2:
        return signed_message(node, input.piece());
      case 3:
        return again(node, input);
      case 4:
        return vote(node, input);
      case 5:
        cut_[node][input.byte() % kHonest] ^= true;
        return;
      case 6:
        return submit(node, input);
      default:
        if (input.byte() % 4 == 0) return crash(node, input);
        return greet(node);
    }
  }

  // From here on the three are among themselves: what was done to them must not keep them.
  void mend() {
    for (auto& row : cut_) std::fill(std::begin(row), std::end(row), false);
    for (std::size_t i = 0; i < kHonest; ++i) {
      turn(i, [](core::NodeCore& core) { core.on_peer_down(peer_id(kLiar)); });
    }
    const std::size_t before = final_.size();
    events_ = 0;
    while (final_.size() == before) {
      TALLY_ASSERT(events_ < kEventsMax && now_ < kEndless);
      run(kStretch);
    }
  }

  void turn(std::size_t index, const std::function<void(core::NodeCore&)>& act) {
    Node& node = *nodes_[index];
    if (!node.machine->running()) return;
    events_ += 1;
    act(node.machine->core());
    node.machine->core().end_turn();
    for (auto& [to, bytes] : std::exchange(node.outbox, {})) {
      if (to >= kHonest) {
        heard_.push_back(std::move(bytes));
        if (heard_.size() > kHeard) heard_.pop_front();
      } else if (!cut_[index][to]) {
        flying_.push_back({now_ + kDelayMs, index, to, std::move(bytes)});
      }
    }
    for (const std::size_t peer : std::exchange(node.drops, {})) {
      TALLY_ASSERT(peer == kLiar);  // honest nodes find no fault with each other
      node.machine->core().on_peer_down(peer_id(peer));
    }
    for (const auto& [ticket, results] : std::exchange(node.checked, {})) {
      turn(index, [&, t = ticket, r = results](core::NodeCore& core) {
        core.on_signatures_checked(t, r);
      });
    }
  }

  void start(std::size_t index) {
    nodes_[index]->machine->start(*factory_, cache_);
    for (std::size_t other = 0; other <= kLiar; ++other) {
      if (other == index) continue;
      turn(index, [&](core::NodeCore& core) { core.on_peer_up(peer_id(other)); });
      if (other == kLiar || !nodes_[other]->machine->running()) continue;
      turn(other, [&](core::NodeCore& core) {
        core.on_peer_down(peer_id(index));
        core.on_peer_up(peer_id(index));
      });
    }
    greet(index);
  }

  void crash(std::size_t index, Input& input) {
    nodes_[index]->machine->crash(input.byte());
    nodes_[index]->outbox.clear();
    nodes_[index]->checked.clear();
    std::erase_if(flying_, [&](const Flying& one) { return one.to == index; });
    start(index);
  }

  void frame(std::size_t to, ByteView bytes) {
    turn(to, [&](core::NodeCore& core) { core.on_frame(peer_id(kLiar), bytes); });
  }
  void send(std::size_t to, const core::WireMessage& message) { frame(to, encode(message)); }

  // As the validator that it is.
  void greet(std::size_t to) {
    turn(to, [&](core::NodeCore& core) {
      core.on_peer_down(peer_id(kLiar));
      core.on_peer_up(peer_id(kLiar));
    });
    const sim::FakeSigner signer(kLiar);
    core::Status status{};
    status.genesis_hash = chain_.genesis_hash;
    status.head = {chain_.genesis_hash, BlockNumber(0)};
    status.claim = core::ValidatorClaim{
        signer.consensus_key(),
        signer.sign(core::claim_bytes(chain_.genesis_hash, peer_id(kLiar), peer_id(to)))};
    send(to, status);
  }

  Vote sign(const Statement& statement) const {
    return {statement, ValidatorIndex(kLiar),
            sim::FakeSigner(kLiar).sign(statement_bytes(chain_.genesis_hash, statement))};
  }

  void signed_message(std::size_t to, ByteView bytes) {
    auto message = decode<core::WireMessage>(bytes);
    if (!message.ok()) return;
    resign(*message);
    send(to, *message);
  }
  void resign(core::WireMessage& message) const {
    auto* consensus_frame = std::get_if<core::ConsensusFrame>(&message);
    if (consensus_frame == nullptr) return;
    auto& inner = consensus_frame->envelope.message;
    if (auto* proposal = std::get_if<consensus::Proposal>(&inner)) {
      proposal->notarize.statement.hash = block_hash(proposal->block.header);
      proposal->notarize = sign(proposal->notarize.statement);
    } else if (auto* one = std::get_if<consensus::VoteMessage>(&inner)) {
      one->vote = sign(one->vote.statement);
    }
  }

  // A frame that an honest node sent to the liar: to whoever, changed in a byte or not, signed by
  // the liar or not.
  void again(std::size_t to, Input& input) {
    const std::uint8_t which = input.byte();
    const std::uint16_t place = input.two();
    const std::uint8_t flip = input.byte();
    const bool own = input.byte() % 2 == 0;
    if (heard_.empty()) return;
    Bytes bytes = heard_[heard_.size() - 1 - which % heard_.size()];
    if (!bytes.empty()) bytes[place % bytes.size()] ^= flip;
    if (own) return signed_message(to, bytes);
    frame(to, bytes);
  }

  void vote(std::size_t to, Input& input) {
    const core::CoreStatus status = nodes_[to]->machine->core().status();
    const auto kind = static_cast<VoteKind>(input.byte() % 3);
    const std::uint64_t ahead = input.byte() % 8;
    const std::uint8_t which = input.byte();
    Statement statement{status.hint.epoch, kind, View(status.hint.view.value + ahead), {}};
    if (kind != VoteKind::nullify) {
      if (final_.empty() || which % 4 == 0) {
        statement.hash.bytes[0] = which;
      } else {
        statement.hash = std::next(final_.begin(), which % final_.size())->second;
      }
    }
    consensus::Envelope envelope{status.hint, consensus::VoteMessage{sign(statement)}};
    send(to, core::ConsensusFrame{std::move(envelope)});
  }

  void submit(std::size_t node, Input& input) {
    sim::Random random(input.byte());
    const ByteView bytes = input.byte() % 2 == 0 ? ByteView{} : input.piece();
    turn(node, [&](core::NodeCore& core) {
      core.submit(bytes.empty() ? factory_->transaction(random) : to_bytes(bytes),
                  [](const ports::PoolAnswer&) {});
    });
  }

  // Until then, in the order of time.
  void run(std::uint64_t ms) {
    const std::uint64_t end = now_ + ms;
    while (events_ < kEventsMax) {
      std::uint64_t next = end;
      std::optional<std::size_t> timer;
      if (!flying_.empty()) next = std::min(next, flying_.front().due);
      for (std::size_t i = 0; i < kHonest; ++i) {
        if (!nodes_[i]->machine->running()) continue;
        const auto due = nodes_[i]->machine->core().next_timer();
        if (!due || due->value >= next) continue;
        next = std::max(due->value, now_);
        timer = i;
      }
      if (!timer && (flying_.empty() || flying_.front().due > end)) break;
      now_ = std::max(now_, next);
      if (timer) {
        turn(*timer, [](core::NodeCore& core) { core.on_timer(); });
      } else {
        const Flying one = std::move(flying_.front());
        flying_.pop_front();
        turn(one.to, [&](core::NodeCore& core) { core.on_frame(peer_id(one.from), one.bytes); });
      }
    }
    now_ = std::max(now_, end);
  }

  std::unique_ptr<sim::MachineFactory> factory_;
  consensus::ChainSetup chain_;
  sim::SharedCache cache_;
  std::uint64_t now_ = 0;
  std::size_t events_ = 0;
  std::vector<std::unique_ptr<Node>> nodes_;
  bool cut_[kHonest][kHonest] = {};
  std::deque<Flying> flying_;
  std::deque<Bytes> heard_;
  std::map<std::uint32_t, Hash> final_;
};

}  // namespace

void run(ByteView input) {
  Network network;
  network.play(Input(input));
}

}  // namespace tally::fuzz
