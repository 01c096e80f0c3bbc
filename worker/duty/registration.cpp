#include "worker/duty/registration.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "client-sdk/chain/calls.hpp"
#include "modules/system/storage.hpp"
#include "modules/workers/storage.hpp"

namespace tally::worker {

namespace {

// How often it looks whether a heartbeat is due: a share of the interval, within these.
constexpr std::uint64_t kLooksPerInterval = 10;
constexpr std::uint64_t kLookMin = 1'000;
constexpr std::uint64_t kLookMax = 60'000;

workers::Profile without_speeds(workers::Profile profile) {
  for (workers::TaskOffer& offer : profile.offers) offer.units_per_second = 0;
  return profile;
}

Result<void, Error> submit(client::Submitter& submitter, const workers::Call& call,
                           const std::stop_token& stop) {
  const std::string name = std::visit(
      [](const auto& one) { return std::string(std::decay_t<decltype(one)>::kName); }, call);
  const auto outcome = submitter.submit(client::call_bytes(call), stop);
  if (!outcome) return fail_with(name + " was not included: " + outcome.error().message);
  if (outcome->failure) {
    return fail_with("the chain refused " + name + ": " + runtime::to_text(*outcome->failure));
  }
  return {};
}

}  // namespace

std::vector<workers::Call> registration_calls(const Registration& wanted,
                                              const std::optional<workers::Worker>& worker,
                                              const std::optional<workers::Profile>& profile) {
  std::vector<workers::Call> out;
  const Balance bonded = worker ? worker->bonded : Balance{};
  const Balance missing =
      bonded < wanted.stake ? Balance(wanted.stake.micro - bonded.micro) : Balance{};
  if (!worker || !worker->registered) {
    out.push_back(workers::Register{wanted.profile, {missing}});
    return out;
  }
  if (!profile || without_speeds(*profile) != without_speeds(wanted.profile)) {
    out.push_back(workers::Update{wanted.profile});
  }
  if (!missing.is_zero()) out.push_back(workers::TopUp{{missing}});
  return out;
}

bool heartbeat_is_due(const std::optional<workers::Uptime>& uptime, TimestampMs chain_time,
                      DurationMs interval) {
  if (interval.value == 0) return false;
  const std::uint64_t slot = chain_time.value / interval.value;
  return !uptime || uptime->last_slot < slot;
}

struct Presence::State {
  client::Submitter& submitter;
  Tell tell;
  DurationMs interval;
  std::mutex mutex;
  std::condition_variable_any changed;
  std::jthread thread;

  State(client::Submitter& with, Tell say) : submitter(with), tell(std::move(say)) {}
  void beat(const std::stop_token& stop);
  void run(const std::stop_token& stop);
};

void Presence::State::beat(const std::stop_token& stop) {
  const AccountId& self = submitter.key().account();
  auto& chain = submitter.chain();
  const auto uptime = chain.read_item(workers::kUptime, self);
  const auto time = chain.read_item(system::kChainTime);
  if (!uptime || !time || !*time || !heartbeat_is_due(*uptime, **time, interval)) return;
  const auto sent = submit(submitter, workers::Heartbeat{}, stop);
  if (!sent && !stop.stop_requested()) tell(true, "no heartbeat: " + sent.error().message);
}

void Presence::State::run(const std::stop_token& stop) {
  const auto pause =
      std::chrono::milliseconds(std::clamp(interval.value / kLooksPerInterval, kLookMin, kLookMax));
  while (!stop.stop_requested()) {
    beat(stop);
    std::unique_lock lock(mutex);
    changed.wait_for(lock, stop, pause, [] { return false; });
  }
}

Presence::Presence(std::unique_ptr<State> state) : state_(std::move(state)) {}
Presence::~Presence() = default;

Result<std::unique_ptr<Presence>, Error> Presence::start(const Registration& wanted,
                                                         client::Submitter& submitter,
                                                         const Tell& tell,
                                                         const std::stop_token& stop) {
  auto& chain = submitter.chain();
  const AccountId& self = submitter.key().account();
  const auto config = chain.read_item(workers::kConfig);
  const auto worker = chain.read_item(workers::kWorkers, self);
  const auto profile = chain.read_item(workers::kProfiles, self);
  for (const auto* error : {config ? nullptr : &config.error(), worker ? nullptr : &worker.error(),
                            profile ? nullptr : &profile.error()}) {
    if (error != nullptr) return fail_with("cannot read the registration: " + error->message);
  }
  if (!*config) return fail_with("this chain has no registration of workers");
  if (wanted.stake < (*config)->stake_min) {
    return fail_with("registration.stake must be at least " + to_text((*config)->stake_min) +
                     " on this chain, got " + to_text(wanted.stake));
  }
  for (const workers::Call& call : registration_calls(wanted, *worker, *profile)) {
    TALLY_TRY(submit(submitter, call, stop));
    std::visit(
        [&](const auto& one) {
          tell(false,
               "registration: " + std::string(std::decay_t<decltype(one)>::kName) + " is final");
        },
        call);
  }
  auto state = std::make_unique<State>(submitter, tell);
  state->interval = (*config)->heartbeat_interval;
  State* const raw = state.get();
  state->thread = std::jthread([raw](const std::stop_token& ended) { raw->run(ended); });
  return std::unique_ptr<Presence>(new Presence(std::move(state)));
}

}  // namespace tally::worker
