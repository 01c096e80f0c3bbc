#include "node/signer/mark.hpp"

#include "primitives/crypto/hash.hpp"

namespace tally::signer {
namespace {

Hash checksum(ByteView content) {
  Bytes input = domain_tag("signer-mark");
  append(input, content);
  return blake2_256(input);
}

consensus::OwnVotes votes_of(const MarkContent& content) {
  consensus::OwnVotes out({consensus::Silence::none, content.none_below});
  for (const MarkedView& one : content.views) {
    const auto restore = [&](VoteKind kind, const Hash& hash) {
      out.restore({content.epoch, kind, one.view, hash});
    };
    if (one.notarized) restore(VoteKind::notarize, *one.notarized);
    if (one.nullified) restore(VoteKind::nullify, Hash{});
    if (one.finalized) restore(VoteKind::finalize, *one.finalized);
  }
  return out;
}

std::string name(const Statement& statement) {
  return std::string(enumerator_name(statement.kind)) + " of view " +
         std::to_string(statement.view.value) + " of epoch " +
         std::to_string(statement.epoch.value);
}

}  // namespace

SigningMark::SigningMark(std::unique_ptr<store::DurableFile> file, MarkContent content)
    : file_(std::move(file)), content_(std::move(content)), votes_(votes_of(content_)) {}

Result<std::unique_ptr<SigningMark>, Error> SigningMark::open(
    std::unique_ptr<store::DurableFile> file, const Options& options) {
  const std::optional<Bytes> bytes = file->read();
  if (!bytes) {
    if (!options.may_begin) {
      return fail_with(
          "there is no signing mark of this key in the state folder; if the key has never signed, "
          "by a node or by another signer, start once with --new-mark; if it has, wait until the "
          "epoch in which it did is over, and then do so");
    }
    MarkContent fresh;
    fresh.key = options.key;
    std::unique_ptr<SigningMark> out(new SigningMark(std::move(file), std::move(fresh)));
    out->save();
    return out;
  }
  const std::size_t body = bytes->size() < 32 ? 0 : bytes->size() - 32;
  const ByteView view(*bytes);
  auto content = decode<MarkContent>(view.first(body));
  if (body == 0 || !content.ok() || !equal(checksum(view.first(body)), view.subspan(body))) {
    return fail_with(
        "the signing mark is damaged, so that what this key has signed is not known; wait until "
        "the epoch in which it last signed is over, then move the file away and start once with "
        "--new-mark");
  }
  if (content->key != options.key) {
    return fail_with("the signing mark is of the key 0x" + to_hex(content->key) +
                     ", and the keys are 0x" + to_hex(options.key) +
                     "; every key needs a state folder of its own");
  }
  if (options.may_begin) {
    return fail_with(
        "there is a signing mark of this key in the state folder already; start without "
        "--new-mark, which is for the first start alone");
  }
  return std::unique_ptr<SigningMark>(new SigningMark(std::move(file), *std::move(content)));
}

std::optional<std::string> SigningMark::refusal(const Hash& genesis,
                                                const Statement& statement) const {
  if ((statement.kind == VoteKind::nullify) != statement.hash.is_zero()) {
    return "a " + name(statement) + " whose hash does not fit its kind";
  }
  if (!content_.genesis) return std::nullopt;
  if (*content_.genesis != genesis) return "this key signs for another chain";
  if (statement.epoch > content_.epoch) return std::nullopt;
  if (statement.epoch < content_.epoch) {
    return "a " + name(statement) + ", after votes in epoch " +
           std::to_string(content_.epoch.value);
  }
  if (statement.view < content_.none_below) {
    return "a " + name(statement) + ", where views below " +
           std::to_string(content_.none_below.value) + " are closed";
  }
  if (!votes_.may_sign(statement)) {
    return "a " + name(statement) + ", which contradicts what was signed in that view";
  }
  return std::nullopt;
}

std::optional<std::string> SigningMark::admit(const Hash& genesis, const Statement& statement) {
  if (auto why = refusal(genesis, statement)) return why;
  if (saved_ && statement.epoch == content_.epoch && votes_.holds(statement)) return std::nullopt;
  if (!content_.genesis || statement.epoch > content_.epoch) {
    content_.genesis = genesis;
    content_.epoch = statement.epoch;
    content_.none_below = View(0);
    content_.views = {};
    votes_ = votes_of(content_);
  }
  votes_.record(statement);
  std::vector<MarkedView> views;
  for (const auto& [view, own] : votes_.all()) {
    views.push_back({view, own.notarized, own.nullified, own.finalized});
  }
  const bool too_many = views.size() > kMarkViews;
  if (too_many) {
    content_.none_below = views.front().view.next();
    views.erase(views.begin());
  }
  content_.views = *decltype(content_.views)::from(std::move(views));
  if (too_many) votes_ = votes_of(content_);
  save();
  return std::nullopt;
}

void SigningMark::save() {
  Bytes bytes = encode(content_);
  append(bytes, checksum(bytes));
  file_->replace(bytes);
  saved_ = true;
}

}  // namespace tally::signer
