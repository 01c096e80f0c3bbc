#include "client-sdk/task/session.hpp"

#include <grpcpp/grpcpp.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "client-sdk/task/certificate.hpp"
#include "client-sdk/task/frame_writer.hpp"
#include "client-sdk/task/output.hpp"
#include "client-sdk/task/payload.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/ss58.hpp"
#include "rpc/proto/task.grpc.pb.h"

namespace tally::task {

namespace {

namespace proto = tallystick::v1;
using Stream = grpc::ClientReaderWriter<Frame, Frame>;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kProtocol = 1;

std::string to_string(ByteView bytes) {
  return std::string(as_text(bytes));
}

TimestampMs wall_clock() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return TimestampMs(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count()));
}

std::shared_ptr<grpc::ChannelCredentials> credentials(const TlsIdentity& identity) {
  const auto provider = std::make_shared<grpc::experimental::StaticDataCertificateProvider>(
      std::vector<grpc::experimental::IdentityKeyCertPair>{
          {identity.key_pem, identity.certificate_pem}});
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(provider);
  options.watch_identity_key_cert_pairs();
  // Certificates are self-signed by design: the accounts' signatures over both leaves are the
  // proof.
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(std::make_shared<grpc::experimental::NoOpCertificateVerifier>());
  return grpc::experimental::TlsCredentials(options);
}

Failure<TaskError> task_error(TaskErrorKind kind, std::string code, std::string message) {
  return {TaskError{kind, std::move(code), std::move(message), {}, {}, {}}};
}

Failure<TaskError> refused(const proto::Refuse& refusal) {
  return {TaskError{TaskErrorKind::refused,
                    refusal.code(),
                    refusal.text(),
                    refusal.expected(),
                    refusal.got(),
                    {}}};
}

// A task that was sent and waits for its answers.
struct Pending {
  bool done = false;
  proto::TaskResult result;
  std::optional<proto::Refuse> refusal;
};

// What the task is, as far as the receipt must say it.
struct Prepared {
  TaskPayload payload;
  Secret reply_secret;
  Hash input_hash;
  TaskPrice rate;  // of the worker's offer
  Priority priority{};
  Balance price;  // at most
  std::size_t input_bytes{};
  std::vector<Hash> kept;  // parts that the worker holds after this task
  TimestampMs at = wall_clock();
};

}  // namespace

struct Unanswered {
  std::uint64_t id{};
  TaskType type{};
  ChannelId channel_id;
  Bytes spec;
  std::uint32_t timeout_ms{};
  Hash environment;
  Prepared prepared;
};

struct Session::State {
  State(const SessionConfig& session_config, PayerPort& payer_port)
      : config(session_config), payer(payer_port) {}

  SessionConfig config;
  PayerPort& payer;
  std::uint64_t connection = 0;
  TlsIdentity identity;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<proto::Tasks::Stub> stub;
  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<Stream> stream;
  std::unique_ptr<FrameWriter> writer;
  std::thread reader;
  WorkerOffer offer;

  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::uint64_t, Pending> pending;
  std::set<Hash> kept;
  std::uint64_t next_task_id = 0;
  bool ended = false;
  std::string why;

  Result<void, Error> open();
  Result<void, Error> handshake();
  Result<void, Error> take_hello(const proto::Hello& hello, AuthContext& auth);
  Failure<Error> stream_error(const std::string& doing);
  void read_frames();
  void on_frame(Frame frame);
  void end(const std::string& reason);

  Result<Prepared, TaskError> prepare(const TaskRequest& request);
  std::mutex paid_ahead;  // held by the one task that is paid ahead

  Result<Frame, TaskError> task_frame(const TaskRequest& request, const Prepared& prepared,
                                      std::uint64_t id) const;
  Result<Pending, TaskError> exchange(Frame frame, std::uint64_t id, std::uint32_t timeout_ms);
  Result<TaskReply, TaskError> take_answer(const Unanswered& task, const Pending& answer) const;
  Result<TaskReply, TaskError> check(const Unanswered& task, const proto::TaskDone& done) const;
  Result<TaskReply, TaskError> ask(const TaskRequest& request);
};

Failure<Error> Session::State::stream_error(const std::string& doing) {
  const grpc::Status status = stream->Finish();
  return fail_with("the worker at " + config.endpoint + " ended the connection while " + doing +
                   (status.error_message().empty() ? "" : ": " + status.error_message()));
}

