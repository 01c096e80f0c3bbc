#include "worker/service/task_service.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "primitives/crypto/hash.hpp"
#include "worker/service/connection.hpp"
#include "worker/service/credit.hpp"
#include "worker/service/held_results.hpp"
#include "worker/service/scheduler.hpp"

namespace tally::worker {

namespace {

using task::FailureReason;
using task::TaskFailure;
using ConnectionPtr = std::shared_ptr<Connection>;  // its stream's thread and its jobs hold it

std::string to_string(ByteView bytes) {
  return std::string(as_text(bytes));
}

Frame result_frame(const HeldResult& held) {
  Frame frame;
  auto& result = *frame.mutable_result();
  result.set_id(held.receipt.receipt.task_id);
  result.mutable_done()->set_sealed_output(to_string(held.sealed_output));
  result.mutable_done()->set_receipt(to_string(encode(held.receipt.receipt)));
  result.mutable_done()->set_receipt_signature(to_string(encode(held.receipt.signature)));
  return frame;
}

std::string name_of(const TaskJob& job) {
  return std::string(to_text(job.type)) + " task " + to_decimal(job.id) + " of " +
         to_hex_prefixed(job.requester);
}

}  // namespace

struct TaskService::State final : proto::Tasks::Service {
  State(ServiceConfig service_config, ServicePorts service_ports)
      : config(std::move(service_config)),
        ports(std::move(service_ports)),
        gate(config.offer.credit_window),
        held(ports.results) {}

  ServiceConfig config;
  ServicePorts ports;
  task::TlsIdentity identity;
  Bytes offer;
  MultiSignature offer_signature;
  std::unique_ptr<grpc::Server> server;
  int port = 0;

  mutable std::mutex mutex;
  std::condition_variable changed;
  CreditGate gate;
  HeldResults held;
  bool draining = false;
  std::uint64_t next_connection = 1;
  std::map<std::uint64_t, ConnectionPtr> connections;
  struct Greeted {
    grpc::ServerContext* context;
    std::chrono::steady_clock::time_point until;
  };
  std::map<std::uint64_t, Greeted> greeting;  // streams without a proof yet
  std::map<ConnectionPtr, std::set<JobPtr>> jobs;
  ServiceCounters counts;
  std::unique_ptr<Scheduler> scheduler;
  std::thread doorkeeper;

