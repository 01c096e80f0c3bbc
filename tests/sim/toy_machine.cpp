// A ledger of sixteen accounts, just enough for consensus to order something that has a state root.
#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "node/consensus/planted.hpp"
#include "node/ports/chain.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/merkle/merkle.hpp"
#include "tests/sim/fake_crypto.hpp"
#include "tests/sim/machine.hpp"

namespace tally::sim {
namespace {

constexpr std::size_t kAccounts = 16;
constexpr std::uint64_t kGrant = 1'000'000;
constexpr std::string_view kStateKey = "toy";

struct Ledger {
  std::array<std::uint64_t, kAccounts> balances{};
  std::array<std::uint64_t, kAccounts> nonces{};
  Hash beacon;
};
TALLY_DESCRIBE(Ledger, balances, nonces, beacon);

struct Transfer {
  std::uint8_t from{};
  std::uint8_t to{};
  std::uint64_t amount{};
  std::uint64_t nonce{};
};
TALLY_DESCRIBE(Transfer, from, to, amount, nonce);

Ledger genesis_ledger() {
  Ledger ledger;
  ledger.balances.fill(kGrant);
  return ledger;
}

Hash root_of(const Ledger& ledger) {
  return blake2_256(encode(ledger));
}

bool apply(Ledger& ledger, const Bytes& extrinsic) {
  const auto transfer = decode<Transfer>(extrinsic);
  if (!transfer.ok() || transfer->from >= kAccounts || transfer->to >= kAccounts) return false;
  if (ledger.nonces[transfer->from] != transfer->nonce) return false;
  if (ledger.balances[transfer->from] < transfer->amount) return false;
  ledger.nonces[transfer->from] += 1;
  ledger.balances[transfer->from] -= transfer->amount;
  ledger.balances[transfer->to] += transfer->amount;
  return true;
}

class ToyPool final : public ports::Pool {
 public:
  ports::PoolAnswer offer(Bytes extrinsic, ports::PoolSource source) override {
    ports::PoolAnswer answer;
    answer.hash = blake2_256(extrinsic);
    answer.verdict = ports::PoolVerdict::known;
    if (waiting_.contains(answer.hash) || final_.contains(answer.hash)) return answer;
    answer.verdict = ports::PoolVerdict::accepted;
    if (source == ports::PoolSource::local) local_.insert(answer.hash);
    waiting_.emplace(answer.hash, std::move(extrinsic));
    return answer;
  }
  ports::PoolAnswer settle(const Hash&, bool) override { return {}; }
  std::optional<Bytes> find(const Hash& hash) const override {
    const auto found = waiting_.find(hash);
    if (found == waiting_.end()) return std::nullopt;
    return found->second;
  }
  bool contains(const Hash& hash) const override { return waiting_.contains(hash); }
  std::size_t size() const override { return waiting_.size(); }
  std::vector<Bytes> local(std::size_t max_bytes) const override {
    std::vector<Bytes> out;
    std::size_t bytes = 0;
    for (const Hash& hash : local_) {
      const auto found = find(hash);
      if (!found || (bytes += found->size()) > max_bytes) continue;
      out.push_back(*found);
    }
    return out;
  }
  void on_final(const std::vector<Hash>& included) override {
    for (const Hash& hash : included) {
      waiting_.erase(hash);
      local_.erase(hash);
      final_.insert(hash);
    }
  }
  // Those that apply, in the order in which they do.
  std::vector<Bytes> select(Ledger ledger, std::size_t max) const {
    std::vector<Bytes> out;
    for (bool more = true; more && out.size() < max;) {
      more = false;
      for (const auto& [hash, extrinsic] : waiting_) {
        if (out.size() == max || !apply(ledger, extrinsic)) continue;
        out.push_back(extrinsic);
        more = true;
      }
    }
    return out;
  }

 private:
  std::map<Hash, Bytes> waiting_;
  std::set<Hash> local_;
  std::set<Hash> final_;
};

class ToyApplication final : public ports::Application {
 public:
  using Sets = std::function<const ValidatorSet&(Epoch)>;
  ToyApplication(ports::Store& store, ToyPool& pool, Sets sets, const Hash& genesis)
      : store_(store), pool_(pool), sets_(std::move(sets)) {
    const auto head = ports::find_head(store);
    head_ = head ? head->hash : genesis;
    const auto bytes = store.get(ports::Column::state, as_bytes(kStateKey));
    final_ = bytes ? *decode<Ledger>(*bytes) : genesis_ledger();
  }