Result<void, Error> Session::State::open() {
  identity = TALLY_TRY(make_tls_identity());
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(kMaxFrameBytes));
  arguments.SetMaxSendMessageSize(static_cast<int>(kMaxFrameBytes));
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetSslTargetNameOverride(std::string(kCertificateName));
  channel = grpc::CreateCustomChannel(config.endpoint, credentials(identity), arguments);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + config.connect_deadline)) {
    return fail_with("no worker answers at " + config.endpoint + " within " +
                     to_decimal(static_cast<u128>(config.connect_deadline.count())) +
                     " ms; check the address and that tally-worker runs there");
  }
  stub = proto::Tasks::NewStub(channel);
  context = std::make_unique<grpc::ClientContext>();
  stream = stub->Session(context.get());
  return handshake();
}

Result<void, Error> Session::State::take_hello(const proto::Hello& hello, AuthContext& auth) {
  if (hello.protocol() != kProtocol) {
    return fail_with("expected task protocol " + to_decimal(kProtocol) + ", got " +
                     to_decimal(hello.protocol()));
  }
  const auto genesis = Hash::from(as_bytes(hello.genesis_hash()));
  if (!genesis || *genesis != config.genesis_hash) {
    return fail_with("the worker is on another chain: expected genesis " +
                     to_hex_prefixed(config.genesis_hash) + ", got " +
                     to_hex_prefixed(as_bytes(hello.genesis_hash())));
  }
  const auto account = AccountId::from(as_bytes(hello.account()));
  if (!account || *account != config.worker) {
    return fail_with("expected the worker " + to_ss58(config.worker) + " at " + config.endpoint +
                     ", got " + (account ? to_ss58(*account) : "no account") +
                     ": name that one, or the address of the one you mean");
  }
  if (hello.nonce().size() != auth.worker_nonce.size()) {
    return fail_with("the worker's nonce must be 32 bytes");
  }
  std::memcpy(auth.worker_nonce.data(), hello.nonce().data(), auth.worker_nonce.size());
  const auto signature = decode<MultiSignature>(as_bytes(hello.offer_signature()));
  if (!signature || !offer_signature_is_valid(config.worker, config.genesis_hash,
                                              as_bytes(hello.offer()), *signature)) {
    return fail_with("the worker's offer is not signed by its account");
  }
  auto decoded = decode<WorkerOffer>(as_bytes(hello.offer()));
  if (!decoded) return fail_with("the worker's offer is malformed: " + to_text(decoded.error()));
  offer = *std::move(decoded);
  return {};
}

Result<void, Error> Session::State::handshake() {
  AuthContext auth{.genesis_hash = config.genesis_hash, .requester_nonce = make_nonce()};
  Frame hello;
  hello.mutable_hello()->set_protocol(kProtocol);
  hello.mutable_hello()->set_genesis_hash(to_string(config.genesis_hash));
  hello.mutable_hello()->set_account(to_string(config.key.account()));
  hello.mutable_hello()->set_nonce(to_string(auth.requester_nonce));
  Frame answer;
  if (!stream->Write(hello) || !stream->Read(&answer)) return stream_error("greeting");
  if (!answer.has_hello()) return fail_with("expected the worker's hello, got another frame");
  TALLY_TRY(take_hello(answer.hello(), auth));

  const auto peer = context->auth_context()->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (peer.empty()) return fail_with("the worker showed no TLS certificate");
  auth.worker_leaf = TALLY_TRY(leaf_hash({peer[0].data(), peer[0].size()}));
  auth.requester_leaf = identity.leaf;

  Frame proof;
  proof.mutable_proof()->set_signature(
      to_string(encode(sign_auth(config.key, Role::requester, auth))));
  if (!stream->Write(proof) || !stream->Read(&answer)) return stream_error("proving our account");
  const auto signature = decode<MultiSignature>(as_bytes(answer.proof().signature()));
  if (!answer.has_proof() || !signature ||
      !auth_is_valid(config.worker, Role::worker, auth, *signature)) {
    return fail_with("whoever answers at " + config.endpoint + " cannot prove to be " +
                     to_hex_prefixed(config.worker) + ": someone may be in the middle");
  }
  return {};
}

void Session::State::end(const std::string& reason) {
  {
    const std::lock_guard lock(mutex);
    if (ended) return;
    ended = true;
    why = reason;
  }
  changed.notify_all();
}

