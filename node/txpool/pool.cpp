#include "node/txpool/pool.hpp"

#include <algorithm>

#include "modules/system/storage.hpp"
#include "node/txpool/refusal.hpp"
#include "primitives/assert.hpp"

namespace tally::txpool {
namespace {

using ports::PoolAnswer;
using ports::PoolVerdict;
using ports::RejectCode;
using runtime::InvalidTransaction;

constexpr std::size_t kPeerPart = 4;        // of the pool, one over this for each guest
constexpr std::size_t kLocalPart = 8;       // likewise, for what is kept of this node's clients
constexpr std::size_t kCheckingPart = 2;    // likewise, bytes whose signatures are being checked
constexpr std::size_t kOwnPlaces = 16;      // of an account, while others have fewer
constexpr std::size_t kCheckingOwed = 256;  // each costs the core thread up to four verifications

std::string name_of(const Hash& hash) {
  return std::string(as_text(hash));
}

Nonce account_nonce(const StateReader& state, const AccountId& account) {
  return system::kAccount.get(state, account).nonce;
}

PoolVerdict verdict_of(InvalidTransaction reason) {
  const bool past =
      reason == InvalidTransaction::stale || reason == InvalidTransaction::ancient_birth_block;
  return past ? PoolVerdict::stale : PoolVerdict::invalid;
}

}  // namespace

RejectCode reject_code(InvalidTransaction reason) {
  switch (reason) {
    case InvalidTransaction::call:
      return RejectCode::malformed;
    case InvalidTransaction::payment:
      return RejectCode::cannot_pay;
    case InvalidTransaction::future:
      return RejectCode::future_nonce;
    case InvalidTransaction::stale:
      return RejectCode::stale_nonce;
    case InvalidTransaction::bad_proof:
      return RejectCode::bad_signature;
    case InvalidTransaction::ancient_birth_block:
      return RejectCode::expired;
    case InvalidTransaction::exhausts_resources:
      return RejectCode::exhausts_resources;
    case InvalidTransaction::bad_signer:
      return RejectCode::bad_signer;
  }
  TALLY_ASSERT(false);
  return {};
}

TxPool::TxPool(const ports::FinalizedView& chain, const Limits& limits)
    : chain_(chain),
      limits_(limits),
      verified_(4 * limits.transactions),
      included_(4 * limits.transactions) {
  look_at_head();
}

TxPool::~TxPool() = default;

void TxPool::look_at_head() {
  validator_ = std::make_unique<runtime::TransactionValidator>(chain_.finalized());
  extrinsic_bytes_max_ = system::kConfig.find(chain_.finalized().state)->extrinsic_bytes_max;
  ++looks_;
}

PoolAnswer TxPool::refused(const Hash& hash, PoolVerdict verdict, ports::Rejection why) {
  PoolAnswer answer;
  answer.verdict = verdict;
  answer.hash = hash;
  answer.code = why.code;
  answer.reason = std::move(why.reason);
  return answer;
}

PoolAnswer TxPool::invalid(const runtime::Transaction& tx, InvalidTransaction reason) const {
  return refused(tx.hash, verdict_of(reason),
                 {reject_code(reason), explain(reason, tx, chain_.finalized())});
}

PoolAnswer TxPool::offer(Bytes extrinsic, ports::PoolSource source) {
  const Hash hash = extrinsic_hash(extrinsic);
  if (contains(hash) || checking_.contains(name_of(hash)) || included_.contains(hash)) {
    return refused(hash, PoolVerdict::known,
                   {RejectCode::already_known, "this extrinsic waits already or is in a block"});
  }
  if (extrinsic.size() > extrinsic_bytes_max_) {
    return refused(
        hash, PoolVerdict::invalid,
        {RejectCode::too_large, "expected at most " + std::to_string(extrinsic_bytes_max_) +
                                    " bytes, got " + std::to_string(extrinsic.size())});
  }
  auto tx = runtime::decode_transaction(extrinsic);
  if (!tx.ok()) {
    return refused(hash, PoolVerdict::invalid,
                   {reject_code(tx.error()), explain_undecodable(extrinsic)});
  }
  if (std::holds_alternative<SignedSr25519>(tx->signature)) {
    return refused(hash, PoolVerdict::invalid,
                   {RejectCode::unsupported_scheme,
                    "expected an Ed25519 or ECDSA signature, got Sr25519: use such a key"});
  }
  const auto additional = validator_->additional(*tx);
  if (!additional.ok()) return invalid(*tx, additional.error());
  const Hash signature = runtime::signature_id(*tx, *additional);
  ports::SignatureJob job{tx->signer, runtime::payload_of(*tx, *additional), tx->signature};
  // The cheap checks come first; the type says "verified" only once settle() has admitted it.
  auto checked = runtime::CheckedTransaction::already_verified(*std::move(tx), *additional);
  auto valid = validator_->preview(checked);
  if (!valid.ok()) return invalid(checked.tx(), valid.error());
  refresh_used(*valid);
  auto entry = std::make_unique<Entry>(
      Entry{std::move(checked), *std::move(valid), source, arrivals_++, looks_});
  entry->density = density_of(*entry);
  entry->owes = !is_covered(*entry);
  if (auto no_room = check_room(*entry)) return *std::move(no_room);
  if (!entry->owes && verified_.contains(signature)) return admit(std::move(entry));
  const std::size_t size = entry->bytes();
  if (checking_.size() >= limits_.transactions ||
      checking_bytes_ + size > limits_.bytes / kCheckingPart ||
      (entry->owes && checking_owed_ >= kCheckingOwed)) {
    return refused(hash, PoolVerdict::refused,
                   {RejectCode::pool_full, "too many signatures are being checked: try again"});
  }
  checking_bytes_ += size;
  if (entry->owes) ++checking_owed_;
  checking_[name_of(hash)] = std::move(entry);
  PoolAnswer answer;
  answer.verdict = PoolVerdict::check_signature;
  answer.hash = hash;
  answer.job = std::move(job);
  return answer;
}

PoolAnswer TxPool::settle(const Hash& extrinsic, bool signature_holds) {
  const auto it = checking_.find(name_of(extrinsic));
  if (it == checking_.end()) {
    return refused(extrinsic, PoolVerdict::known,
                   {RejectCode::already_known, "nothing is being checked under this hash"});
  }
  auto entry = std::move(it->second);
  checking_.erase(it);
  checking_bytes_ -= entry->bytes();
  if (entry->owes) --checking_owed_;
  if (!signature_holds) {
    PoolAnswer bad = invalid(entry->checked.tx(), InvalidTransaction::bad_proof);
    if (!entry->checked.tx().extra.era.is_immortal()) bad.verdict = PoolVerdict::stale;
    return bad;
  }
  remember_verified(runtime::signature_id(entry->checked.tx(), entry->checked.additional()));
  if (included_.contains(extrinsic)) {
    return refused(extrinsic, PoolVerdict::known,
                   {RejectCode::already_known, "this extrinsic is in a final block"});
  }
  if (entry->look != looks_) {  // the head has moved while the signature was checked
    const auto valid = validator_->preview(entry->checked);
    if (!valid.ok()) {
      PoolAnswer late = invalid(entry->checked.tx(), valid.error());
      late.verdict = PoolVerdict::stale;  // it was good when it was offered
      return late;
    }
    entry->valid = *valid;
    refresh_used(*valid);
  }
  entry->owes = !is_covered(*entry);
  return admit(std::move(entry));
}

// Another transaction of this account, which never waited here, has used a nonce.
void TxPool::refresh_used(const runtime::ValidTransaction& valid) {
  const auto found = accounts_.find(valid.sender);
  if (found != accounts_.end() && found->second.next < valid.account_nonce) {
    refresh_account(valid.sender);
  }
}

// Whether its account can pay for it after all that waits before it. What waits after it and is
// then no longer covered goes when it comes in.
bool TxPool::is_covered(const Entry& entry) const {
  u128 before = 0;
  if (const auto found = accounts_.find(entry.valid.sender); found != accounts_.end()) {
    const Account& account = found->second;
    before = account.paid.micro;
    const auto later = account.waiting.lower_bound(entry.valid.nonce);
    for (auto it = later; it != account.waiting.end(); ++it) {
      if (!it->second->owes) before -= it->second->valid.paid.micro;
    }
  }
  const u128 spendable = entry.valid.spendable.micro;
  return before <= spendable && entry.valid.paid.micro <= spendable - before;
}

// The transaction of the same nonce, or its account's last where it has no place left.
const TxPool::Entry* TxPool::displaced(const Entry& entry) const {
  const auto found = accounts_.find(entry.valid.sender);
  if (found == accounts_.end()) return nullptr;
  const Waiting& waiting = found->second.waiting;
  const auto same = waiting.find(entry.valid.nonce);
  if (same != waiting.end()) return same->second;
  const bool pushes =
      waiting.size() >= limits_.per_account && entry.valid.nonce < waiting.rbegin()->first;
  return pushes ? waiting.rbegin()->second : nullptr;
}

// What keeps a valid transaction out beside others of its account, if anything does.
std::optional<PoolAnswer> TxPool::check_account(const Entry& entry, const Entry* goes) const {
  const auto refuse = [&](RejectCode code, std::string reason) {
    return refused(entry.hash(), PoolVerdict::refused, {code, std::move(reason)});
  };
  const auto found = accounts_.find(entry.valid.sender);
  if (found == accounts_.end()) return std::nullopt;
  const Account& account = found->second;
  if (entry.owes && account.owing.contains(*entry.valid.refutes)) {
    const bool same = goes != nullptr && goes->owes && goes->valid.refutes == entry.valid.refutes;
    if (!same) {
      return refuse(RejectCode::cannot_pay,
                    "a refutation of this channel waits already whose fee the channel would owe: "
                    "it owes one at a time");
    }
  }
  if (goes == nullptr) {
    if (account.waiting.size() < limits_.per_account) return std::nullopt;
    return refuse(RejectCode::account_limit,
                  std::to_string(account.waiting.size()) +
                      " transactions of this account wait: send more when some are final");
  }
  if (goes->valid.nonce != entry.valid.nonce) return std::nullopt;
  const std::uint64_t old = goes->valid.priority;
  if (entry.valid.priority >= old && entry.valid.priority - old >= old / 10 + 1) {
    return std::nullopt;
  }
  return refuse(RejectCode::underpriced,
                "another transaction waits with this nonce: tip so that it pays at least a "
                "tenth more, or use the next nonce");
}

// What keeps a valid transaction out, if anything does.
std::optional<PoolAnswer> TxPool::check_room(const Entry& entry) const {
  const auto refuse = [&](RejectCode code, std::string reason) {
    return refused(entry.hash(), PoolVerdict::refused, {code, std::move(reason)});
  };
  const Nonce nonce = entry.valid.nonce;
  if (nonce.value - entry.valid.account_nonce.value >= limits_.per_account) {
    return refuse(RejectCode::future_nonce,
                  "expected a nonce below " +
                      std::to_string(entry.valid.account_nonce.value + limits_.per_account) +
                      ", got " + std::to_string(nonce.value));
  }
  if (entry.owes && !entry.valid.refutes) {
    return refuse(RejectCode::cannot_pay,
                  "expected fees and tips of at most " + to_text(entry.valid.spendable) +
                      " together for this and what waits before it of this account, got more: tip "
                      "less, or send it again when the others are final");
  }
  const Entry* goes = displaced(entry);
  if (auto not_beside = check_account(entry, goes)) return not_beside;
  if (entry.source.peer) {
    const auto share = shares_.find(*entry.source.peer);
    Share held = share == shares_.end() ? Share{} : share->second;
    if (goes != nullptr && goes->source.peer == entry.source.peer) held.take(goes->bytes());
    if (!held.fits(limits_, kPeerPart, entry.bytes())) {
      return refuse(RejectCode::pool_full,
                    "a quarter of the pool holds what this peer sent: send more when it is final");
    }
  }
  if (!victims(entry, goes)) {
    return refuse(RejectCode::pool_full,
                  "the pool is full of transactions that pay as much: tip more or try later");
  }
  return std::nullopt;
}

TxPool::TailRank TxPool::rank_of_newcomer(const Entry& entry) const {
  const Nonce nonce = entry.valid.nonce;
  std::size_t before = 0;
  std::uint64_t lowest = entry.density;
  if (const auto found = accounts_.find(entry.valid.sender); found != accounts_.end()) {
    const Waiting& waiting = found->second.waiting;
    const auto at = waiting.lower_bound(nonce);
    before = static_cast<std::size_t>(std::distance(waiting.begin(), at));
    if (before != 0) lowest = std::min(lowest, std::prev(at)->second->lowest);
  }
  return {.kept = entry.source.is_local && kept_.fits(limits_, kLocalPart, entry.bytes()),
          .contiguous = nonce.value - entry.valid.account_nonce.value == before,
          .within = before < kOwnPlaces,
          .rank = {lowest, entry.arrival},
          .account = entry.valid.sender,
          .nonce = nonce};
}

// What has to go to make room for it, beside `goes`. Nothing where one of them comes before it.
std::optional<std::vector<Hash>> TxPool::victims(const Entry& entry, const Entry* goes) const {
  std::vector<Hash> out;
  std::size_t count = entries_.size() - (goes != nullptr ? 1 : 0);
  std::size_t bytes = bytes_ + entry.bytes() - (goes != nullptr ? goes->bytes() : 0);
  const auto is_full = [&] { return count >= limits_.transactions || bytes > limits_.bytes; };
  if (!is_full()) return out;
  const TailRank own = rank_of_newcomer(entry);
  auto next = tails_.begin();
  std::set<TailRank> uncovered;  // the last of an account once those after it are gone
  while (is_full()) {
    const bool again = !uncovered.empty() && (next == tails_.end() || *uncovered.begin() < *next);
    if (!again && next == tails_.end()) return std::nullopt;
    const TailRank worst = again ? *uncovered.begin() : *next++;
    if (again) uncovered.erase(uncovered.begin());
    if (own < worst) return std::nullopt;
    const Account& account = accounts_.at(worst.account);
    const auto at = account.waiting.find(worst.nonce);
    if (at->second != goes) {
      out.push_back(at->second->hash());
      --count;
      bytes -= at->second->bytes();
    }
    if (at != account.waiting.begin()) uncovered.insert(rank_at(account, std::prev(at)));
  }
  return out;
}

PoolAnswer TxPool::admit(std::unique_ptr<Entry> entry) {
  if (auto no_room = check_room(*entry)) return *std::move(no_room);
  const auto& tx = entry->checked.tx();
  if (entry->owes && !validator_->may_owe(tx)) return invalid(tx, InvalidTransaction::payment);
  PoolAnswer answer;
  answer.verdict = PoolVerdict::accepted;
  answer.hash = entry->hash();
  make_room(*entry);
  const AccountId sender = entry->valid.sender;
  const Balance spendable = entry->valid.spendable;
  insert(std::move(entry));
  tell(answer.hash, ports::TxReady{});
  if (accounts_.at(sender).paid > spendable) drop_uncovered(sender, spendable);
  return answer;
}

void TxPool::make_room(const Entry& entry) {
  const Entry* goes = displaced(entry);
  const auto making_room = victims(entry, goes);
  TALLY_ASSERT(making_room.has_value());
  if (goes != nullptr) {
    const bool same = goes->valid.nonce == entry.valid.nonce;
    drop(goes->hash(),
         same ? ports::TxRejected{{RejectCode::replaced,
                                   "another transaction with the same nonce pays more"}}
              : ports::TxRejected{{RejectCode::account_limit,
                                   "one with a lower nonce took its place: send it again later"}});
  }
  for (const Hash& hash : *making_room) {
    drop(hash,
         ports::TxRejected{{RejectCode::pool_full,
                            "transactions that pay more took its place: tip more or try later"}});
  }
}

std::uint64_t TxPool::density_of(const Entry& entry) {
  constexpr std::uint64_t kOperational = std::uint64_t{1} << 63;
  constexpr u128 kPaidMax = u128{1} << 100;  // no account has as much
  const u128 paid =
      std::min(entry.valid.fee.micro, kPaidMax) + std::min(entry.valid.tip.micro, kPaidMax);
  const u128 for_1000_bytes = paid * 1'000 / entry.bytes();
  const auto rate = static_cast<std::uint64_t>(std::min<u128>(for_1000_bytes, kOperational - 1));
  return entry.checked.tx().operational() ? (rate | kOperational) : rate;
}

TxPool::TailRank TxPool::rank_at(const Account& account, Waiting::const_iterator at) {
  const auto& [nonce, entry] = *at;
  const auto places = static_cast<std::size_t>(
      std::next(at) == account.waiting.end() ? account.waiting.size()
                                             : std::distance(account.waiting.begin(), at) + 1);
  return {.kept = entry->kept,
          // No gap: as many wait as there are nonces from the account's next one up to it.
          .contiguous = nonce.value - account.next.value + 1 == places,
          .within = places <= kOwnPlaces,
          .rank = {entry->lowest, entry->arrival},
          .account = entry->valid.sender,
          .nonce = nonce};
}

// What the transactions from this nonce on pay at the lowest, up to where nothing changes.
void TxPool::recount(Account& account, Nonce from) {
  for (auto it = account.waiting.lower_bound(from); it != account.waiting.end(); ++it) {
    Entry& entry = *it->second;
    const std::uint64_t lowest = it == account.waiting.begin()
                                     ? entry.density
                                     : std::min(entry.density, std::prev(it)->second->lowest);
    if (it->first != from && entry.lowest == lowest) return;
    entry.lowest = lowest;
  }
}

void TxPool::index(const AccountId& id, const Account& account) {
  if (account.waiting.empty()) return;
  heads_.emplace(rank_of(*account.waiting.begin()->second), id);
  tails_.insert(rank_at(account, std::prev(account.waiting.end())));
}

void TxPool::unindex(const Account& account) {
  if (account.waiting.empty()) return;
  heads_.erase(rank_of(*account.waiting.begin()->second));
  tails_.erase(rank_at(account, std::prev(account.waiting.end())));
}

void TxPool::insert(std::unique_ptr<Entry> entry) {
  ++insertions_;
  entry->kept = entry->source.is_local && kept_.fits(limits_, kLocalPart, entry->bytes());
  const AccountId id = entry->valid.sender;
  Account& account = accounts_[id];
  unindex(account);
  account.next = std::max(account.next, entry->valid.account_nonce);
  account.waiting[entry->valid.nonce] = entry.get();
  if (entry->owes) {
    account.owing.insert(*entry->valid.refutes);
  } else {
    account.paid.micro += entry->valid.paid.micro;
  }
  recount(account, entry->valid.nonce);
  index(id, account);
  bytes_ += entry->bytes();
  if (entry->source.peer) shares_[*entry->source.peer].add(entry->bytes());
  if (entry->kept) kept_.add(entry->bytes());
  if (entry->valid.death) deaths_[*entry->valid.death].insert(entry->hash());
  entries_[name_of(entry->hash())] = std::move(entry);
}

std::unique_ptr<TxPool::Entry> TxPool::remove(const Hash& hash) {
  const auto it = entries_.find(name_of(hash));
  if (it == entries_.end()) return nullptr;
  ++removals_;
  auto entry = std::move(it->second);
  entries_.erase(it);
  const AccountId id = entry->valid.sender;
  Account& account = accounts_.at(id);
  unindex(account);
  account.waiting.erase(entry->valid.nonce);
  if (entry->owes) {
    account.owing.erase(*entry->valid.refutes);
  } else {
    account.paid.micro -= entry->valid.paid.micro;
  }
  recount(account, entry->valid.nonce);
  index(id, account);
  if (account.waiting.empty()) accounts_.erase(id);
  bytes_ -= entry->bytes();
  if (entry->kept) kept_.take(entry->bytes());
  if (entry->source.peer) {
    const auto share = shares_.find(*entry->source.peer);
    share->second.take(entry->bytes());
    if (share->second.transactions == 0) shares_.erase(share);
  }
  if (entry->valid.death) {
    const auto deaths = deaths_.find(*entry->valid.death);
    deaths->second.erase(hash);
    if (deaths->second.empty()) deaths_.erase(deaths);
  }
  return entry;
}

void TxPool::drop(const Hash& hash, ports::TxStatus status) {
  // `hash` may live in the entry that goes.
  const Hash copy = hash;
  if (remove(copy)) tell(copy, std::move(status));
}

void TxPool::tell(const Hash& hash, ports::TxStatus status) {
  events_.push_back({hash, std::move(status)});
}

std::vector<Event> TxPool::take_events() {
  return std::exchange(events_, {});
}

void TxPool::on_block(const BlockNews& news) {
  for (std::uint32_t i = 0; i < news.extrinsics.size(); ++i) {
    const ports::TransactionAt at{news.block, news.finalized, i};
    if (news.finalized)
      tell(news.extrinsics[i], ports::TxFinalized{at});
    else
      tell(news.extrinsics[i], ports::TxInBlock{at});
  }
}

void TxPool::on_final(const std::vector<Hash>& included) {
  look_at_head();
  ++removals_;
  ++insertions_;
  std::set<AccountId> changed;
  for (const Hash& hash : included) {
    included_.insert(hash);
    if (const auto entry = remove(hash)) changed.insert(entry->valid.sender);
  }
  auto it = accounts_.upper_bound(sweep_);
  for (std::size_t i = 0; i < std::min(limits_.sweep, accounts_.size()); ++i) {
    if (it == accounts_.end()) it = accounts_.begin();
    sweep_ = it->first;
    changed.insert(it->first);
    ++it;
  }
  for (const AccountId& id : changed) refresh_account(id);
  drop_expired();
}

void TxPool::refresh_account(const AccountId& id) {
  const auto it = accounts_.find(id);
  if (it == accounts_.end()) return;
  const auto payer = validator_->payer(id);
  if (payer.nonce != it->second.next || it->second.waiting.begin()->first < payer.nonce) {
    unindex(it->second);
    it->second.next = payer.nonce;
    std::vector<Hash> stale;
    for (const auto& [nonce, entry] : it->second.waiting) {
      if (nonce >= payer.nonce) break;
      stale.push_back(entry->hash());
    }
    index(id, it->second);
    for (const Hash& hash : stale) reject(hash, InvalidTransaction::stale);
  }
  drop_uncovered(id, payer.spendable);
}

// Whether a fee may be owed is asked only of the account's next transaction: the turn of the others
// comes, and each answer costs verifications.
void TxPool::drop_uncovered(const AccountId& id, Balance spendable) {
  const auto found = accounts_.find(id);
  if (found == accounts_.end()) return;
  Account& account = found->second;
  if (account.owing.empty() && account.paid <= spendable) return;
  u128 left = spendable.micro;
  for (const auto& [nonce, entry] : account.waiting) {
    if (entry->valid.paid.micro <= left) {
      left -= entry->valid.paid.micro;
      continue;
    }
    const bool may_owe = entry->valid.refutes &&
                         (entry->owes || !account.owing.contains(*entry->valid.refutes)) &&
                         (nonce != account.next || validator_->may_owe(entry->checked.tx()));
    if (!may_owe) return drop_unpaid(id, nonce);
    if (entry->owes) continue;
    entry->owes = true;
    account.owing.insert(*entry->valid.refutes);
    account.paid.micro -= entry->valid.paid.micro;
  }
}

void TxPool::drop_unpaid(const AccountId& id, Nonce first) {
  const auto found = accounts_.find(id);
  if (found == accounts_.end()) return;
  const auto& waiting = found->second.waiting;
  std::vector<Hash> unpaid;
  for (auto it = waiting.lower_bound(first); it != waiting.end(); ++it) {
    unpaid.push_back(it->second->hash());
  }
  for (const Hash& hash : unpaid) {
    drop(hash, ports::TxRejected{{RejectCode::cannot_pay,
                                  "the account has too little left for this or for one before it: "
                                  "add credits and send it again"}});
  }
}

void TxPool::drop_expired() {
  const BlockNumber next = chain_.head().number.next();
  while (!deaths_.empty() && deaths_.begin()->first <= next) {
    const BlockNumber death = deaths_.begin()->first;
    const Hash hash = *deaths_.begin()->second.begin();
    drop(hash, ports::TxExpired{death});
  }
}

void TxPool::on_refused(const Hash& extrinsic, InvalidTransaction reason) {
  const auto it = entries_.find(name_of(extrinsic));
  if (it == entries_.end()) return;
  const AccountId sender = it->second->valid.sender;
  const Nonce nonce = it->second->valid.nonce;
  // Another refutation came before it in that block: it may owe its fee in the next one.
  if (reason == InvalidTransaction::payment && it->second->valid.refutes) return;
  reject(extrinsic, reason);
  if (reason == InvalidTransaction::payment) drop_unpaid(sender, nonce);
}

void TxPool::reject(const Hash& hash, InvalidTransaction reason) {
  const auto* checked = find_checked(hash);
  if (checked == nullptr) return;
  drop(hash, ports::TxRejected{
                 {reject_code(reason), explain(reason, checked->tx(), chain_.finalized())}});
}

std::optional<TxPool::Payable> TxPool::next_of(const AccountId& id, const Account& account,
                                               const runtime::TransactionValidator& validator) {
  const auto payer = validator.payer(id);
  const auto it = account.waiting.find(payer.nonce);
  if (it == account.waiting.end()) return std::nullopt;
  const Entry& entry = *it->second;
  if (entry.valid.paid <= payer.spendable) {
    return Payable{&account, &entry, distance(payer.spendable, entry.valid.paid)};
  }
  const bool owes = entry.valid.refutes && validator.may_owe(entry.checked.tx());
  return owes ? std::optional(Payable{&account, &entry, payer.spendable}) : std::nullopt;
}

std::optional<TxPool::Payable> TxPool::after(const Payable& before) {
  const auto& waiting = before.account->waiting;
  const auto it = waiting.find(before.entry->valid.nonce.next());
  if (it == waiting.end()) return std::nullopt;
  const Entry& entry = *it->second;
  if (entry.valid.paid <= before.left) {
    return Payable{before.account, &entry, distance(before.left, entry.valid.paid)};
  }
  return entry.owes ? std::optional(Payable{before.account, &entry, before.left}) : std::nullopt;
}

std::vector<const runtime::CheckedTransaction*> TxPool::select(const system::Parent& parent,
                                                               const ports::BlockRoom& room) const {
  std::vector<const runtime::CheckedTransaction*> out;
  std::uint64_t weight = 0;
  std::uint64_t bytes = 0;
  // The next of each account that was looked at, beside the accounts not looked at yet: the latter
  // are ordered by their lowest nonce, which is the next one unless a pending block holds it.
  std::map<Rank, Payable> next;
  const auto add = [&](const std::optional<Payable>& one) {
    if (one) next.emplace(rank_of(*one->entry), *one);
  };
  const runtime::TransactionValidator validator(parent);
  auto head = heads_.begin();
  while (weight <= room.weight.value && bytes <= room.bytes) {
    while (head != heads_.end() && (next.empty() || head->first < next.begin()->first)) {
      add(next_of(head->second, accounts_.at(head->second), validator));
      ++head;
    }
    if (next.empty()) break;
    const Payable best = next.begin()->second;
    next.erase(next.begin());
    out.push_back(&best.entry->checked);
    weight += best.entry->valid.weight.value;
    bytes += best.entry->bytes();
    add(after(best));
  }
  return out;
}

bool TxPool::has_ready(const system::Parent& parent) const {
  if (ready_ && ready_->parent == parent.hash &&
      ready_->revision == (ready_->ready ? removals_ : insertions_)) {
    return ready_->ready;
  }
  const runtime::TransactionValidator validator(parent);
  const bool ready = std::any_of(accounts_.begin(), accounts_.end(), [&](const auto& one) {
    return next_of(one.first, one.second, validator).has_value();
  });
  ready_ = {parent.hash, ready ? removals_ : insertions_, ready};
  return ready;
}

const runtime::CheckedTransaction* TxPool::find_checked(const Hash& extrinsic) const {
  const auto it = entries_.find(name_of(extrinsic));
  return it == entries_.end() ? nullptr : &it->second->checked;
}

bool TxPool::is_verified(const Hash& signature_id) const {
  return verified_.contains(signature_id);
}
void TxPool::remember_verified(const Hash& signature_id) {
  verified_.insert(signature_id);
}

std::optional<Bytes> TxPool::find(const Hash& extrinsic) const {
  const auto* checked = find_checked(extrinsic);
  return checked != nullptr ? std::optional(checked->tx().bytes) : std::nullopt;
}

bool TxPool::contains(const Hash& extrinsic) const {
  return entries_.contains(name_of(extrinsic));
}

std::vector<Bytes> TxPool::local(std::size_t max_bytes) const {
  std::vector<Bytes> out;
  std::size_t bytes = 0;
  for (const auto& [id, account] : accounts_) {
    for (const auto& [nonce, entry] : account.waiting) {
      if (!entry->source.is_local) continue;
      bytes += entry->bytes();
      if (bytes > max_bytes) return out;
      out.push_back(entry->checked.tx().bytes);
    }
  }
  return out;
}

std::vector<Hash> TxPool::all() const {
  std::vector<Hash> out;
  for (const auto& [id, account] : accounts_) {
    for (const auto& [nonce, entry] : account.waiting) out.push_back(entry->hash());
  }
  return out;
}

Nonce TxPool::next_nonce(const AccountId& account) const {
  Nonce next = account_nonce(chain_.finalized().state, account);
  const auto it = accounts_.find(account);
  if (it == accounts_.end()) return next;
  while (it->second.waiting.contains(next)) next = next.next();
  return next;
}

}  // namespace tally::txpool
