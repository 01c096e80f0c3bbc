// A signer and whoever has its socket: any frames, votes that are well made, restarts, and a mark
// whose content is these bytes under a checksum that holds.
//
// What holds whatever comes: of votes only those are signed that decode and that "Never" of
// consensus allows beside those signed before; nothing is signed that is of no known kind.
#include "node/signer/server.hpp"
#include "primitives/crypto/hash.hpp"
#include "tests/fuzz/codec.hpp"
#include "tests/fuzz/input.hpp"

namespace tally::fuzz {
namespace {

using namespace tally::signer;

class MemoryFile final : public store::DurableFile {
 public:
  explicit MemoryFile(std::optional<Bytes>& content) : content_(content) {}
  std::optional<Bytes> read() override { return content_; }
  void append(ByteView) override { TALLY_ASSERT(false); }
  void write_at(std::size_t, ByteView) override { TALLY_ASSERT(false); }
  void truncate(std::size_t) override { TALLY_ASSERT(false); }
  void sync() override {}
  void replace(ByteView bytes) override { content_ = to_bytes(bytes); }

 private:
  std::optional<Bytes>& content_;
};

const keystore::ValidatorKeys& keys() {
  static const keystore::ValidatorKeys kKeys = *keystore::dev_validator_keys("//Alice");
  return kKeys;
}

struct Signed {
  Hash genesis;
  Statement statement;
};
TALLY_DESCRIBE(Signed, genesis, statement);

bool forbidden_together(const Statement& a, const Statement& b) {
  if (a.epoch != b.epoch || a.view != b.view) return false;
  if (a.kind == b.kind) return a.hash != b.hash;
  return a.kind != VoteKind::notarize && b.kind != VoteKind::notarize;
}

class Played {
 public:
  Played() { TALLY_ASSERT(start(true)); }

  void play(Input input) {
    for (int steps = 0; steps < 400 && !input.empty(); ++steps) {
      switch (input.byte() % 8) {
        case 0:
          frame(input.piece());
          break;
        case 1:
          TALLY_ASSERT(start(false));  // its own mark always holds
          break;
        case 2:
          mark(input.piece());
          break;
        case 3:
          ask(SignRequest{to_bytes(input.piece())});
          break;
        default:
          vote(input);
      }
    }
  }

 private:
  bool start(bool may_begin) {
    server_.reset();
    auto opened = SigningMark::open(std::make_unique<MemoryFile>(content_),
                                    {keys().consensus_key(), may_begin});
    if (!opened.ok()) return false;
    server_ = std::make_unique<SignerServer>(keys(), *std::move(opened), [](const std::string&) {});
    return true;
  }

  void frame(ByteView bytes) {
    decode_strictly<Answer>(bytes);
    const auto request = decode<Request>(bytes);
    if (request.ok()) ask(*request);
  }

  void vote(Input& input) {
    const std::uint8_t what = input.byte();
    Statement statement{Epoch(what / 64),
                        static_cast<VoteKind>(what % 3),
                        View(input.byte() % 100 + what % 2 * 100),
                        {}};
    if (what % 3 != 1 || what % 16 == 4) statement.hash.bytes[0] = 1 + what / 3 % 2;
    ask(SignRequest{statement_bytes(Hash{{what / 3 % 16 == 7}}, statement)});
  }

  void ask(const Request& request) {
    const Answer answer = server_->answer(request);
    TALLY_ASSERT(decode<Answer>(encode(answer)).ok());
    const auto* sign = std::get_if<SignRequest>(&request);
    if (sign == nullptr || !std::holds_alternative<SignAnswer>(answer)) return;
    const auto begins = [&](std::string_view tag) {
      const Bytes wanted = domain_tag(tag);
      return sign->message.size() >= wanted.size() &&
             equal(ByteView(sign->message).first(wanted.size()), wanted);
    };
    if (!begins("vote")) {
      TALLY_ASSERT(begins("peer") || begins("peer-claim"));
      return;
    }
    const auto made = decode<Signed>(ByteView(sign->message).subspan(domain_tag("vote").size()));
    TALLY_ASSERT(made.ok());
    TALLY_ASSERT(!chain_ || *chain_ == made->genesis);
    chain_ = made->genesis;
    for (const Statement& before : signed_) {
      TALLY_ASSERT(!forbidden_together(before, made->statement));
    }
    signed_.push_back(made->statement);
  }

  // As a disk may give it; what was signed under another mark is another life.
  void mark(ByteView bytes) {
    const std::optional<Bytes> before = content_;
    content_ = encode(keys().consensus_key());
    append(*content_, bytes);
    Bytes checked = domain_tag("signer-mark");
    append(checked, *content_);
    append(*content_, blake2_256(checked));
    if (start(false)) {
      signed_.clear();
      chain_.reset();
      return;
    }
    content_ = before;
    TALLY_ASSERT(start(false));
  }

  std::optional<Bytes> content_;
  std::unique_ptr<SignerServer> server_;
  std::vector<Statement> signed_;
  std::optional<Hash> chain_;
};

}  // namespace

void run(ByteView input) {
  Played().play(Input(input));
}

}  // namespace tally::fuzz
