#include "node/core/evidence_reports.hpp"

#include <utility>

#include "modules/system/api.hpp"
#include "modules/validators/api.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/extrinsic.hpp"
#include "runtime/version.hpp"

namespace tally::core {
namespace {

constexpr std::string_view kPrefix = "evidence/";
constexpr std::uint64_t kSlots = 8;          // of a second each, before the first report
constexpr std::uint64_t kRetryMs = 5'000;    // between two reports of one offence
constexpr std::uint64_t kLookMs = 500;       // between two looks at the chain
constexpr std::uint64_t kReportBlocks = 64;  // that a report lives
constexpr std::uint32_t kWarnAttempts = 12;  // a minute

template <class T>
void append_big_endian(Bytes& out, T value) {
  for (std::size_t i = sizeof(T); i > 0; --i) {
    out.push_back(static_cast<std::uint8_t>(value >> (8 * (i - 1))));
  }
}

std::string name_of(Epoch epoch, ValidatorIndex signer) {
  return "validator " + std::to_string(signer.value) + " of epoch " + std::to_string(epoch.value);
}

}  // namespace

EvidenceReports::EvidenceReports(const Ports& ports, const Hash& genesis_hash,
                                 const ports::PeerId& self)
    : ports_(ports), genesis_hash_(genesis_hash), self_(self) {
  const Bytes prefix = to_bytes(as_bytes(kPrefix));
  ports_.store->scan(ports::Column::meta, prefix, [&](ByteView key, ByteView value) {
    if (key.size() < prefix.size() || !equal(key.first(prefix.size()), prefix)) return false;
    const auto evidence = decode<Evidence>(value);
    TALLY_ASSERT(evidence.ok());  // damage of the database
    admit(*evidence, ports::Instant(0));
    return true;
  });
}

EvidenceReports::Offence EvidenceReports::offence_of(const Evidence& evidence) {
  return {evidence.first.statement.epoch, evidence.first.signer};
}

Bytes EvidenceReports::key_of(const Offence& offence) {
  Bytes key = to_bytes(as_bytes(kPrefix));
  append_big_endian(key, offence.epoch.value);
  append_big_endian(key, offence.signer.value);
  return key;
}

bool EvidenceReports::keep(const Evidence& evidence, ports::Instant now) {
  const Offence offence = offence_of(evidence);
  if (open_.contains(offence) || judge(offence) == Verdict::convicted) return false;
  ports_.store->write({{ports::Column::meta, key_of(offence), encode(evidence)}},
                      ports::Durability::synced);
  admit(evidence, now);
  if (ports_.reporter == nullptr) {
    news_.push_back("evidence against " + name_of(offence.epoch, offence.signer) +
                    " is kept, not reported: this node has no reporter key (--reporter-key)");
  }
  return true;
}

void EvidenceReports::admit(const Evidence& evidence, ports::Instant now) {
  const Offence offence = offence_of(evidence);
  const Hash draw = blake2_256({self_, encode(offence.epoch), encode(offence.signer)});
  const DurationMs wait(draw.bytes[0] % kSlots * 1'000);
  open_.emplace(offence, Open{evidence, now + wait, std::nullopt, 0});
}

EvidenceReports::Verdict EvidenceReports::judge(const Offence& offence) const {
  if (ports_.chain == nullptr) return Verdict::not_yet;
  const system::Parent at = ports_.chain->finalized();
  const auto set = validators::set_of(at.state, offence.epoch);
  if (!set) {
    const bool past = offence.epoch < validators::epoch_info(at.state).epoch;
    return past ? Verdict::nothing_bound : Verdict::not_yet;
  }
  if (offence.epoch > validators::epoch_info(at.state).epoch) return Verdict::not_yet;
  if (!set->contains(offence.signer)) return Verdict::nothing_bound;
  const AccountId& account = set->at(offence.signer).account;
  for (const validators::Offence& known : validators::kOffences.get(at.state, offence.epoch)) {
    if (known.validator == account) return Verdict::convicted;
  }
  const auto candidate = validators::find(at.state, account);
  if (!candidate) return Verdict::nothing_bound;
  return Verdict::wanted;
}

void EvidenceReports::close(const Offence& offence, std::string_view why) {
  ports_.store->write({{ports::Column::meta, key_of(offence), std::nullopt}},
                      ports::Durability::buffered);
  open_.erase(offence);
  news_.push_back("evidence against " + name_of(offence.epoch, offence.signer) +
                  " is settled: " + std::string(why));
}

std::optional<Bytes> EvidenceReports::next_report(ports::Instant now) {
  if (ports_.chain == nullptr || open_.empty()) return std::nullopt;
  if (looked_ && elapsed(*looked_, now) < DurationMs(kLookMs)) return std::nullopt;
  looked_ = now;
  std::vector<Offence> open;
  bool waiting = false;  // one after the other: they share a nonce
  for (const auto& [offence, entry] : open_) {
    open.push_back(offence);
    waiting |= entry.report && ports_.pool->contains(*entry.report);
  }
  for (const Offence& offence : open) {
    const Verdict verdict = judge(offence);
    if (verdict == Verdict::convicted) {
      close(offence, "the chain has convicted it");
      continue;
    }
    if (verdict == Verdict::nothing_bound) {
      close(offence, "nothing is bound for it any more");
      continue;
    }
    if (verdict != Verdict::wanted || ports_.reporter == nullptr || waiting) continue;
    Open& entry = open_.at(offence);
    if (now < entry.not_before) continue;
    const Bytes report = sign_report(entry.evidence);
    entry.report = extrinsic_hash(report);
    entry.not_before = now + DurationMs(kRetryMs);
    if (++entry.attempts == kWarnAttempts) {
      news_.push_back("evidence against " + name_of(offence.epoch, offence.signer) +
                      " does not get onto the chain: can the reporter's account pay the fee?");
    }
    return report;
  }
  return std::nullopt;
}

Bytes EvidenceReports::sign_report(const Evidence& evidence) const {
  const system::Parent at = ports_.chain->finalized();
  Bytes call{static_cast<std::uint8_t>(ModuleIndex::validators)};
  append(call, encode(validators::Call(validators::ReportEquivocation{evidence})));
  const BlockNumber number = ports_.chain->head().number;
  SignedExtra extra{Era::mortal(kReportBlocks, number), {}, {}};
  extra.nonce.value = system::kAccount.get(at.state, ports_.reporter->account).nonce;
  const BlockNumber birth = extra.era.birth(number);
  const auto birth_hash = system::block_hash(at, birth);
  TALLY_ASSERT(birth_hash.has_value());  // 64 blocks back at most
  const SignedAdditional additional{runtime::kSpecVersion, runtime::kTransactionVersion,
                                    genesis_hash_, *birth_hash};
  Extrinsic extrinsic{std::nullopt, call};
  extrinsic.signature =
      ExtrinsicSignature{AddressId{ports_.reporter->account},
                         ports_.reporter->sign(signing_payload(call, extra, additional)), extra};
  return encode_extrinsic(extrinsic);
}

std::vector<std::string> EvidenceReports::take_news() {
  return std::exchange(news_, {});
}

}  // namespace tally::core
