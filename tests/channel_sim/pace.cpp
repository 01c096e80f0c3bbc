#include "tests/channel_sim/pace.hpp"

#include <algorithm>

#include "modules/system/api.hpp"

namespace tally::channel_sim {
namespace {

constexpr std::uint32_t kFinality = 2;  // blocks until a block is final

}  // namespace

Pace::Pace(const PaceOptions& options, std::mt19937_64& random, Coverage& coverage, Trace& trace)
    : options_(options),
      random_(random),
      coverage_(coverage),
      trace_(trace),
      chain_(options.chain) {
  check_ledger();
}

BlockNumber Pace::final_number() const {
  return BlockNumber(std::max(chain_.block.number.value, kFinality) - kFinality);
}

std::uint64_t Pace::bearable() const {
  return options_.period.value * chain_.block.period_stretch.value / 4'000;
}

std::uint64_t Pace::waited(const AccountId& signer) const {
  const auto since = waiting_since_.find(signer);
  return since == waiting_since_.end() ? 0 : now() - since->second;
}

void Pace::submit(const AccountId& signer, const channels::Call& call) {
  if (favoured_.count(signer) == 0) waiting_since_.emplace(signer, now());
  const bool waits = std::any_of(pending_.begin(), pending_.end(), [&](const Pending& tx) {
    return tx.signer == signer && tx.call == call;
  });
  if (!waits) pending_.push_back({signer, call});
}

std::optional<Pace::Block> Pace::next() {
  system::LaneBucket lane{};
  for (const std::uint32_t used : lane_used_) {
    lane.used = Weight(lane.used.value + used);
    lane.capacity = Weight(lane.capacity.value + options_.lane);
  }
  // Blocks before the first are empty ones.
  lane.capacity = Weight(std::uint64_t{options_.lane} * options_.lane_window);
  chain_.block.period_stretch = system::period_stretch(*system::LaneUsage::from({lane}));
  chain_.next_block(DurationMs(100 + random_() % 200));
  trace_.block(chain_.block);
  not_final_.push_back({chain_.block.number, {}, {}});
  judge({}, nullptr);
  include();
  check_ledger();
  for (const ChannelId& id : watched_) not_final_.back().channels[id] = chain_.channel(id);
  if (not_final_.size() <= kFinality) return std::nullopt;
  Block out = std::move(not_final_.front());
  not_final_.pop_front();
  return out;
}

bool Pace::gets_in(const Pending& tx, bool censored, std::uint32_t lane_left) {
  if (favoured_.count(tx.signer) != 0) return random_() % 8 != 0;
  if (waited(tx.signer) >= bearable()) return true;
  if (waited(tx.signer) * 4 >= bearable() * 3) coverage_.hit(Mark::censored);
  if (channels::is_operational(tx.call) && lane_left == 0) {
    coverage_.hit(Mark::lane_full);
    return false;
  }
  return !censored && random_() % 4 != 0;
}

void Pace::include() {
  const bool censored = options_.censors && random_() % 3 != 0;
  std::deque<Pending> batch = std::exchange(pending_, {});
  std::shuffle(batch.begin(), batch.end(), random_);
  // Who makes the block puts its own first.
  std::stable_partition(batch.begin(), batch.end(),
                        [&](const Pending& tx) { return favoured_.count(tx.signer) != 0; });
  std::uint32_t lane_left = flooded_ ? 0 : options_.lane;
  for (Pending& tx : batch) {
    if (!gets_in(tx, censored, lane_left)) {
      pending_.push_back(std::move(tx));
      continue;
    }
    if (channels::is_operational(tx.call) && lane_left > 0) --lane_left;
    run(tx);
  }
  lane_used_.push_back(options_.lane - lane_left);
  if (lane_used_.size() > options_.lane_window) lane_used_.pop_front();
}

void Pace::run(const Pending& tx) {
  const auto refused = chain_.refusal(tx.signer, tx.call);
  trace_.call(tx.signer, tx.call, !refused);
  if (refused) {
    const DispatchError collision = channels::reject(channels::Error::refuted_in_this_block);
    if (*refused != collision) {
      waiting_since_.erase(tx.signer);
    } else if (favoured_.count(tx.signer) == 0) {
      coverage_.hit(Mark::front_run);
    }
    return;
  }
  waiting_since_.erase(tx.signer);
  judge(tx.signer, &tx.call);
}

// What the last call, or the block's start, did.
void Pace::judge(const AccountId& signer, const channels::Call* call) {
  for (const channels::Event& event : chain_.events()) {
    if (std::holds_alternative<channels::ChallengeStarted>(event)) started_ = now();
    if (std::holds_alternative<channels::ChallengeRefuted>(event) &&
        now() > started_ + options_.period.value) {
      coverage_.hit(Mark::stretched_rescue);
    }
    not_final_.back().events.push_back(event);
  }
  checker_.applied({chain_.block.number.value, now(), chain_.block.period_stretch.value}, signer,
                   call, chain_.events());
}

void Pace::check_ledger() {
  u128 total = chain_.wealth(credits::reward_pool_account()).micro;
  total += chain_.wealth(chain_.block.proposer).micro;
  for (const auto& [account, endowed] : options_.chain.accounts) {
    total += chain_.wealth(account).micro;
  }
  checker_.ledger(total);
}

}  // namespace tally::channel_sim