  grpc::Status Session(grpc::ServerContext* context, Stream* stream) override;
  Result<ConnectionPtr, grpc::Status> admit(grpc::ServerContext& context, Stream& stream);
  std::optional<grpc::Status> on_frame(const ConnectionPtr& connection, Frame& frame,
                                       KeptParts& kept);
  void on_task(const ConnectionPtr& connection, const proto::Task& task, KeptParts& kept);
  std::optional<Refusal> accept(const ConnectionPtr& connection, const JobPtr& job);
  void finish(const ConnectionPtr& connection, const TaskJob& job, JobOutcome outcome);
  Result<HeldResult, TaskFailure> result_of(const TaskJob& job, const JobOutcome& outcome);
  bool settle(const ConnectionPtr& connection, const TaskJob& job, const HeldResult* result);
  void on_again(const ConnectionPtr& connection, const proto::Again& again);
  Result<Frame, Refusal> repeat(const ConnectionPtr& connection, const ChannelId& channel,
                                std::uint64_t task);
  void bury(const TaskJob& job, const TaskFailure& failure);
  void start_more(const ChannelId& channel);
  void leave(const ConnectionPtr& connection);
  void watch_door();
  void log(LogLevel level, const std::string& text) const { ports.log(level, text); }
  void unwritten(const Error& error) const {
    log(LogLevel::warning, "a result would not survive this process: " + error.message);
  }
};

// Ends streams that do not prove an account in time.
void TaskService::State::watch_door() {
  std::unique_lock lock(mutex);
  while (!draining) {
    changed.wait_for(lock, std::chrono::milliseconds(500));
    const auto now = std::chrono::steady_clock::now();
    for (auto& [id, stream] : greeting) {
      if (now >= stream.until) stream.context->TryCancel();
    }
  }
}

Result<ConnectionPtr, grpc::Status> TaskService::State::admit(grpc::ServerContext& context,
                                                              Stream& stream) {
  std::uint64_t id = 0;
  {
    const std::lock_guard lock(mutex);
    if (draining || connections.size() + greeting.size() >= config.max_connections) {
      return fail(grpc::Status(grpc::StatusCode::UNAVAILABLE,
                               draining ? "this worker is shutting down"
                                        : "this worker has no place for another connection"));
    }
    id = next_connection++;
    greeting[id] = {&context, std::chrono::steady_clock::now() + config.handshake_patience};
  }
  const auto account = greet({config, identity, offer, offer_signature}, context, stream);
  const std::lock_guard lock(mutex);
  greeting.erase(id);
  if (!account) return fail(account.error());
  auto connection = std::make_shared<Connection>(id, *account, context, stream);
  connections[id] = connection;
  ++counts.connections;
  return connection;
}

grpc::Status TaskService::State::Session(grpc::ServerContext* context, Stream* stream) {
  const auto admitted = admit(*context, *stream);
  if (!admitted) {
    log(LogLevel::info, context->peer() + " was not let in: " + admitted.error().error_message());
    return admitted.error();
  }
  const ConnectionPtr& connection = *admitted;
  const AccountId& account = connection->requester();
  log(LogLevel::info,
      "requester " + to_hex_prefixed(account) + " connected from " + context->peer());
  ports.earner.peer_connected(account, connection->id(), [connection](Bytes message) {
    connection->send_channel_message(message);
  });
  KeptParts kept;
  grpc::Status status = grpc::Status::OK;
  Frame frame;
  while (stream->Read(&frame)) {
    if (frame.has_bye()) break;
    if (const auto end = on_frame(connection, frame, kept)) {
      status = *end;
      break;
    }
  }
  leave(connection);
  log(LogLevel::info, "requester " + to_hex_prefixed(account) + " left" +
                          (status.ok() ? "" : ": " + status.error_message()));
  return status;
}

std::optional<grpc::Status> TaskService::State::on_frame(const ConnectionPtr& connection,
                                                         Frame& frame, KeptParts& kept) {
  switch (frame.frame_case()) {
    case Frame::kTask:
      on_task(connection, frame.task(), kept);
      return std::nullopt;
    case Frame::kChannel: {
      const auto taken =
          ports.earner.peer_message(connection->requester(), as_bytes(frame.channel().scale()));
      if (!taken) log(LogLevel::warning, "channel message refused: " + taken.error().message);
      return std::nullopt;
    }
    case Frame::kAgain:
      on_again(connection, frame.again());
      return std::nullopt;
    case Frame::kHello:
    case Frame::kProof:
    case Frame::kAccept:
    case Frame::kRefuse:
    case Frame::kProgress:
    case Frame::kResult:
    case Frame::kBye:
    case Frame::FRAME_NOT_SET:
      break;
  }
  return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                      "expected a task, a channel message, an again or a bye, got another frame");
}

void TaskService::State::on_task(const ConnectionPtr& connection, const proto::Task& task,
                                 KeptParts& kept) {
  const auto job = read_task(config, connection->requester(), task, kept);
  std::optional<Refusal> refusal;
  if (job) {
    refusal = accept(connection, *job);
  } else {
    refusal = job.error();
  }
  if (refusal) {
    {
      const std::lock_guard lock(mutex);
      ++counts.tasks_refused;
    }
    log(LogLevel::info, "task " + to_decimal(task.id()) + " refused: " + refusal->text);
    connection->send_refusal(task.id(), *refusal);
    return;
  }
  start_more((*job)->channel_id);
}