void Session::State::on_frame(Frame frame) {
  switch (frame.frame_case()) {
    case Frame::kChannel:
      // What the party refuses it refuses for itself; nothing here depends on it.
      (void)payer.peer_message(config.worker, as_bytes(frame.channel().scale()));
      return;
    case Frame::kRefuse: {
      const std::lock_guard lock(mutex);
      const auto found = pending.find(frame.refuse().id());
      if (found == pending.end()) return;
      found->second.done = true;
      found->second.refusal = frame.refuse();
      break;
    }
    case Frame::kResult: {
      const std::lock_guard lock(mutex);
      const auto found = pending.find(frame.result().id());
      if (found == pending.end()) return;
      found->second.done = true;
      found->second.result = std::move(*frame.mutable_result());
      break;
    }
    case Frame::kBye:
      end("the worker said goodbye: " + frame.bye().reason());
      return;
    case Frame::kAccept:
    case Frame::kProgress:
    case Frame::kHello:
    case Frame::kProof:
    case Frame::kTask:
    case Frame::kAgain:
    case Frame::FRAME_NOT_SET:
      return;
  }
  changed.notify_all();
}

void Session::State::read_frames() {
  Frame frame;
  while (stream->Read(&frame)) on_frame(std::move(frame));
  end("the connection to the worker at " + config.endpoint + " is lost");
}

Result<Prepared, TaskError> Session::State::prepare(const TaskRequest& request) {
  Prepared out{.payload = {}, .reply_secret = Secret::generate()};
  std::size_t size = 0;
  Bytes whole;
  for (const InputPiece& piece : request.input) size += piece.bytes.size();
  if (size > offer.max_input_bytes || size > kMaxInputBytes) {
    return task_error(TaskErrorKind::invalid, "too_large",
                      "the worker takes inputs of up to " + to_decimal(offer.max_input_bytes) +
                          " bytes, got " + to_decimal(size));
  }
  for (const InputPiece& piece : request.input) {
    append(whole, piece.bytes);
    InputPart part = InlinePart{piece.keep, to_bytes(piece.bytes)};
    if (piece.keep) {
      const Hash hash = blake2_256(piece.bytes);
      const std::lock_guard lock(mutex);
      if (kept.contains(hash)) part = KeptPart{hash};
      out.kept.push_back(hash);
    }
    if (!out.payload.input.push_back(std::move(part))) {
      return task_error(TaskErrorKind::invalid, "too_large",
                        "an input has at most " + to_decimal(kMaxInputParts) + " parts");
    }
  }
  const auto units = metered_units(request.type, request.spec, size);
  if (!units) return task_error(TaskErrorKind::invalid, "bad_spec", units.error().message);
  const TaskPrice* const price = find_price(offer, request.type);
  if (price == nullptr) {
    return task_error(TaskErrorKind::invalid, "unsupported",
                      "the worker does not offer " + std::string(to_text(request.type)));
  }
  const auto amount = price_of(*price, *units, request.priority);
  if (!amount) return task_error(TaskErrorKind::invalid, "price", amount.error().message);
  if (*amount > request.max_price) {
    return task_error(
        TaskErrorKind::invalid, "price",
        "the worker asks " + to_text(*amount) + ", your limit is " + to_text(request.max_price));
  }
  out.payload.spec = request.spec;
  out.payload.reply_key = seal_public(out.reply_secret);
  out.input_hash = blake2_256(whole);
  out.rate = *price;
  out.priority = request.priority;
  out.price = *amount;
  out.input_bytes = size;
  return out;
}

Result<Frame, TaskError> Session::State::task_frame(const TaskRequest& request,
                                                    const Prepared& prepared,
                                                    std::uint64_t id) const {
  const TaskRef ref{request.channel_id, id};
  const auto sealed = seal(offer.seal_key, encode(prepared.payload), task_context(ref));
  if (!sealed)
    return task_error(TaskErrorKind::invalid, "seal_key", "the worker's key is unusable");
  Frame frame;
  auto& task = *frame.mutable_task();
  task.set_id(id);
  task.set_channel_id(to_string(request.channel_id));
  task.set_type(static_cast<std::uint32_t>(request.type));
  task.set_priority(static_cast<std::uint32_t>(request.priority));
  task.set_max_price(to_decimal(request.max_price.micro));
  task.set_timeout_ms(request.timeout_ms);
  task.set_sealed_payload(to_string(*sealed));
  return frame;
}

