// The transaction pool: what waits for a block. A pure state machine on the core thread: no clock,
// no threads, no I/O; it looks at the chain through ports::FinalizedView.
//
// On the way in: length, decoding, signer and scheme, mortality, nonce and fee on the newest final
// state, room; only then is the signature checked, once (settle). After it come the signatures
// within a refutation whose sender has too little for its fee and may owe it. Nothing that was
// refused is kept.
//
// Payment. The fees and tips of all that waits of an account are no more than it can spend, those
// that are owed apart: of these at most one a channel. Its calls may spend the same credits: an
// account's transactions are selected as far as its balance reaches on the state below the block,
// and the first that it can no longer pay for is dropped with all after it.
//
// Order. Each account's transactions wait by nonce. A block is filled with the best of the
// accounts' next transactions, again and again: operational calls first, then by what they pay for
// their weight, then by arrival.
//
// Rules of a full pool:
//   same nonce      the newcomer replaces the waiting one if it pays at least a tenth more per
//                   weight; otherwise it is refused as underpriced
//   per account     at most `per_account`; a newcomer with a lower nonce pushes out the account's
//                   highest; nonces further ahead than `per_account` are refused
//   per peer        of what came from one peer that is no validator at most a quarter waits; more
//                   is refused
//   transactions and bytes
//                   the last transaction of some account goes, until there is room: first of those
//                   that wait for a nonce that is missing, then of accounts with more than 16, then
//                   of those that pay the least for a byte, operational ones last, of equals the
//                   youngest. What a transaction pays is no more than the least of those before it
//                   of its account, and is operational only if they are: it comes after them, and
//                   they may leave nothing for it. A newcomer before which any of what would have
//                   to go for it comes is refused as pool_full
//   local           what clients of this node sent is kept as long as it fills no more than an
//                   eighth of the pool: it goes after all others
//   being checked   signatures of at most as many transactions, and half as many bytes; of them
//                   256 refutations whose fee would be owed
// Dropped as blocks become final: what is in them, used nonces, what its account can no longer pay
// for, what died of its mortality.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "node/ports/candidates.hpp"
#include "node/ports/pool.hpp"
#include "node/ports/query.hpp"
#include "node/txpool/recent_hashes.hpp"
#include "runtime/validity.hpp"

namespace tally::txpool {

struct Limits {
  std::size_t transactions = 16'384;
  std::size_t bytes = 32 << 20;
  std::size_t per_account = 256;
  // Accounts whose nonce and balance are looked at again with each final block, beside those known
  // to have changed: another node's transaction may have used a nonce that one of ours waits with,
  // or spent what would have paid for it.
  std::size_t sweep = 512;
};

// What became of a transaction, for those who watch it. TxInBlock and TxFinalized come from
// on_block(), the rest from the pool itself.
struct Event {
  Hash extrinsic;
  ports::TxStatus status;
};

class TxPool final : public ports::Pool, public ports::Candidates {
 public:
  TxPool(const ports::FinalizedView& chain, const Limits& limits);
  ~TxPool() override;

  ports::PoolAnswer offer(Bytes extrinsic, ports::PoolSource source) override;
  ports::PoolAnswer settle(const Hash& extrinsic, bool signature_holds) override;
  std::optional<Bytes> find(const Hash& extrinsic) const override;
  bool contains(const Hash& extrinsic) const override;
  std::size_t size() const override { return entries_.size(); }
  std::vector<Bytes> local(std::size_t max_bytes) const override;
  void on_final(const std::vector<Hash>& included) override;

  std::vector<const runtime::CheckedTransaction*> select(
      const system::Parent& parent, const ports::BlockRoom& room) const override;
  bool has_ready(const system::Parent& parent) const override;
  const runtime::CheckedTransaction* find_checked(const Hash& extrinsic) const override;
  bool is_verified(const Hash& signature_id) const override;
  void remember_verified(const Hash& signature_id) override;
  void on_refused(const Hash& extrinsic, runtime::InvalidTransaction reason) override;

  // A block became the best or, with `finalized`, final: tells the watchers of what it holds.
  struct BlockNews {
    ports::BlockRef block;
    bool finalized = false;
    std::vector<Hash> extrinsics;
  };
  void on_block(const BlockNews& news);
  // What happened since the last call, in order.
  std::vector<Event> take_events();

  std::size_t bytes() const { return bytes_; }
  const Limits& limits() const { return limits_; }
  // The first nonce of the account that neither the final state nor the pool has used.
  Nonce next_nonce(const AccountId& account) const;
  // Hashes of everything that waits, by account and nonce.
  std::vector<Hash> all() const;

 private:
  struct Entry {
    runtime::CheckedTransaction checked;
    runtime::ValidTransaction valid;
    ports::PoolSource source;
    std::uint64_t arrival;
    std::uint64_t look;         // at the head by which it was found valid
    bool kept = false;          // local, within the part of the pool that is theirs
    bool owes = false;          // not covered beside what waits before it of the account
    std::uint64_t density = 0;  // what it pays for a byte, operational ones above all others
    std::uint64_t lowest = 0;   // of it and of those before it of its account

