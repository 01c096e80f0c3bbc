#include "node/signer/remote.hpp"

#include "primitives/keystore/durable_file.hpp"

namespace tally::signer {
namespace {

constexpr std::size_t kKeyFileMax = 256;

std::optional<Ed25519Key> read_key(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return std::nullopt;
  const auto text = read_private_file(file, kKeyFileMax);
  if (!text.ok()) return std::nullopt;
  const auto bytes = from_hex(text->substr(0, 64));
  if (!bytes) return std::nullopt;
  return Ed25519Key::from(*bytes);
}

}  // namespace

Result<std::unique_ptr<RemoteSigner>, Error> RemoteSigner::start(Options options) {
  std::unique_ptr<RemoteSigner> out(new RemoteSigner(std::move(options)));
  const auto known = read_key(out->options_.key_file);
  if (known) out->key_ = *known;
  auto linked = out->dial();
  if (!linked.ok()) {
    if (!known) {
      return fail_with(linked.error().message +
                       "; the first start with --signer needs the signer, to learn whose keys it "
                       "holds: start `tallyd signer` first");
    }
    out->away_ = linked.error().message;
  } else {
    out->link_ = std::move(linked->link);
    out->key_ = linked->hello.consensus_key;
    if (!known) {
      TALLY_TRY(write_private_file(out->options_.key_file, to_hex(out->key_) + "\n", false));
    }
  }
  out->thread_ = std::thread([signer = out.get()] { signer->keep_linked(); });
  return out;
}

RemoteSigner::~RemoteSigner() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<RemoteSigner::Linked, Error> RemoteSigner::dial() const {
  Socket fresh = TALLY_TRY(connect_unix(options_.socket));
  fresh.limit(kPatience);
  const bool sent = fresh.send(encode(Request(HelloRequest{kProtocolVersion})));
  const auto bytes = sent ? fresh.receive() : std::nullopt;
  const auto answer = bytes ? decode<Answer>(*bytes) : Result<Answer, DecodeError>(Answer{});
  const auto* hello = bytes && answer.ok() ? std::get_if<HelloAnswer>(&*answer) : nullptr;
  if (hello == nullptr) {
    const auto* refusal = bytes && answer.ok() ? std::get_if<Refusal>(&*answer) : nullptr;
    return fail_with("the signer at unix:" + options_.socket + " " +
                     (refusal != nullptr ? "says: " + refusal->reason : "does not answer"));
  }
  const bool first = key_ == Ed25519Key{};
  if (!first && hello->consensus_key != key_) {
    return fail_with("the signer at unix:" + options_.socket + " holds the key 0x" +
                     to_hex(hello->consensus_key) + ", and this node validates with 0x" +
                     to_hex(key_) + "; give this node its own signer, or another --base-path");
  }
  return Linked{std::move(fresh), *hello};
}

void RemoteSigner::keep_linked() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    if (away_.empty()) {
      wake_.wait(lock, [&] { return ending_ || !away_.empty(); });
      continue;
    }
    wake_.wait_for(lock, kRedial, [&] { return ending_; });
    if (ending_) return;
    lock.unlock();
    auto linked = dial();  // may take as long as a signer that hangs
    lock.lock();
    if (!linked.ok()) {
      away_ = linked.error().message;
      continue;
    }
    link_ = std::move(linked->link);
    away_.clear();
    refused_.reset();
    lock.unlock();
    if (options_.on_change) options_.on_change();
    lock.lock();
  }
}

std::optional<Answer> RemoteSigner::ask(const Request& request) const {
  const std::lock_guard lock(mutex_);
  if (!away_.empty()) return std::nullopt;
  const auto bytes = link_.send(encode(request)) ? link_.receive() : std::optional<Bytes>();
  if (bytes) {
    if (auto answer = decode<Answer>(*bytes); answer.ok()) {
      const auto* refusal = std::get_if<Refusal>(&*answer);
      refused_ = refusal != nullptr ? std::optional(refusal->reason) : std::nullopt;
      return *std::move(answer);
    }
  }
  link_ = Socket();
  away_ = "the link to the signer at unix:" + options_.socket + " broke";
  wake_.notify_all();
  return std::nullopt;
}

std::optional<Ed25519Signature> RemoteSigner::try_sign(ByteView message) const {
  const auto answer = ask(SignRequest{to_bytes(message)});
  const auto* made = answer ? std::get_if<SignAnswer>(&*answer) : nullptr;
  if (made == nullptr) return std::nullopt;
  // Nothing that a peer would drop this node for leaves it.
  if (!ed25519_verify(key_, message, made->signature)) return std::nullopt;
  return made->signature;
}

std::optional<VrfProof> RemoteSigner::try_prove(ByteView alpha) const {
  const auto answer = ask(ProveRequest{to_bytes(alpha)});
  const auto* made = answer ? std::get_if<ProveAnswer>(&*answer) : nullptr;
  if (made == nullptr) return std::nullopt;
  return made->proof;
}

std::optional<std::string> RemoteSigner::away() const {
  const std::lock_guard lock(mutex_);
  if (away_.empty()) return std::nullopt;
  return away_;
}

std::optional<std::string> RemoteSigner::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

}  // namespace tally::signer