Result<Pending, TaskError> Session::State::exchange(Frame frame, std::uint64_t id,
                                                    std::uint32_t timeout_ms) {
  std::unique_lock lock(mutex);
  if (!pending.try_emplace(id).second) {
    return task_error(TaskErrorKind::invalid, "under_way", "this task is waited for already");
  }
  writer->send(std::move(frame));
  const auto deadline =
      Clock::now() + std::chrono::milliseconds(timeout_ms) + config.answer_patience;
  const bool answered =
      changed.wait_until(lock, deadline, [&] { return ended || pending.at(id).done; });
  Pending answer = std::move(pending.at(id));
  pending.erase(id);
  if (answer.done) return answer;
  return task_error(TaskErrorKind::disconnected, "disconnected",
                    answered ? why : "the worker did not answer in time");
}

Result<TaskReply, TaskError> Session::State::take_answer(const Unanswered& task,
                                                         const Pending& answer) const {
  if (answer.refusal) return refused(*answer.refusal);
  if (answer.result.has_failed()) {
    return task_error(TaskErrorKind::failed, answer.result.failed().code(),
                      answer.result.failed().text());
  }
  return check(task, answer.result.done());
}

Result<TaskReply, TaskError> Session::State::check(const Unanswered& task,
                                                   const proto::TaskDone& done) const {
  const auto bad = [](std::string message) {
    return task_error(TaskErrorKind::bad_receipt, "bad_receipt", std::move(message));
  };
  const Prepared& prepared = task.prepared;
  auto output = open_sealed(prepared.reply_secret, as_bytes(done.sealed_output()),
                            result_context({task.channel_id, task.id}));
  if (!output) return bad("the output is not sealed to our key");
  const auto receipt = decode<Receipt>(as_bytes(done.receipt()));
  const auto signature = decode<MultiSignature>(as_bytes(done.receipt_signature()));
  if (!receipt || !signature) return bad("the receipt is malformed");
  const auto hash = output_hash(task.type, task.spec, *output);
  if (!hash) return bad(hash.error().message);
  const auto units = used_units(task.type, task.spec, prepared.input_bytes, *output);
  if (!units) return bad(units.error().message);
  const auto price = price_of(prepared.rate, *units, prepared.priority);
  if (!price || *price > prepared.price) return bad("it used more than was agreed on");
  const Receipt agreed{.genesis_hash = config.genesis_hash,
                       .worker = config.worker,
                       .requester = config.key.account(),
                       .channel_id = task.channel_id,
                       .task_id = task.id,
                       .type = task.type,
                       .environment = task.environment,
                       .spec_hash = blake2_256(task.spec),
                       .input_hash = prepared.input_hash,
                       .output_hash = *hash,
                       .price = *price,
                       .metered_units = *units,
                       .started_ms = prepared.at,
                       .finished_ms = {}};
  const SignedReceipt signed_receipt{*receipt, *signature};
  const auto checked = check_receipt(signed_receipt, agreed, wall_clock());
  if (!checked) return bad(checked.error().message);
  return TaskReply{
      .task_id = task.id, .output = *std::move(output), .receipt = signed_receipt, .elapsed = {}};
}

// Twice at most: a worker that lost a kept part gets it again.
Result<TaskReply, TaskError> Session::State::ask(const TaskRequest& request) {
  for (int attempt = 0;; ++attempt) {
    auto prepared = TALLY_TRY(prepare(request));
    auto task = std::make_shared<Unanswered>(Unanswered{.id = 0,
                                                        .type = request.type,
                                                        .channel_id = request.channel_id,
                                                        .spec = request.spec,
                                                        .timeout_ms = request.timeout_ms,
                                                        .environment = offer.environment,
                                                        .prepared = std::move(prepared)});
    {
      const std::lock_guard lock(mutex);
      task->id = next_task_id++;
    }
    Frame frame = TALLY_TRY(task_frame(request, task->prepared, task->id));
    task->prepared.payload = {};  // the answer is checked without it
    if (offer.credit_window == 0) {
      if (const auto paid = payer.pay_ahead(request.channel_id, task->prepared.price); !paid) {
        return task_error(TaskErrorKind::payment, "payment", paid.error().message);
      }
    }
    auto answer = exchange(std::move(frame), task->id, request.timeout_ms);
    if (!answer) {
      answer.error().unanswered = std::move(task);
      return fail(std::move(answer).error());
    }
    if (answer->refusal && answer->refusal->code() == "missing_part" && attempt == 0) {
      const std::lock_guard lock(mutex);
      for (const Hash& hash : task->prepared.kept) kept.erase(hash);
      continue;
    }
    if (!answer->refusal) {
      const std::lock_guard lock(mutex);
      kept.insert(task->prepared.kept.begin(), task->prepared.kept.end());
    }
    return take_answer(*task, *answer);
  }
}

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Session>, Error> Session::connect(const SessionConfig& config,
                                                         PayerPort& payer) {
  static std::atomic<std::uint64_t> connections{0};
  auto state = std::make_unique<State>(config, payer);
  state->connection = ++connections;
  // Ascending across restarts of this program as well.
  state->next_task_id = wall_clock().value * 1000;
  if (auto opened = state->open(); !opened) {
    if (state->context) state->context->TryCancel();
    return fail(std::move(opened).error());
  }
  State* const raw = state.get();
  state->writer = std::make_unique<FrameWriter>(
      FrameWriter::Stream{[raw](const Frame& frame) { return raw->stream->Write(frame); },
                          [raw] { raw->end("the worker does not read what we send"); }},
      2 * kMaxFrameBytes);
  payer.peer_connected(config.worker, state->connection, [raw](Bytes message) {
    Frame frame;
    frame.mutable_channel()->set_scale(to_string(message));
    raw->writer->send(std::move(frame));
  });
  state->reader = std::thread([raw] { raw->read_frames(); });
  return std::unique_ptr<Session>(new Session(std::move(state)));
}

