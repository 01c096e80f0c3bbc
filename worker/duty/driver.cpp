#include "worker/duty/driver.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>

#include "client-sdk/chain/calls.hpp"
#include "client-sdk/chain/events.hpp"
#include "client-sdk/content/fetch.hpp"
#include "modules/disputes/storage.hpp"
#include "modules/system/storage.hpp"
#include "worker/duty/crew.hpp"

namespace tally::worker {

namespace {

using disputes::Dispute;

constexpr auto kNodeRetry = std::chrono::seconds(1);

// Whether the event may call this account to a seat.
bool calls(const disputes::Event& event, const AccountId& self) {
  if (const auto* drawn = std::get_if<disputes::Drawn>(&event)) {
    return std::find(drawn->verifiers.begin(), drawn->verifiers.end(), self) !=
           drawn->verifiers.end();
  }
  const auto* replaced = std::get_if<disputes::Replaced>(&event);
  return replaced != nullptr && replaced->by == self;
}

DisputeNumber number_of(const disputes::Event& event) {
  return std::visit([](const auto& one) { return one.number; }, event);
}

}  // namespace

struct DutyDriver::State {
  State(const DriverConfig& driver_config, DriverPorts driver_ports,
        std::unique_ptr<DutyStore> duty_store, content::ContentFolder input_folder)
      : config(driver_config),
        ports(std::move(driver_ports)),
        store(std::move(duty_store)),
        inputs(std::move(input_folder)),
        self(ports.submitter.key().account()),
        genesis(chain().root().genesis_hash) {}

  DriverConfig config;
  DriverPorts ports;
  std::unique_ptr<DutyStore> store;
  content::ContentFolder inputs;
  AccountId self;
  Hash genesis;
  std::stop_source stopping;
  std::atomic<bool> cancel{false};

  mutable std::mutex mutex;  // of what follows
  std::condition_variable_any changed;
  std::optional<DutyMachine> machine;
  TimestampMs now;
  std::map<DisputeNumber, disputes::Case> cases;
  DutyCounters counts;

  // Submissions wait for finality and fetches for strangers: neither holds up the others.
  std::unique_ptr<Crew> senders;
  std::unique_ptr<Crew> fetchers;
  std::unique_ptr<Crew> runners;
  std::jthread follower;

  client::ChainClient& chain() { return ports.submitter.chain(); }

  Result<void, Error> begin();
  void follow(const std::stop_token& stop);
  client::ClientResult<void> follow_once(const std::stop_token& stop, bool& told);
  client::ClientResult<void> look_around();
  client::ClientResult<void> on_block(const client::FollowedBlock& block);
  client::ClientResult<void> look_at(const std::set<DisputeNumber>& numbers);

  void feed(const DutyEvent& event);
  void carry_out(const SubmitCall& action);
  void carry_out(const ReadCase& action);
  void carry_out(const FetchInput& action);
  void carry_out(const RunTask& action);
  void carry_out(const KeepRecord& action);
  void carry_out(const ForgetDuty& action);
  void carry_out(const TellOperator& action) { ports.tell(action.warning, action.text); }