// Takes the task on, or says why not.
std::optional<Refusal> TaskService::State::accept(const ConnectionPtr& connection,
                                                  const JobPtr& job) {
  const auto standing = ports.earner.standing(job->channel_id, job->requester);
  if (!standing) return Refusal{"channel", standing.error().message, {}, {}};
  const std::lock_guard lock(mutex);
  if (draining) return Refusal{"draining", "this worker is shutting down", {}, {}};
  if (gate.tasks() >= config.max_waiting_tasks ||
      gate.bytes() + job->input.size() > config.max_waiting_bytes) {
    return Refusal{"busy", "this worker has too many tasks waiting; try again later",
                   "fewer than " + to_decimal(config.max_waiting_tasks), to_decimal(gate.tasks())};
  }
  gate.open_books(job->channel_id, {standing->received, standing->earned});
  const Balance needed = gate.committed(job->channel_id, job->price);
  if (needed > standing->spendable) {
    return Refusal{"exhausted",
                   "the channel is exhausted: unpaid work and this task come to " +
                       to_text(needed) + ", what it can still pay is " +
                       to_text(standing->spendable) + "; top it up or open another",
                   to_decimal(needed.micro), to_decimal(standing->spendable.micro)};
  }
  if (!gate.use_id(job->channel_id, job->id)) {
    return Refusal{
        "duplicate", "task id " + to_decimal(job->id) + " was used in this channel", {}, {}};
  }
  job->expires = std::chrono::steady_clock::now() + std::chrono::minutes(10) + job->timeout;
  job->on_started = [connection, id = job->id] { connection->send_progress(id, "running"); };
  job->on_done = [this, connection](const TaskJob& done, JobOutcome outcome) {
    finish(connection, done, std::move(outcome));
  };
  jobs[connection].insert(job);
  Frame frame;
  frame.mutable_accept()->set_id(job->id);
  frame.mutable_accept()->set_price(to_decimal(job->price.micro));
  frame.mutable_accept()->set_metered_units(job->metered_units);
  frame.mutable_accept()->set_waiting(static_cast<std::uint32_t>(gate.tasks()));
  const CreditGate::Exposure exposure = gate.exposure(job->channel_id);
  frame.mutable_accept()->set_unpaid(to_decimal(exposure.unpaid.micro));
  frame.mutable_accept()->set_paid_ahead(to_decimal(exposure.paid_ahead.micro));
  connection->send(std::move(frame));
  gate.add(job);
  return std::nullopt;
}

void TaskService::State::start_more(const ChannelId& channel) {
  std::vector<JobPtr> ready;
  {
    const std::lock_guard lock(mutex);
    ready = gate.startable(channel);
  }
  for (JobPtr& job : ready) scheduler->submit(std::move(job));
}

// The credit is settled before the answer leaves, so that the payment which answers it, and the
// task that follows that, find the books in order.
void TaskService::State::finish(const ConnectionPtr& connection, const TaskJob& job,
                                JobOutcome outcome) {
  const Result<HeldResult, TaskFailure> result = result_of(job, outcome);
  const bool here = settle(connection, job, result.ok() ? &*result : nullptr);
  if (result.ok()) {
    if (here && ports.earner.issued(result->receipt)) connection->send(result_frame(*result));
  } else {
    const TaskFailure& failure = result.error();
    if (failure.reason != FailureReason::cancelled) bury(job, failure);
    Frame failed;
    auto& outcome_frame = *failed.mutable_result();
    outcome_frame.set_id(job.id);
    outcome_frame.mutable_failed()->set_code(std::string(enumerator_name(failure.reason)));
    outcome_frame.mutable_failed()->set_text(failure.message);
    connection->send(std::move(failed));
  }
  start_more(job.channel_id);
}

// False if the requester has left. Then it gets no receipt, and owes nothing before it asks for it:
// a receipt that it never saw would stand in the way of all its later tasks.
bool TaskService::State::settle(const ConnectionPtr& connection, const TaskJob& job,
                                const HeldResult* result) {
  const std::lock_guard lock(mutex);
  const auto own = jobs.find(connection);
  const bool here = own != jobs.end();
  gate.finished(
      job, result != nullptr && here ? std::optional(result->receipt.receipt.price) : std::nullopt);
  ++(result != nullptr && here ? counts.tasks_done : counts.tasks_failed);
  if (here) std::erase_if(own->second, [&](const JobPtr& other) { return other.get() == &job; });
  if (result == nullptr) return here;
  HeldResult kept = *result;
  kept.owed = here;
  if (const auto added = held.add(std::move(kept)); !added.ok()) unwritten(added.error());
  return here;
}

