#include "worker/service/connection.hpp"

#include "primitives/crypto/hash.hpp"

namespace tally::worker {

namespace {

constexpr std::uint32_t kProtocol = 1;

std::string to_string(ByteView bytes) {
  return std::string(as_text(bytes));
}

Failure<Refusal> refuse(std::string code, std::string text, std::string expected = {},
                        std::string got = {}) {
  return {Refusal{std::move(code), std::move(text), std::move(expected), std::move(got)}};
}

Failure<grpc::Status> bad_argument(const std::string& text) {
  return {grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, text)};
}

// The input, put together from its parts; those that are to be kept are.
Result<Bytes, Refusal> join_input(const ServiceConfig& config, task::TaskPayload& payload,
                                  KeptParts& kept) {
  Bytes input;
  for (task::InputPart& part : payload.input) {
    const Bytes* bytes = nullptr;
    if (auto* given = std::get_if<task::InlinePart>(&part)) {
      bytes = &given->bytes;
      if (given->keep) kept.add(blake2_256(given->bytes), given->bytes);
    } else {
      const Hash& hash = std::get<task::KeptPart>(part).hash;
      bytes = kept.find(hash);
      if (bytes == nullptr) {
        return refuse("missing_part", "the part " + to_hex_prefixed(hash) +
                                          " of the input is not kept here; send it again");
      }
    }
    if (input.size() + bytes->size() > config.offer.max_input_bytes) {
      return refuse("too_large", "the input is too large",
                    to_decimal(config.offer.max_input_bytes) + " bytes at most", "more than that");
    }
    append(input, *bytes);
  }
  return input;
}

Result<Balance, Refusal> agree_price(const ServiceConfig& config, const proto::Task& task,
                                     TaskJob& job) {
  const task::TaskPrice* const price = task::find_price(config.offer, job.type);
  if (price == nullptr) {
    return refuse("unsupported", "this worker does not offer " + std::string(to_text(job.type)));
  }
  const auto amount = task::price_of(*price, job.metered_units, job.priority);
  if (!amount) return refuse("price", amount.error().message);
  job.rate = *price;
  const auto limit = parse_decimal(task.max_price());
  if (!limit) return refuse("bad_payload", "max_price must be decimal digits of µCC");
  if (amount->micro > *limit) {
    return refuse(
        "price",
        "the task costs " + to_text(*amount) + ", the limit is " + to_text(Balance(*limit)),
        to_decimal(amount->micro), to_decimal(*limit));
  }
  return *amount;
}

template <class Enum>
std::optional<Enum> enum_of(std::uint32_t number) {
  if (number > 0xff) return std::nullopt;
  const std::uint8_t byte = static_cast<std::uint8_t>(number);
  const auto value = decode<Enum>({&byte, 1});
  if (!value) return std::nullopt;
  return *value;
}

}  // namespace

void KeptParts::add(const Hash& hash, Bytes bytes) {
  if (bytes.size() > task::kMaxKeptBytes || !parts_.try_emplace(hash, bytes).second) return;
  bytes_ += bytes.size();
  order_.push_back(hash);
  while (bytes_ > task::kMaxKeptBytes) {
    const auto oldest = parts_.find(order_.front());
    bytes_ -= oldest->second.size();
    parts_.erase(oldest);
    order_.pop_front();
  }
}

const Bytes* KeptParts::find(const Hash& hash) const {
  const auto found = parts_.find(hash);
  return found == parts_.end() ? nullptr : &found->second;
}

Result<JobPtr, Refusal> read_task(const ServiceConfig& config, const AccountId& requester,
                                  const proto::Task& task, KeptParts& kept) {
  auto job = std::make_shared<TaskJob>();
  const auto channel = ChannelId::from(as_bytes(task.channel_id()));
  const auto type = enum_of<task::TaskType>(task.type());
  const auto priority = enum_of<task::Priority>(task.priority());
  if (!channel || !priority)
    return refuse("bad_payload", "the task's channel or priority is malformed");
  if (!type) {
    return refuse("unsupported", "this worker knows no task type " + to_decimal(task.type()));
  }
  if (task.timeout_ms() == 0 || task.timeout_ms() > config.offer.max_timeout_ms) {
    return refuse("timeout", "the timeout is out of range",
                  "1 to " + to_decimal(config.offer.max_timeout_ms) + " ms",
                  to_decimal(task.timeout_ms()) + " ms");
  }
  const auto opened = open_sealed(config.seal_secret, as_bytes(task.sealed_payload()),
                                  task::task_context({*channel, task.id()}));
  if (!opened)
    return refuse("bad_payload", "the payload is not sealed to this worker's key for this task");
  auto payload = decode<task::TaskPayload>(*opened);
  if (!payload)
    return refuse("bad_payload", "the payload is malformed: " + to_text(payload.error()));
  if (payload->spec.size() > task::kMaxSpecBytes) {
    return refuse("too_large", "the spec is too large", to_decimal(task::kMaxSpecBytes) + " bytes",
                  to_decimal(payload->spec.size()) + " bytes");
  }
  job->input = TALLY_TRY(join_input(config, *payload, kept));
  job->requester = requester;
  job->channel_id = *channel;
  job->id = task.id();
  job->type = *type;
  job->priority = *priority;
  job->spec = std::move(payload->spec);
  job->reply_key = payload->reply_key;
  job->timeout = std::chrono::milliseconds(task.timeout_ms());
  const auto units = task::metered_units(job->type, job->spec, job->input.size());
  if (!units) return refuse("bad_payload", units.error().message);
  job->metered_units = *units;
  job->price = TALLY_TRY(agree_price(config, task, *job));
  return job;
}