Session::~Session() {
  close();
}

void Session::close() {
  State& state = *state_;
  if (!state.reader.joinable()) return;
  state.payer.peer_gone(state.config.worker, state.connection);
  Frame bye;
  bye.mutable_bye()->set_reason("done");
  state.writer->send(std::move(bye));
  state.writer->close();
  state.end("closed");
  state.stream->WritesDone();
  // The worker ends the stream when it reads our bye; one that does not is left.
  const auto patience = std::chrono::system_clock::now() + std::chrono::seconds(2);
  std::thread impatient([&] {
    std::unique_lock lock(state.mutex);
    state.changed.wait_until(lock, patience, [&] { return state.why == "read out"; });
    if (state.why != "read out") state.context->TryCancel();
  });
  state.reader.join();
  {
    const std::lock_guard lock(state.mutex);
    state.why = "read out";
  }
  state.changed.notify_all();
  impatient.join();
  state.stream->Finish();
}

const WorkerOffer& Session::offer() const {
  return state_->offer;
}

bool Session::alive() const {
  const std::lock_guard lock(state_->mutex);
  return !state_->ended;
}

std::string Session::why_ended() const {
  const std::lock_guard lock(state_->mutex);
  return state_->why;
}

Result<TaskReply, TaskError> Session::run_unpaid(const TaskRequest& request) {
  State& state = *state_;
  const auto started = Clock::now();
  std::unique_lock one_at_a_time(state.paid_ahead, std::defer_lock);
  const bool ahead = state.offer.credit_window == 0;
  if (ahead) one_at_a_time.lock();
  auto reply = TALLY_TRY(state.ask(request));
  // The money is with the worker already: the receipt belongs into what both sign.
  if (ahead) TALLY_TRY(pay(reply));
  reply.elapsed = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - started);
  return reply;
}

Result<TaskReply, TaskError> Session::resume(const Unanswered& task) {
  State& state = *state_;
  const auto started = Clock::now();
  std::unique_lock one_at_a_time(state.paid_ahead, std::defer_lock);
  const bool ahead = state.offer.credit_window == 0;
  if (ahead) one_at_a_time.lock();
  Frame frame;
  frame.mutable_again()->set_id(task.id);
  frame.mutable_again()->set_channel_id(to_string(task.channel_id));
  auto answer = state.exchange(std::move(frame), task.id, task.timeout_ms);
  if (!answer) {
    answer.error().unanswered = std::make_shared<Unanswered>(task);
    return fail(std::move(answer).error());
  }
  auto reply = TALLY_TRY(state.take_answer(task, *answer));
  if (ahead) TALLY_TRY(pay(reply));
  reply.elapsed = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - started);
  return reply;
}

Result<void, TaskError> Session::pay(const TaskReply& reply) {
  const auto paid = state_->payer.pay(reply.receipt);
  if (paid) return {};
  return task_error(TaskErrorKind::payment, "payment", paid.error().message);
}

Result<TaskReply, TaskError> Session::run(const TaskRequest& request) {
  auto reply = TALLY_TRY(run_unpaid(request));
  TALLY_TRY(pay(reply));
  return reply;
}

}  // namespace tally::task