void TaskService::State::on_again(const ConnectionPtr& connection, const proto::Again& again) {
  const auto channel = ChannelId::from(as_bytes(again.channel_id()));
  const auto answer = channel ? repeat(connection, *channel, again.id())
                              : Result<Frame, Refusal>(Failure<Refusal>{Refusal{
                                    "bad_payload", "the channel must be 32 bytes", {}, {}}});
  if (answer) return connection->send(*answer);
  connection->send_refusal(again.id(), answer.error());
}

// The result once more; nothing is paid for twice, since the receipt is the same.
Result<Frame, Refusal> TaskService::State::repeat(const ConnectionPtr& connection,
                                                  const ChannelId& channel, std::uint64_t task) {
  const auto standing = ports.earner.standing(channel, connection->requester());
  if (!standing) return Failure<Refusal>{Refusal{"channel", standing.error().message, {}, {}}};
  const std::lock_guard lock(mutex);
  gate.open_books(channel, {standing->received, standing->earned});
  if (HeldResult* result = held.find(channel, task);
      result != nullptr && result->requester == connection->requester()) {
    const Balance price = result->receipt.receipt.price;
    if (!result->owed) {
      if (!gate.receipt_late(channel, price)) {
        const Balance unpaid = gate.exposure(channel).unpaid;
        return Failure<Refusal>{Refusal{"unpaid",
                                        "pay for what was done before: " + to_text(unpaid),
                                        to_decimal(unpaid.micro), "0"}};
      }
      if (const auto issued = ports.earner.issued(result->receipt); !issued) {
        return Failure<Refusal>{Refusal{"draining", issued.error().message, {}, {}}};
      }
      if (const auto owed = held.owe(*result); !owed.ok()) unwritten(owed.error());
      ++counts.tasks_done;
    }
    return result_frame(*result);
  }
  const auto own = jobs.find(connection);
  const bool under_way = own != jobs.end() &&
                         std::any_of(own->second.begin(), own->second.end(), [&](const auto& job) {
                           return job->id == task && job->channel_id == channel;
                         });
  if (!under_way) {
    return Failure<Refusal>{
        Refusal{"unknown_task", "nothing is known of this task here; nothing is owed", {}, {}}};
  }
  Frame frame;
  frame.mutable_progress()->set_id(task);
  frame.mutable_progress()->set_state("running");
  return frame;
}

// Output and signed receipt, or why there is none.
Result<HeldResult, TaskFailure> TaskService::State::result_of(const TaskJob& job,
                                                              const JobOutcome& outcome) {
  const executors::TaskOutput output = TALLY_TRY(outcome.result);
  const auto units = task::used_units(job.type, job.spec, job.input.size(), output.bytes);
  if (!units) return fail(TaskFailure{FailureReason::bad_answer, units.error().message});
  const auto price = task::price_of(job.rate, *units, job.priority);
  if (!price || *price > job.price) {
    return fail(TaskFailure{FailureReason::bad_answer, "the task used more than was agreed on"});
  }
  const auto sealed =
      seal(job.reply_key, output.bytes, task::result_context({job.channel_id, job.id}));
  if (!sealed) return fail(TaskFailure{FailureReason::bad_spec, "the reply key is unusable"});
  const auto receipt = task::sign_receipt(config.key, {.genesis_hash = config.genesis_hash,
                                                       .worker = config.key.account(),
                                                       .requester = job.requester,
                                                       .channel_id = job.channel_id,
                                                       .task_id = job.id,
                                                       .type = job.type,
                                                       .environment = config.offer.environment,
                                                       .spec_hash = blake2_256(job.spec),
                                                       .input_hash = blake2_256(job.input),
                                                       .output_hash = output.hash,
                                                       .price = *price,
                                                       .metered_units = *units,
                                                       .started_ms = outcome.started_ms,
                                                       .finished_ms = outcome.finished_ms});
  return HeldResult{job.requester, receipt, *sealed, false};
}