  void send(const SubmitCall& action);
  void read_case(DisputeNumber number);
  void fetch(const FetchInput& action);
  void run(const RunTask& action);
  std::optional<disputes::Case> case_of(DisputeNumber number) const;
  Result<Bytes, Error> input_of(const disputes::Case& task) const;
};

// The machine's step and the starts of what it asks for are one turn, so that a record is on disk
// before anything that was asked for after it.
void DutyDriver::State::feed(const DutyEvent& event) {
  if (stopping.stop_requested()) return;
  const std::lock_guard lock(mutex);
  for (const DutyAction& action : machine->step(event, now)) {
    std::visit([this](const auto& one) { carry_out(one); }, action);
  }
}

void DutyDriver::State::carry_out(const SubmitCall& action) {
  senders->add([this, action] { send(action); });
}
void DutyDriver::State::carry_out(const ReadCase& action) {
  senders->add([this, action] { read_case(action.number); });
}
void DutyDriver::State::carry_out(const FetchInput& action) {
  fetchers->add([this, action] { fetch(action); });
}
void DutyDriver::State::carry_out(const RunTask& action) {
  runners->add([this, action] { run(action); });
}
void DutyDriver::State::carry_out(const KeepRecord& action) {
  runners->add([this, action] {
    const auto kept = store->keep(action.record);
    if (!kept) ports.tell(true, kept.error().message);
    feed(RecordKept{action.record.number, kept.ok()});
  });
}

void DutyDriver::State::carry_out(const ForgetDuty& action) {
  const auto found = cases.find(action.number);
  if (found != cases.end()) {
    const Hash input = found->second.receipt.receipt.input_hash;
    cases.erase(found);
    const bool shared = std::any_of(cases.begin(), cases.end(), [&](const auto& other) {
      return other.second.receipt.receipt.input_hash == input;
    });
    if (!shared) (void)inputs.remove(input);
  }
  if (const auto gone = store->forget(action.number); !gone) ports.tell(true, gone.error().message);
}

void DutyDriver::State::send(const SubmitCall& action) {
  const auto outcome =
      ports.submitter.submit(client::call_bytes(action.call), stopping.get_token());
  if (!outcome) return feed(CallEnded{action.number, CallEnd::lost, outcome.error().message});
  if (outcome->failure) {
    return feed(CallEnded{action.number, CallEnd::refused, runtime::to_text(*outcome->failure)});
  }
  const std::string number = to_decimal(action.number.value);
  {
    const std::lock_guard lock(mutex);
    counts.accepted += std::holds_alternative<disputes::Accept>(action.call) ? 1 : 0;
    counts.committed += std::holds_alternative<disputes::Commit>(action.call) ? 1 : 0;
    counts.revealed += std::holds_alternative<disputes::Reveal>(action.call) ? 1 : 0;
  }
  std::visit(
      [&](const auto& call) {
        ports.tell(false, "dispute " + number + ": " +
                              std::string(std::decay_t<decltype(call)>::kName) + " is final");
      },
      action.call);
  feed(CallEnded{action.number, CallEnd::applied, {}});
}

void DutyDriver::State::read_case(DisputeNumber number) {
  auto task = chain().read_item(disputes::kCases, number);
  std::optional<disputes::Case> read;
  if (task && *task) read = **task;
  if (read) {
    const std::lock_guard lock(mutex);
    cases[number] = *read;
  }
  feed(CaseRead{number, read});
}

void DutyDriver::State::fetch(const FetchInput& action) {
  if (inputs.has(action.hash) && inputs.get(action.hash)) {
    return feed(InputFetched{action.number, true});
  }
  const std::size_t places = std::max<std::size_t>(action.locations.size(), 1);
  const auto bytes = content::fetch_content(
      {.hash = action.hash,
       .locations = action.locations,
       .max_bytes = config.max_input_bytes,
       .patience = std::chrono::milliseconds(action.patience.value / places)},
      stopping.get_token());
  if (stopping.stop_requested()) return;
  if (!bytes) {
    ports.tell(false, "dispute " + to_decimal(action.number.value) + ": " + bytes.error().message);
    return feed(InputFetched{action.number, false});
  }
  const auto kept = inputs.put(*bytes);
  if (!kept) ports.tell(true, kept.error().message);
  feed(InputFetched{action.number, kept.ok()});
}

std::optional<disputes::Case> DutyDriver::State::case_of(DisputeNumber number) const {
  const std::lock_guard lock(mutex);
  const auto found = cases.find(number);
  if (found == cases.end()) return std::nullopt;
  return found->second;
}

Result<Bytes, Error> DutyDriver::State::input_of(const disputes::Case& task) const {
  if (const auto* inside = std::get_if<disputes::InlineInput>(&task.input)) return inside->bytes;
  return inputs.get(task.receipt.receipt.input_hash);
}

void DutyDriver::State::run(const RunTask& action) {
  const auto task = case_of(action.number);
  if (!task) return;
  const auto input = input_of(*task);
  if (!input) return feed(InputFetched{action.number, false});
  const std::string number = to_decimal(action.number.value);
  ports.tell(false, "dispute " + number + ": doing the task again");
  auto result = ports.run({.type = task->receipt.receipt.type,
                           .spec = task->spec,
                           .input = *input,
                           .patience = std::chrono::milliseconds(action.patience.value)},
                          cancel);
  feed(TaskRan{action.number, std::move(result)});
}

// Reads what the chain has of these disputes now, and lets time go on.
client::ClientResult<void> DutyDriver::State::look_at(const std::set<DisputeNumber>& numbers) {
  std::vector<Bytes> keys{to_bytes(system::kChainTime.key())};
  for (const DisputeNumber number : numbers) {
    keys.push_back(to_bytes(disputes::kDisputes.key(number)));
  }
  const auto values = TALLY_TRY(chain().read(keys));
  if (values[0]) {
    if (const auto time = decode<TimestampMs>(*values[0])) {
      const std::lock_guard lock(mutex);
      now = std::max(now, *time);
    }
  }
  std::size_t at = 1;
  for (const DisputeNumber number : numbers) {
    const auto& value = values[at++];
    std::optional<Dispute> record;
    if (value) {
      auto decoded = decode<Dispute>(*value);
      if (!decoded) continue;
      record = *std::move(decoded);
    }
    feed(DisputeSeen{number, std::move(record)});
  }
  feed(Tick{});
  return {};
}

// All disputes that the chain knows: what happened while nobody looked.
client::ClientResult<void> DutyDriver::State::look_around() {
  std::set<DisputeNumber> numbers;
  for (const auto& [key, value] :
       TALLY_TRY(chain().scan(to_bytes(ByteView(disputes::kDisputes.prefix))))) {
    const auto dispute = decode<Dispute>(value);
    if (!dispute) continue;
    const bool mine = std::any_of(dispute->seats.begin(), dispute->seats.end(),
                                  [&](const auto& seat) { return seat.verifier == self; });
    const auto number = disputes::kDisputes.keys_of(key);
    if (mine && number) numbers.insert(std::get<0>(*number));
  }
  {
    const std::lock_guard lock(mutex);
    for (const DisputeNumber number : machine->duties()) numbers.insert(number);
  }
  return look_at(numbers);
}

client::ClientResult<void> DutyDriver::State::on_block(const client::FollowedBlock& block) {
  std::set<DisputeNumber> numbers;
  std::set<DisputeNumber> own;
  {
    const std::lock_guard lock(mutex);
    for (const DisputeNumber number : machine->duties()) own.insert(number);
  }
  const auto records = client::decode_events(block.events.records);
  if (!records) return {};
  for (const auto& record : *records) {
    const auto* module = std::get_if<runtime::DisputesEvent>(&record.event);
    if (module == nullptr) continue;
    const DisputeNumber number = number_of(module->value);
    if (own.contains(number) || calls(module->value, self)) numbers.insert(number);
  }
  if (numbers.empty() && own.empty()) return {};
  return look_at(numbers);
}

// Until the node goes away.
client::ClientResult<void> DutyDriver::State::follow_once(const std::stop_token& stop, bool& told) {
  // The head first: what happens while it looks around comes with the blocks after it.
  const client::FinalHead head = TALLY_TRY(chain().finalized());
  TALLY_TRY(look_around());
  told = false;
  client::ClientResult<void> seen;
  auto followed = chain().follow(head.number.next(), stop, [&](const auto& block) {
    seen = on_block(block);
    return seen.ok();
  });
  if (!seen) return seen;
  return followed;
}

void DutyDriver::State::follow(const std::stop_token& stop) {
  bool told = false;
  while (!stop.stop_requested()) {
    const auto followed = follow_once(stop, told);
    if (stop.stop_requested()) return;
    if (!followed && !told) {
      ports.tell(true, "disputes cannot be followed, trying again: " + followed.error().message);
      told = true;
    }
    std::unique_lock lock(mutex);
    changed.wait_for(lock, stop, kNodeRetry, [] { return false; });
  }
}

Result<void, Error> DutyDriver::State::begin() {
  const auto parameters = chain().read_item(disputes::kConfig);
  if (!parameters)
    return fail_with("cannot read the rules of disputes: " + parameters.error().message);
  if (!*parameters) return fail_with("this chain has no disputes");
  machine.emplace(DutyConfig{.self = self,
                             .accept_window = (*parameters)->accept_window,
                             .duties_max = config.duties_max,
                             .runs_max = config.runs_max,
                             .salt =
                                 [this](DisputeNumber number) {
                                   return salt_of(ports.submitter.key(), genesis, number);
                                 }},
                  store->loaded());
  senders = std::make_unique<Crew>(config.duties_max);
  fetchers = std::make_unique<Crew>(DutyConfig{}.fetches_max);
  // One beyond what runs, for records.
  runners = std::make_unique<Crew>(config.runs_max + 1);
  follower = std::jthread([this](const std::stop_token& stop) { follow(stop); });
  return {};
}

DutyDriver::DutyDriver(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<DutyDriver>, Error> DutyDriver::start(const DriverConfig& config,
                                                             DriverPorts ports) {
  auto store = TALLY_TRY(DutyStore::open(config.folder / "records"));
  auto inputs = TALLY_TRY(content::ContentFolder::open(config.folder / "inputs"));
  auto state =
      std::make_unique<State>(config, std::move(ports), std::move(store), std::move(inputs));
  TALLY_TRY(state->begin());
  return std::unique_ptr<DutyDriver>(new DutyDriver(std::move(state)));
}

DutyDriver::~DutyDriver() {
  state_->stopping.request_stop();
  state_->cancel = true;
  state_->follower.request_stop();
  if (state_->follower.joinable()) state_->follower.join();
  state_->fetchers->stop();
  state_->runners->stop();
  state_->senders->stop();
}

DutyCounters DutyDriver::counters() const {
  const std::lock_guard lock(state_->mutex);
  return state_->counts;
}

const content::ContentFolder& DutyDriver::inputs() const {
  return state_->inputs;
}

}  // namespace tally::worker