    const Hash& hash() const { return checked.tx().hash; }
    std::size_t bytes() const { return checked.tx().bytes.size(); }
  };
  using Waiting = std::map<Nonce, Entry*>;
  struct Account {
    Nonce next;  // by the newest final state that was looked at
    Waiting waiting;
    Balance paid;               // by all that waits but those that owe
    std::set<ChannelId> owing;  // of those
  };
  // A transaction that its account can pay for after those before it, and what is left then.
  struct Payable {
    const Account* account;
    const Entry* entry;
    Balance left;
  };
  // Ordered so that the best comes first.
  struct Rank {
    std::uint64_t priority;
    std::uint64_t arrival;
    friend bool operator<(const Rank& a, const Rank& b) {
      return a.priority != b.priority ? a.priority > b.priority : a.arrival < b.arrival;
    }
  };
  // Ordered so that the first to go comes first.
  struct TailRank {
    bool kept;
    bool contiguous;
    bool within;  // its account has no more than its own places
    Rank rank;    // its priority is Entry::lowest
    AccountId account;
    Nonce nonce;
    friend bool operator<(const TailRank& a, const TailRank& b) {
      const auto first = [](const TailRank& of) {
        return std::tie(of.kept, of.contiguous, of.within);
      };
      if (first(a) != first(b)) return first(a) < first(b);
      if (b.rank < a.rank) return true;
      return !(a.rank < b.rank) && a.account < b.account;
    }
  };
  // How much of the pool something takes.
  struct Share {
    std::size_t transactions = 0;
    std::size_t bytes = 0;
    void add(std::size_t size) { ++transactions, bytes += size; }
    void take(std::size_t size) { --transactions, bytes -= size; }
    bool fits(const Limits& limits, std::size_t part, std::size_t size) const {
      return transactions < limits.transactions / part && bytes + size <= limits.bytes / part;
    }
  };
  using Accounts = std::map<AccountId, Account>;

  static Rank rank_of(const Entry& entry) { return {entry.valid.priority, entry.arrival}; }
  // The account's next transaction on the validator's state.
  static std::optional<Payable> next_of(const AccountId& id, const Account& account,
                                        const runtime::TransactionValidator& validator);
  static std::optional<Payable> after(const Payable& before);
  static std::uint64_t density_of(const Entry& entry);
  // As if it were its account's last.
  static TailRank rank_at(const Account& account, Waiting::const_iterator at);
  static void recount(Account& account, Nonce from);
  static ports::PoolAnswer refused(const Hash& hash, ports::PoolVerdict verdict,
                                   ports::Rejection why);
  ports::PoolAnswer invalid(const runtime::Transaction& tx,
                            runtime::InvalidTransaction reason) const;

  void look_at_head();
  bool is_covered(const Entry& entry) const;
  // What waits and goes for it at once, whoever pays more.
  const Entry* displaced(const Entry& entry) const;
  std::optional<ports::PoolAnswer> check_account(const Entry& entry, const Entry* goes) const;
  std::optional<ports::PoolAnswer> check_room(const Entry& entry) const;
  TailRank rank_of_newcomer(const Entry& entry) const;
  std::optional<std::vector<Hash>> victims(const Entry& entry, const Entry* goes) const;
  ports::PoolAnswer admit(std::unique_ptr<Entry> entry);
  void make_room(const Entry& entry);
  void insert(std::unique_ptr<Entry> entry);
  // Takes it out of every index; the account goes with its last transaction.
  std::unique_ptr<Entry> remove(const Hash& hash);
  void drop(const Hash& hash, ports::TxStatus status);
  void reject(const Hash& hash, runtime::InvalidTransaction reason);
  void index(const AccountId& id, const Account& account);
  void unindex(const Account& account);
  void refresh_account(const AccountId& id);
  void refresh_used(const runtime::ValidTransaction& valid);
  void drop_uncovered(const AccountId& id, Balance spendable);
  void drop_unpaid(const AccountId& id, Nonce first);
  void drop_expired();
  void tell(const Hash& hash, ports::TxStatus status);

  const ports::FinalizedView& chain_;
  Limits limits_;
  std::unique_ptr<runtime::TransactionValidator> validator_;
  std::size_t extrinsic_bytes_max_ = 0;
  std::uint64_t looks_ = 0;                                           // at a new head
  std::unordered_map<std::string, std::unique_ptr<Entry>> entries_;   // by hash
  std::unordered_map<std::string, std::unique_ptr<Entry>> checking_;  // signature not yet known
  Accounts accounts_;
  std::map<Rank, AccountId> heads_;  // of each account's lowest nonce
  std::set<TailRank> tails_;         // of each account's highest nonce
  std::map<BlockNumber, std::set<Hash>> deaths_;
  std::size_t bytes_ = 0;
  std::size_t checking_bytes_ = 0;
  std::size_t checking_owed_ = 0;
  Share kept_;
  std::map<ports::PeerId, Share> shares_;  // none of them empty
  std::uint64_t arrivals_ = 0;
  std::uint64_t insertions_ = 0;
  std::uint64_t removals_ = 0;
  AccountId sweep_;  // where the next round of refreshing goes on
  RecentHashes verified_;
  RecentHashes included_;
  std::vector<Event> events_;
  struct ReadyAnswer {
    Hash parent;
    std::uint64_t revision;  // of removals where it is true, else of insertions
    bool ready;
  };
  mutable std::optional<ReadyAnswer> ready_;
};

ports::RejectCode reject_code(runtime::InvalidTransaction reason);

}  // namespace tally::txpool