void TaskService::State::bury(const TaskJob& job, const TaskFailure& failure) {
  const auto name = ports.dead_letters.add({.at = wall_clock(),
                                            .requester = job.requester,
                                            .channel_id = job.channel_id,
                                            .task_id = job.id,
                                            .type = job.type,
                                            .spec = job.spec,
                                            .input = job.input,
                                            .failure = failure});
  if (name) {
    log(LogLevel::warning,
        name_of(job) + " failed (" + failure.message + "), kept as dead letter " + *name);
  } else {
    log(LogLevel::error, name_of(job) + " failed (" + failure.message +
                             ") and could not be kept: " + name.error().message);
  }
}

// A requester that is gone cannot be told and will not pay: its tasks end.
void TaskService::State::leave(const ConnectionPtr& connection) {
  ports.earner.peer_gone(connection->requester(), connection->id());
  {
    const std::lock_guard lock(mutex);
    for (const JobPtr& job : jobs[connection]) job->cancelled = true;
    jobs.erase(connection);
    connections.erase(connection->id());
    gate.drop_cancelled();
  }
  connection->close();
  changed.notify_all();
}

TaskService::TaskService(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<TaskService>, Error> TaskService::start(ServiceConfig config,
                                                               ServicePorts ports) {
  auto owned = std::make_unique<State>(std::move(config), std::move(ports));
  State& state = *owned;
  for (const std::string& fault : TALLY_TRY(state.held.load())) {
    state.log(LogLevel::warning, "thrown away: " + fault);
  }
  state.identity = TALLY_TRY(task::make_tls_identity());
  state.config.offer.seal_key = seal_public(state.config.seal_secret);
  state.offer = encode(state.config.offer);
  state.offer_signature =
      task::sign_offer(state.config.key, state.config.genesis_hash, state.offer);
  state.scheduler = std::make_unique<Scheduler>(
      Scheduler::Config{.threads = state.config.threads, .run = state.ports.run});
  state.ports.earner.on_paid([&state](const ChannelId& channel, Balance received) {
    {
      const std::lock_guard lock(state.mutex);
      state.gate.set_received(channel, received);
    }
    state.start_more(channel);
  });

  grpc::SslServerCredentialsOptions tls(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_BUT_DONT_VERIFY);
  tls.pem_key_cert_pairs.push_back({state.identity.key_pem, state.identity.certificate_pem});
  grpc::ServerBuilder builder;
  builder.AddListeningPort(state.config.listen, grpc::SslServerCredentials(tls), &state.port);
  builder.RegisterService(&state);
  builder.SetMaxReceiveMessageSize(static_cast<int>(task::kMaxFrameBytes));
  builder.SetMaxSendMessageSize(static_cast<int>(task::kMaxFrameBytes));
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  state.server = builder.BuildAndStart();
  if (!state.server || state.port == 0) {
    return fail_with("cannot listen on " + state.config.listen +
                     ": is the address right, and does another program use the port?");
  }
  state.doorkeeper = std::thread([&state] { state.watch_door(); });
  return std::unique_ptr<TaskService>(new TaskService(std::move(owned)));
}

TaskService::~TaskService() {
  stop();
}

void TaskService::stop() {
  State& state = *state_;
  if (!state.server) return;
  {
    const std::lock_guard lock(state.mutex);
    state.draining = true;
    for (auto& [id, connection] : state.connections)
      connection->send_bye("this worker is shutting down");
  }
  state.changed.notify_all();
  state.doorkeeper.join();
  state.scheduler->stop();
  // What is still written leaves; streams that do not end by themselves are cut.
  state.server->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
  state.server->Wait();
  state.server.reset();
  state.ports.earner.on_paid(nullptr);
}

std::uint16_t TaskService::port() const {
  return static_cast<std::uint16_t>(state_->port);
}

ServiceCounters TaskService::counters() const {
  const std::lock_guard lock(state_->mutex);
  return state_->counts;
}

}  // namespace tally::worker