void Connection::send_refusal(std::uint64_t task, const Refusal& refusal) {
  Frame frame;
  auto& refuse = *frame.mutable_refuse();
  refuse.set_id(task);
  refuse.set_code(refusal.code);
  refuse.set_text(refusal.text);
  refuse.set_expected(refusal.expected);
  refuse.set_got(refusal.got);
  send(std::move(frame));
}

void Connection::send_progress(std::uint64_t task, const std::string& state) {
  Frame frame;
  frame.mutable_progress()->set_id(task);
  frame.mutable_progress()->set_state(state);
  send(std::move(frame));
}

void Connection::send_channel_message(ByteView message) {
  Frame frame;
  frame.mutable_channel()->set_scale(to_string(message));
  send(std::move(frame));
}

void Connection::send_bye(const std::string& reason) {
  Frame frame;
  frame.mutable_bye()->set_reason(reason);
  send(std::move(frame));
}

Result<AccountId, grpc::Status> greet(const Greeting& greeting, grpc::ServerContext& context,
                                      Stream& stream) {
  const ServiceConfig& config = greeting.config;
  Frame frame;
  if (!stream.Read(&frame)) return bad_argument("expected a hello, got the end of the stream");
  if (!frame.has_hello()) return bad_argument("expected a hello, got another frame");
  const proto::Hello hello = frame.hello();
  if (hello.protocol() != kProtocol) {
    return bad_argument("expected task protocol " + to_decimal(kProtocol) + ", got " +
                        to_decimal(hello.protocol()));
  }
  if (!equal(as_bytes(hello.genesis_hash()), config.genesis_hash)) {
    return bad_argument("this worker is on the chain with genesis " +
                        to_hex_prefixed(config.genesis_hash) + ", you are on " +
                        to_hex_prefixed(as_bytes(hello.genesis_hash())));
  }
  const auto account = AccountId::from(as_bytes(hello.account()));
  task::AuthContext auth{.genesis_hash = config.genesis_hash, .worker_nonce = task::make_nonce()};
  if (!account || hello.nonce().size() != auth.requester_nonce.size()) {
    return bad_argument("the hello's account and nonce must be 32 bytes each");
  }
  std::memcpy(auth.requester_nonce.data(), hello.nonce().data(), auth.requester_nonce.size());
  const auto peer = context.auth_context()->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (peer.empty()) return bad_argument("expected a TLS certificate of yours, got none");
  const auto leaf = task::leaf_hash({peer[0].data(), peer[0].size()});
  if (!leaf) return bad_argument(leaf.error().message);
  auth.requester_leaf = *leaf;
  auth.worker_leaf = greeting.identity.leaf;

  Frame answer;
  auto& ours = *answer.mutable_hello();
  ours.set_protocol(kProtocol);
  ours.set_genesis_hash(to_string(config.genesis_hash));
  ours.set_account(to_string(config.key.account()));
  ours.set_nonce(to_string(auth.worker_nonce));
  ours.set_offer(to_string(greeting.offer));
  ours.set_offer_signature(to_string(encode(greeting.offer_signature)));
  if (!stream.Write(answer) || !stream.Read(&frame))
    return bad_argument("expected a proof, got the end");
  const auto signature = decode<MultiSignature>(as_bytes(frame.proof().signature()));
  if (!frame.has_proof() || !signature ||
      !task::auth_is_valid(*account, task::Role::requester, auth, *signature)) {
    return fail(grpc::Status(grpc::StatusCode::UNAUTHENTICATED,
                             "the proof does not show that you are " + to_hex_prefixed(*account)));
  }
  Frame proof;
  proof.mutable_proof()->set_signature(
      to_string(encode(task::sign_auth(config.key, task::Role::worker, auth))));
  if (!stream.Write(proof)) return bad_argument("the stream ended");
  return *account;
}

}  // namespace tally::worker