  Block build(const ports::BuildRequest& request) override {
    const Ledger parent = *ledger(request.parent);
    Block block;
    block.extrinsics = pool_.select(parent, 32);
    block.header.parent_hash = request.parent;
    block.header.number = {number(request.parent).next()};
    block.header.digest = {make_consensus_digest(request.digest)};
    if (request.last_of_epoch) {
      const Epoch named(request.digest.epoch.value + 2);
      block.header.digest.push_back(make_set_item(sets_(named)));
    }
    std::vector<Hash> hashes;
    for (const Bytes& extrinsic : block.extrinsics) hashes.push_back(blake2_256(extrinsic));
    block.header.extrinsics_root = merkle_root(hashes);
    const Ledger after = *run(parent, block);
    block.header.state_root = root_of(after);
    pending_[block_hash(block.header)] = {block.header, after};
    return block;
  }

  ports::Execution execute(const Hash& hash, const Block& block, const AccountId&) override {
    if (pending_.contains(hash)) return {true, {}};
    const auto parent = ledger(block.header.parent_hash);
    if (!parent) return {false, "the parent was not executed"};
    const auto after = run(*parent, block);
    if (!after) return {false, "a transfer does not apply"};
    if (root_of(*after) != block.header.state_root) return {false, "another state root"};
    const auto named = named_set(block.header);
    const Epoch epoch = consensus_digest(block.header)->epoch;
    if (named && *named != sets_(Epoch(epoch.value + 2))) return {false, "another set"};
    pending_[hash] = {block.header, *after};
    return {true, {}};
  }
  bool is_executed(const Hash& hash) const override {
    return hash == head_ || pending_.contains(hash);
  }
  std::vector<ports::SignatureJob> foresee(std::uint64_t, const std::vector<Block>&) override {
    return {};  // its transfers bear none
  }
  void foreseen(std::uint64_t, const std::vector<bool>&) override {}
  void dismiss(std::uint64_t) override {}
  void commit(const std::vector<ports::FinalBlock>& blocks, ports::WriteBatch more) override {
    const Hash tip = blocks.back().hash;
    final_ = pending_.at(tip).after;
    more.push_back({ports::Column::state, to_bytes(as_bytes(kStateKey)), encode(final_)});
    store_.write(std::move(more), ports::Durability::synced);
    head_ = tip;
    for (auto it = pending_.begin(); it != pending_.end();) {
      it = stands_on(it->first, tip) ? std::next(it) : pending_.erase(it);
    }
    pending_.erase(tip);
  }
  bool has_ready(const Hash& parent) const override {
    const auto state = ledger(parent);
    return state && !pool_.select(*state, 1).empty();
  }
  bool deadline_due(const Hash&, TimestampMs) const override { return false; }
  Hash beacon(const Hash& block) const override { return ledger(block)->beacon; }

 private:
  struct Pending {
    Header header;
    Ledger after;
  };

  bool stands_on(Hash hash, const Hash& base) const {
    for (;;) {
      if (hash == base) return true;
      const auto found = pending_.find(hash);
      if (found == pending_.end()) return false;
      hash = found->second.header.parent_hash;
    }
  }
  std::optional<Ledger> ledger(const Hash& hash) const {
    if (hash == head_) return final_;
    const auto found = pending_.find(hash);
    if (found == pending_.end()) return std::nullopt;
    return found->second.after;
  }
  BlockNumber number(const Hash& hash) const {
    if (hash != head_) return pending_.at(hash).header.number.value;
    const auto head = ports::find_head(store_);
    return head ? head->number : BlockNumber(0);
  }
  std::optional<Ledger> run(Ledger ledger, const Block& block) const {
    for (const Bytes& extrinsic : block.extrinsics) {
      if (!apply(ledger, extrinsic)) return std::nullopt;
      // The planted fault: money leaves one account and arrives nowhere.
      if (consensus::planted(consensus::Fault::partial_extrinsic)) {
        const auto transfer = decode<Transfer>(extrinsic);
        ledger.balances[transfer->to] -= transfer->amount;
      }
      if (consensus::planted(consensus::Fault::mint)) ledger.balances[0] += 1;
    }
    const auto digest = consensus_digest(block.header);
    ledger.beacon = blake2_256({ledger.beacon, digest->vrf_proof});
    // The planted fault: what the node keeps in memory comes into the state.
    if (consensus::planted(consensus::Fault::own_state)) ledger.nonces[0] += pool_.size();
    return ledger;
  }

