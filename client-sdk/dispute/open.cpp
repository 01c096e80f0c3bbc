#include "client-sdk/dispute/open.hpp"

#include <algorithm>

#include "client-sdk/chain/calls.hpp"
#include "client-sdk/chain/events.hpp"
#include "client-sdk/content/fetch.hpp"
#include "client-sdk/dispute/buyer.hpp"
#include "client-sdk/dispute/proved_state.hpp"
#include "modules/channels/signing.hpp"
#include "modules/channels/storage.hpp"
#include "modules/disputes/storage.hpp"
#include "modules/system/storage.hpp"
#include "modules/workers/api.hpp"
#include "modules/workers/storage.hpp"
#include "primitives/ss58.hpp"

namespace tally::dispute {

namespace {

using disputes::Challenge;
using disputes::ChannelOrigin;
using task::Receipt;

// Channels that one account may have opened for the receipt's to be looked for among them.
constexpr std::uint64_t kCountersMax = 1'000'000;

Failure<DisputeError> refuse(std::string code, std::string message) {
  return {DisputeError{std::move(code), std::move(message)}};
}

template <class T>
DisputeResult<T> or_network(client::ClientResult<T> result) {
  if (result) return *std::move(result);
  return refuse("network", result.error().message);
}
DisputeResult<void> or_network(client::ClientResult<void> result) {
  if (result) return {};
  return refuse("network", result.error().message);
}

// What the chain knows that matters to a receipt, at one final block.
struct Scene {
  ProvedState state;
  disputes::Config rules;
  workers::Config worker_rules;
  TimestampMs chain_time;
  TimestampMs header_time;
};

DisputeResult<Scene> look(client::ChainClient& chain) {
  const auto head = TALLY_TRY(or_network(chain.finalized()));
  Scene scene{ProvedState(chain, head), {}, {}, {}, {}};
  TALLY_TRY(
      or_network(scene.state.fetch({key_of(disputes::kConfig), key_of(workers::kConfig),
                                    key_of(system::kChainTime), key_of(system::kHeaderTime)})));
  const auto rules = disputes::kConfig.find(scene.state);
  const auto worker_rules = workers::kConfig.find(scene.state);
  if (!rules || !worker_rules) return refuse("other_chain", "this chain has no disputes");
  scene.rules = *rules;
  scene.worker_rules = *worker_rules;
  scene.chain_time = system::kChainTime.get(scene.state);
  scene.header_time = system::kHeaderTime.get(scene.state);
  return scene;
}

struct DrawableQuery {
  task::TaskType type{};
  Hash environment;
  TimestampMs before;
  std::vector<AccountId> parties;
};

// As the chain will count them.
DisputeResult<std::uint32_t> count_drawable(Scene& scene, const DrawableQuery& query) {
  ProvedState& state = scene.state;
  const workers::PoolId pool{query.type, query.environment};
  TALLY_TRY(or_network(state.fetch({key_of(workers::kPools, pool)})));
  std::vector<Bytes> keys;
  for (const AccountId& account : workers::kPools.get(state, pool)) {
    keys.push_back(key_of(workers::kWorkers, account));
    for (const AccountId& party : query.parties) {
      keys.push_back(key_of(workers::kDelegations, party, account));
    }
  }
  TALLY_TRY(or_network(state.fetch(keys)));
  Overlay overlay(state);
  const BlockContext block{.time = scene.chain_time, .header_time = scene.header_time};
  EventSink events;
  ConfigSet configs;
  configs.set(scene.worker_rules);
  const Context context{overlay, block, events, configs};
  std::uint32_t out = 0;
  for (const auto& candidate : workers::drawable(context, {pool, query.before, scene.rules.fine})) {
    out += std::none_of(query.parties.begin(), query.parties.end(), [&](const AccountId& party) {
      return candidate.account == party ||
             workers::is_delegator_of(state, candidate.account, party);
    });
  }
  return out;
}

// --- The receipt's channel ---

std::optional<ChannelOrigin> search(const Receipt& receipt, bool opened_by_worker,
                                    DurationMs period, std::uint64_t counters) {
  channels::ChannelIdInput input{receipt.genesis_hash, receipt.requester, receipt.worker, 0,
                                 period};
  if (opened_by_worker) std::swap(input.opener, input.counterparty);
  for (input.counter = 0; input.counter < std::min(counters, kCountersMax); ++input.counter) {
    if (channels::channel_id_of(input) == receipt.channel_id) {
      return ChannelOrigin{opened_by_worker, input.counter, period};
    }
  }
  return std::nullopt;
}

// A channel's id is a hash: who opened it, as which of its channels and with which period is found
// by trying.
DisputeResult<ChannelOrigin> find_origin(Scene& scene, const ReceiptFile& file) {
  const Receipt& receipt = file.receipt.receipt;
  ProvedState& state = scene.state;
  TALLY_TRY(or_network(state.fetch(
      {key_of(channels::kCounter, receipt.requester), key_of(channels::kCounter, receipt.worker),
       key_of(channels::kChannels, receipt.channel_id), key_of(channels::kConfig)})));
  std::vector<DurationMs> periods;
  if (file.challenge_period.value != 0) periods.push_back(file.challenge_period);
  if (const auto open = channels::kChannels.find(state, receipt.channel_id)) {
    periods.push_back(open->challenge_period);
  }
  if (const auto rules = channels::kConfig.find(state)) periods.push_back(rules->period_default);
  for (const DurationMs period : periods) {
    for (const bool by_worker : {false, true}) {
      const AccountId& opener = by_worker ? receipt.worker : receipt.requester;
      const auto found = search(receipt, by_worker, period, channels::kCounter.get(state, opener));
      if (found) return *found;
    }
  }
  return refuse("channel",
                "the receipt's channel " + to_hex_prefixed(receipt.channel_id) +
                    " is none that this chain has seen between its worker and its requester");
}

// --- Checks ---

DisputeResult<void> check_parties(const client::ChainClient& chain, const AccountId& challenger,
                                  const Scene& scene, const DisputeRequest& request,
                                  const Receipt& receipt) {
  if (receipt.genesis_hash != chain.root().genesis_hash) {
    return refuse("other_chain", "the receipt was signed for the chain with genesis " +
                                     to_hex_prefixed(receipt.genesis_hash) + ", this one has " +
                                     to_hex_prefixed(chain.root().genesis_hash));
  }
  if (challenger == receipt.worker) {
    return refuse("not_entitled", "the worker of a receipt cannot dispute it");
  }
  if (challenger == receipt.requester) return {};
  if (!request.mandate) {
    return refuse("not_entitled", "the receipt names the requester " + to_ss58(receipt.requester) +
                                      "; " + to_ss58(challenger) + " needs its mandate");
  }
  const task::Mandate& mandate = request.mandate->mandate;
  const bool names =
      mandate.requester == receipt.requester && mandate.bearer == challenger &&
      (!mandate.receipt_hash || *mandate.receipt_hash == task::receipt_hash(receipt));
  if (!names || scene.chain_time > mandate.valid_until ||
      !task::mandate_signature_is_valid(chain.root().genesis_hash, *request.mandate)) {
    return refuse("not_entitled",
                  "the mandate is not the requester's for this bearer and receipt, or is over");
  }
  return {};
}

DisputeResult<void> check_receipt(const ReceiptFile& file) {
  const Receipt& receipt = file.receipt.receipt;
  if (task::exactness_of(receipt.type) != task::Exactness::exact) {
    return refuse("tolerant_type", "correct machines may differ on " +
                                       std::string(task::to_text(receipt.type)) +
                                       ": it can only be refunded by agreement");
  }
  if (receipt.price > file.agreed_price) {
    return refuse("price", "the receipt is priced at " + to_text(receipt.price) + ", agreed were " +
                               to_text(file.agreed_price) +
                               ": the bond would be larger than the task is worth. Do not pay it");
  }
  if (file.spec.size() > disputes::kMaxSpec) {
    return refuse("too_large", "a disputed spec has at most " + to_decimal(disputes::kMaxSpec) +
                                   " bytes, got " + to_decimal(file.spec.size()));
  }
  return {};
}

DisputeResult<disputes::TaskInput> input_of(const DisputeRequest& request,
                                            const ReceiptFile& file) {
  const auto bytes = read_input(request.receipt_file, file);
  if (bytes && request.locations.empty()) {
    if (bytes->size() <= disputes::kMaxInput)
      return disputes::TaskInput(disputes::InlineInput{*bytes});
    return refuse("no_location",
                  "the input has " + to_decimal(bytes->size()) + " bytes, and a challenge holds " +
                      to_decimal(disputes::kMaxInput) +
                      ": serve it and name where, with at most 4 locations (host:port)");
  }
  if (!bytes && request.locations.empty()) return refuse("file", bytes.error().message);
  disputes::HostedInput hosted;
  for (const std::string& location : request.locations) {
    if (!content::location_is_valid(location) || location.size() > disputes::kMaxLocation) {
      return refuse("no_location", "a location reads host:port, got '" + location + "'");
    }
    if (!hosted.locations.push_back(location)) {
      return refuse("no_location", "at most 4 locations may be named");
    }
  }
  return disputes::TaskInput(std::move(hosted));
}

DisputeResult<void> check_history(ProvedState& state, const AccountId& challenger,
                                  const Receipt& receipt, DurationMs& paused) {
  const Hash hash = task::receipt_hash(receipt);
  TALLY_TRY(or_network(state.fetch({key_of(disputes::kReceipts, hash)})));
  const auto known = disputes::kReceipts.find(state, hash);
  if (!known) return {};
  paused = known->paused;
  const std::string number = to_decimal(known->last.value);
  if (known->running) {
    return refuse("already_disputed", "dispute " + number + " on this receipt is under way");
  }
  if (known->decided) {
    return refuse("already_decided", "dispute " + number + " on this receipt had a verdict");
  }
  const auto& tried = known->tried;
  if (tried.size() >= disputes::kMaxTries ||
      std::find(tried.begin(), tried.end(), challenger) != tried.end()) {
    return refuse("already_tried", "dispute " + number +
                                       " on this receipt ended without a verdict; one challenger "
                                       "tries once");
  }
  return {};
}

DisputeResult<DurationMs> time_left(const Scene& scene, const Receipt& receipt, DurationMs paused) {
  const u128 end =
      u128{receipt.finished_ms.value} + scene.rules.challenge_window.value + paused.value;
  const std::uint64_t now = scene.header_time.value;
  if (receipt.finished_ms.value > now + scene.rules.clock_tolerance.value) {
    return refuse("too_old", "the receipt ends in the chain's future: check the clocks");
  }
  if (now > end) {
    return refuse("too_old", "a receipt can be disputed for " +
                                 to_decimal(scene.rules.challenge_window.value / 3'600'000) +
                                 " hours, and this one's time is over");
  }
  return DurationMs(static_cast<std::uint64_t>(end - now));
}

DisputeResult<workers::Worker> worker_of(ProvedState& state, const AccountId& account) {
  TALLY_TRY(or_network(state.fetch({key_of(workers::kWorkers, account)})));
  const auto worker = workers::kWorkers.find(state, account);
  if (worker) return *worker;
  return refuse("not_a_worker", to_ss58(account) +
                                    " is not registered as a worker: there is no stake that could "
                                    "answer for its results");
}

DisputeResult<AtStake> stakes_now(Scene& scene, const AccountId& challenger,
                                  const Receipt& receipt) {
  AtStake out;
  const auto stakes = disputes::stakes_of(receipt, scene.rules);
  if (!stakes) return refuse("price", "the receipt's price is out of the range of disputes");
  out.stakes = *stakes;
  out.award = scene.rules.award;
  out.burn = scene.rules.burn;
  out.pool_min = scene.rules.pool_min;
  out.receipt_ended = receipt.finished_ms;
  DurationMs paused;
  TALLY_TRY(check_history(scene.state, challenger, receipt, paused));
  out.left = TALLY_TRY(time_left(scene, receipt, paused));
  const auto worker = TALLY_TRY(worker_of(scene.state, receipt.worker));
  out.worker_covers = std::min(stakes->bond, worker.unfrozen());
  out.drawable =
      TALLY_TRY(count_drawable(scene, {receipt.type,
                                       receipt.environment,
                                       receipt.started_ms,
                                       {receipt.worker, receipt.requester, challenger}}));
  if (out.drawable < out.pool_min) {
    return refuse("pool_too_small", "only " + to_decimal(out.drawable) +
                                        " verifiers could be drawn, " + to_decimal(out.pool_min) +
                                        " are needed: here this type of task counts as tolerant");
  }
  TALLY_TRY(or_network(scene.state.fetch({key_of(system::kAccount, challenger)})));
  out.challenger_free = system::kAccount.get(scene.state, challenger).data.free;
  if (out.challenger_free <= out.stakes.bond) {
    return refuse("funds", "the bond is " + to_text(out.stakes.bond) + ", and " +
                               to_ss58(challenger) + " has " + to_text(out.challenger_free));
  }
  return out;
}

std::vector<std::string> warnings_of(const DisputePlan& plan) {
  std::vector<std::string> out;
  if (!plan.file.check) {
    out.emplace_back("the task was not done again here: whether the result is wrong is not known");
  } else if (!is_bad(plan.file)) {
    out.emplace_back("this machine got the same output as the worker: you would lose");
  }
  if (plan.at_stake.worker_covers < plan.at_stake.stakes.bond) {
    out.push_back("the worker's stake covers only " + to_text(plan.at_stake.worker_covers) +
                  " of " + to_text(plan.at_stake.stakes.bond) + ": the award may be smaller than " +
                  to_text(plan.at_stake.award));
  }
  if (std::holds_alternative<disputes::HostedInput>(plan.challenge.input)) {
    out.emplace_back(
        "the input must stay available until the verdict: if two of three verifiers "
        "cannot fetch it, you lose");
  }
  return out;
}

}  // namespace

DisputeResult<DisputePlan> plan_dispute(client::ChainClient& chain, const AccountId& challenger,
                                        const DisputeRequest& request) {
  auto file = read_receipt(request.receipt_file);
  if (!file) return refuse("file", file.error().message);
  if (request.reason.size() > disputes::kMaxReason) {
    return refuse("too_large", "a reason has at most " + to_decimal(disputes::kMaxReason) +
                                   " bytes, got " + to_decimal(request.reason.size()));
  }
  const Receipt& receipt = file->receipt.receipt;
  Scene scene = TALLY_TRY(look(chain));
  TALLY_TRY(check_parties(chain, challenger, scene, request, receipt));
  TALLY_TRY(check_receipt(*file));
  auto input = TALLY_TRY(input_of(request, *file));
  DisputePlan plan{.file = *file,
                   .challenge = {.receipt = file->receipt,
                                 .spec = file->spec,
                                 .input = std::move(input),
                                 .reason = request.reason,
                                 .mandate = request.mandate}};
  plan.challenge.channel = TALLY_TRY(find_origin(scene, *file));
  plan.at_stake = TALLY_TRY(stakes_now(scene, challenger, receipt));
  plan.warnings = warnings_of(plan);
  return plan;
}

DisputeResult<OpenedDispute> open_dispute(client::ChainClient& chain, const KeyPair& challenger,
                                          const DisputePlan& plan) {
  const auto outcome =
      TALLY_TRY(or_network(chain.submit(challenger, client::call_bytes(plan.challenge))));
  if (outcome.failure) {
    return refuse(runtime::to_text(*outcome.failure),
                  "the chain refused the challenge: " + runtime::to_text(*outcome.failure));
  }
  const auto records = client::decode_events(outcome.events.records);
  const auto opened =
      records ? client::find_event<disputes::Challenged>(*records, outcome.at.index) : std::nullopt;
  if (!opened) return refuse("network", "the challenge's block does not tell its number");
  return OpenedDispute{opened->number, outcome};
}

DisputeResult<OpenedDispute> open_dispute(client::ChainClient& chain, const KeyPair& challenger,
                                          const DisputeRequest& request,
                                          const std::function<bool(const DisputePlan&)>& agree) {
  const DisputePlan plan = TALLY_TRY(plan_dispute(chain, challenger.account(), request));
  if (!agree(plan)) return refuse("declined", "no dispute was opened");
  return open_dispute(chain, challenger, plan);
}

DisputeResult<WorkerCheck> check_worker(client::ChainClient& chain, const AccountId& account,
                                        const AccountId& requester, const TaskPlan& task) {
  Scene scene = TALLY_TRY(look(chain));
  WorkerCheck out;
  out.worker = TALLY_TRY(worker_of(scene.state, account));
  const workers::Offer* const offer = out.worker.offer(task.type);
  Receipt receipt;
  receipt.type = task.type;
  receipt.price = task.price;
  receipt.metered_units = task.metered_units;
  const auto stakes = disputes::stakes_of(receipt, scene.rules);
  if (!stakes) return refuse("price", "the price is out of the range of disputes");
  out.stakes = *stakes;
  out.pool_min = scene.rules.pool_min;
  out.audit_duty_ppm = audit_duty_ppm(workers::audit_band(out.worker));
  const Hash environment = offer == nullptr ? task::executor_environment() : offer->environment;
  out.drawable = TALLY_TRY(
      count_drawable(scene, {task.type, environment, scene.header_time, {account, requester}}));
  out.tolerant_here = out.drawable < out.pool_min;
  const std::string name = to_ss58(account);
  if (!out.worker.registered || offer == nullptr) {
    out.refusal = name + " is not registered for " + std::string(task::to_text(task.type));
  } else if (out.worker.is_banned(scene.chain_time)) {
    out.refusal = name + " is banned";
  } else if (out.worker.cover() < stakes->bond) {
    out.refusal = "of the stake of " + name + ", " + to_text(out.worker.cover()) +
                  " is not frozen; a dispute about this task needs " + to_text(stakes->bond);
  }
  return out;
}

}  // namespace tally::dispute