  ports::Store& store_;
  ToyPool& pool_;
  Sets sets_;
  Hash head_;
  Ledger final_;
  std::map<Hash, Pending> pending_;
};

class ToyMachine final : public Machine {
 public:
  ToyMachine(ports::Store& store, ToyApplication::Sets sets, const Hash& genesis)
      : application_(store, pool_, std::move(sets), genesis) {}
  ports::Application& application() override { return application_; }
  ports::Pool& pool() override { return pool_; }

 private:
  ToyPool pool_;
  ToyApplication application_;
};

class ToyFactory final : public MachineFactory {
 public:
  explicit ToyFactory(const WorldSetup& setup) {
    std::vector<Seat> first;
    for (std::size_t i = 0; i < setup.validators; ++i) first.push_back({i, 1});
    chain_.first = chain_.second = make_set(first);
    later_.push_back(chain_.second);
    for (const auto& seats : setup.sets) later_.push_back(make_set(seats));
    chain_.genesis.state_root = root_of(genesis_ledger());
    chain_.genesis_hash = block_hash(chain_.genesis);
    chain_.parameters = {DurationMs(300),
                         DurationMs(100),
                         DurationMs(2'000),
                         DurationMs(500),
                         setup.epoch_length,
                         1024 * 1024,
                         1'024};
  }
  consensus::ChainSetup chain() const override { return chain_; }
  std::unique_ptr<Machine> make(ports::Store& store, const ports::Verifier&) override {
    return std::make_unique<ToyMachine>(
        store, [this](Epoch epoch) -> const ValidatorSet& { return set_in(epoch); },
        chain_.genesis_hash);
  }
  Bytes transaction(Random& random) override {
    const auto from = static_cast<std::uint8_t>(random.below(kAccounts));
    const auto to = static_cast<std::uint8_t>(random.below(kAccounts));
    return encode(Transfer{from, to, random.between(1, 100), nonces_[from]++});
  }
  std::optional<std::string> audit(const ports::Store& store) const override {
    const auto bytes = store.get(ports::Column::state, as_bytes(kStateKey));
    if (!bytes) return std::nullopt;
    std::uint64_t sum = 0;
    const Ledger ledger = *decode<Ledger>(*bytes);
    for (const std::uint64_t balance : ledger.balances) sum += balance;
    if (sum == kAccounts * kGrant) return std::nullopt;
    return "the supply is " + std::to_string(sum);
  }
  std::optional<std::string> judge_end(const ports::Store&, const EpochEnd& end) override {
    const Epoch next = end.epoch.next().next();
    if (end.named == set_in(next)) return std::nullopt;
    return "the set of epoch " + std::to_string(next.value) + " is not the one of the schedule";
  }

 private:
  static ValidatorSet make_set(const std::vector<Seat>& seats) {
    ValidatorSet set;
    for (const Seat& seat : seats) {
      const FakeSigner signer(seat.node);
      const AccountId account = *AccountId::from(signer.consensus_key());
      TALLY_ASSERT(
          set.members.push_back({signer.consensus_key(), signer.vrf_key(), account, seat.weight}));
    }
    return set;
  }
  const ValidatorSet& set_in(Epoch epoch) const {
    return later_[std::min<std::size_t>(epoch.value - 2, later_.size() - 1)];
  }

  consensus::ChainSetup chain_;
  std::vector<ValidatorSet> later_;  // of epochs 2, 3, …
  std::array<std::uint64_t, kAccounts> nonces_{};
};

}  // namespace

std::unique_ptr<MachineFactory> toy_machines(const WorldSetup& setup) {
  return std::make_unique<ToyFactory>(setup);
}

}  // namespace tally::sim
