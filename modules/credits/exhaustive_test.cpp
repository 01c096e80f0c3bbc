// Every state that three accounts with six µCC can get into, by any sequence of calls and of what
// other modules may ask, of any length: in each of them everything that can be asked for is, and
// the module does what the model says: the same refusal, or the same state, byte for byte. The
// model is plain integers and knows none of the module's predicates; what it says of a state is the
// whole storage.
//
// Broken on purpose, each of these fails here: can_receive() with > for >=, split_fee() that burns
// the smaller half, hold() that lets the existential deposit go, transfer_all() that ends an
// account with holds, lower_debt() that keeps an entry of zero, issue_debt() that asks for the
// number of debts before their size.
#include <catch2/catch.hpp>

#include <deque>
#include <set>

#include "modules/credits/api.hpp"
#include "modules/credits/dispatch.hpp"
#include "modules/credits/errors.hpp"
#include "modules/credits/fixture.hpp"
#include "modules/credits/storage.hpp"

namespace tally::credits {
namespace {

constexpr int kAccounts = 3;
constexpr int kPool = kAccounts;  // the number of the reward pool's account
constexpr int kProposer = 2;
constexpr int kDeposit = 2;  // existential
constexpr int kDebtsMax = 1;
constexpr std::array<HoldReason, 2> kReasons{HoldReason::channel, HoldReason::worker_stake};

AccountId account_of(int number) {
  return number == kPool ? reward_pool_account()
                         : test_account(static_cast<std::uint8_t>(number + 1));
}
Balance micro(int amount) {
  return Balance(static_cast<u128>(amount));
}

enum class Kind : std::uint8_t {
  transfer,
  transfer_nowhere,  // to an address that names no account
  transfer_all,
  issue,
  settle,
  forgive,
  hold,
  release,
  pay_held,
  pay_held_to_pool,
  burn_held,
  pay_from_pool,
  fee,
  fee_from_held,
};
struct Step {
  Kind kind{};
  int who = 0;
  int other = 0;
  int amount = 0;
  int tip = 0;
  int reason = 0;
};

// ---- The model

struct Model {
  std::array<int, kAccounts + 1> free{};  // the pool's last
  std::array<std::array<int, 2>, kAccounts> held{};
  std::array<std::array<int, kAccounts>, kAccounts> debt{};  // [debtor][creditor]
  std::array<bool, 2> ever_held{};                           // a total stays when it is zero again
  int issued = 0;
  int frozen = 0;  // of account 0's free credits

  auto key() const { return std::tie(free, held, debt, ever_held, issued, frozen); }
  friend bool operator<(const Model& a, const Model& b) { return a.key() < b.key(); }

  int reserved(int who) const { return who == kPool ? 0 : held[at(who)][0] + held[at(who)][1]; }
  bool alive(int who) const { return free[at(who)] + reserved(who) > 0; }
  int stuck(int who) const { return who == 0 ? frozen : 0; }
  int spendable(int who) const {
    const int kept = std::max(stuck(who), kDeposit);
    return std::max(0, free[at(who)] - kept);
  }
  static std::size_t at(int number) { return static_cast<std::size_t>(number); }

  void deposit(int to, int amount) {
    const bool lost = to != kPool && !alive(to) && amount < kDeposit;
    free[at(lost ? kPool : to)] += amount;
  }
  void take_held(int from, int reason, int amount) { held[at(from)][at(reason)] -= amount; }

  std::string transfer(int from, int to, int amount) {
    const int left = free[at(from)] - amount;
    if (left < 0 || left < stuck(from)) return "insufficient_balance";
    if (from == to) return "applied";
    const bool gives_all_up = left == 0 && reserved(from) == 0;
    if (left < kDeposit && !gives_all_up) return "would_leave_dust";
    if (to != kPool && !alive(to) && amount < kDeposit) return "existential_deposit";
    free[at(from)] -= amount;
    free[at(to)] += amount;
    return "applied";
  }
  std::string issue(int debtor, int creditor, int amount) {
    if (amount == 0) return "zero_amount";
    if (debtor == creditor) return "self_debt";
    int& owed = debt[at(debtor)][at(creditor)];
    if (owed + amount > issued) return "debt_too_large";
    int open = 0;
    for (const int other : debt[at(debtor)]) open += other > 0 ? 1 : 0;
    if (owed == 0 && open == kDebtsMax) return "too_many_debts";
    owed += amount;
    return "applied";
  }
  std::string lower(int debtor, int creditor, int amount) {
    if (amount == 0) return "zero_amount";
    if (debt[at(debtor)][at(creditor)] < amount) return "debt_exceeded";
    debt[at(debtor)][at(creditor)] -= amount;
    return "applied";
  }
  void split_fee(int fee, int tip) {
    issued -= (fee + 1) / 2;
    if (fee / 2 + tip > 0) deposit(kProposer, fee / 2 + tip);
  }
  std::string hold(const Step& s) {
    if (s.amount == 0) return "applied";
    if (spendable(s.who) < s.amount) return "insufficient_balance";
    free[at(s.who)] -= s.amount;
    held[at(s.who)][at(s.reason)] += s.amount;
    ever_held[at(s.reason)] = true;
    return "applied";
  }
  std::string fee(const Step& s) {
    if (spendable(s.who) < s.amount + s.tip) return "insufficient_balance";
    free[at(s.who)] -= s.amount + s.tip;
    split_fee(s.amount, s.tip);
    return "applied";
  }
  std::string from_pool(const Step& s) {
    const int paid = std::min(s.amount, free[at(kPool)]);
    const bool reaches = s.who != kPool && (alive(s.who) || paid >= kDeposit);
    if (paid == 0 || !reaches) return "paid 0";
    free[at(kPool)] -= paid;
    free[at(s.who)] += paid;
    return "paid " + std::to_string(paid);
  }
  // Whoever asks keeps to what is held.
  bool may_ask(const Step& s) const {
    switch (s.kind) {
      case Kind::release:
      case Kind::pay_held:
      case Kind::pay_held_to_pool:
      case Kind::burn_held:
      case Kind::fee_from_held:
        return held[at(s.who)][at(s.reason)] >= s.amount + s.tip;
      case Kind::transfer:
      case Kind::transfer_nowhere:
      case Kind::transfer_all:
      case Kind::issue:
      case Kind::settle:
      case Kind::forgive:
      case Kind::hold:
      case Kind::pay_from_pool:
      case Kind::fee:
        return true;
    }
    return false;
  }
  std::string settle(const Step& s) {
    Model next = *this;
    const std::string lowered = next.lower(s.who, s.other, s.amount);
    if (lowered != "applied") return lowered;
    const std::string moved = next.transfer(s.who, s.other, s.amount);
    if (moved == "applied") *this = next;
    return moved;
  }
  std::string apply(const Step& s) {
    switch (s.kind) {
      case Kind::transfer:
        return transfer(s.who, s.other, s.amount);
      case Kind::transfer_nowhere:
        return "CannotLookup";
      case Kind::transfer_all: {
        const bool all = reserved(s.who) == 0 && stuck(s.who) == 0;
        return transfer(s.who, s.other, all ? free[at(s.who)] : spendable(s.who));
      }
      case Kind::issue:
        return issue(s.who, s.other, s.amount);
      case Kind::settle:
        return settle(s);
      case Kind::forgive:
        return lower(s.other, s.who, s.amount);
      case Kind::hold:
        return hold(s);
      case Kind::release:
        take_held(s.who, s.reason, s.amount);
        free[at(s.who)] += s.amount;
        return "applied";
      case Kind::pay_held: {
        take_held(s.who, s.reason, s.amount);
        if (s.amount > 0) deposit(s.other, s.amount);
        return "applied";
      }
      case Kind::pay_held_to_pool:
        take_held(s.who, s.reason, s.amount);
        free[at(kPool)] += s.amount;
        return "applied";
      case Kind::burn_held:
        take_held(s.who, s.reason, s.amount);
        issued -= s.amount;
        return "applied";
      case Kind::pay_from_pool:
        return from_pool(s);
      case Kind::fee:
        return fee(s);
      case Kind::fee_from_held:
        take_held(s.who, s.reason, s.amount + s.tip);
        ever_held[at(s.reason)] = true;
        split_fee(s.amount, s.tip);
        return "applied";
    }
    return "unknown";
  }
};

// ---- What the storage holds then, and nothing else

Config small_config() {
  Config config = test_config();
  config.existential_deposit = micro(kDeposit);
  config.debts_max = kDebtsMax;
  return config;
}

using Entries = std::map<Bytes, Bytes>;

template <class Key, class Value>
void put(Entries& out, const Key& key, const Value& value) {
  out[to_bytes(key)] = encode(value);
}

void put_debts(Entries& out, const Model& m) {
  for (int who = 0; who < kAccounts; ++who) {
    DebtTotals totals;
    for (int other = 0; other < kAccounts; ++other) {
      const int owes = m.debt[Model::at(who)][Model::at(other)];
      const int owed = m.debt[Model::at(other)][Model::at(who)];
      totals.owes.micro += static_cast<u128>(owes);
      totals.owed.micro += static_cast<u128>(owed);
      totals.debts_open += owes > 0 ? 1 : 0;
      if (owes > 0) put(out, kDebts.key(account_of(who), account_of(other)), micro(owes));
    }
    if (!(totals == DebtTotals{})) put(out, kDebtTotals.key(account_of(who)), totals);
  }
}

Entries storage_of(const Model& m) {
  Entries out;
  put(out, kConfig.key(), small_config());
  put(out, kTotalIssuance.key(), micro(m.issued));
  for (int who = 0; who <= kPool; ++who) {
    if (!m.alive(who)) continue;
    system::AccountInfo info;
    info.providers = 1;
    info.data = {micro(m.free[Model::at(who)]), micro(m.reserved(who)), micro(m.stuck(who)), 0};
    put(out, system::kAccount.key(account_of(who)), info);
  }
  for (std::size_t reason = 0; reason < kReasons.size(); ++reason) {
    int total = 0;
    for (int who = 0; who < kAccounts; ++who) {
      const int held = m.held[Model::at(who)][reason];
      total += held;
      if (held > 0) put(out, kHolds.key(account_of(who), kReasons[reason]), micro(held));
    }
    if (m.ever_held[reason]) put(out, kHeldTotal.key(kReasons[reason]), micro(total));
  }
  put_debts(out, m);
  return out;
}

// ---- The module

Call call_of(const Step& s) {
  const AccountId other = account_of(s.other);
  const Compact<Balance> amount{micro(s.amount)};
  if (s.kind == Kind::transfer) return Transfer{AddressId{other}, amount};
  if (s.kind == Kind::transfer_all) return TransferAll{AddressId{other}};
  if (s.kind == Kind::issue) return IssueDebt{other, amount};
  if (s.kind == Kind::settle) return SettleDebt{other, amount};
  if (s.kind == Kind::forgive) return ForgiveDebt{other, amount};
  return Transfer{AddressIndex{{3}}, amount};
}

std::string text_of(const DispatchResult& result) {
  if (result.ok()) return "applied";
  if (const auto* module = std::get_if<ErrorModule>(&result.error().kind)) {
    return std::string(enumerator_name(static_cast<Error>(module->error[0])));
  }
  return result.error() == DispatchError(ErrorCannotLookup{}) ? "CannotLookup" : "another error";
}

std::string apply(Context& ctx, const Step& s) {
  const AccountId who = account_of(s.who);
  const HoldReason reason = kReasons[Model::at(s.reason)];
  const Balance amount = micro(s.amount);
  const Fee fee{amount, micro(s.tip)};
  switch (s.kind) {
    case Kind::transfer:
    case Kind::transfer_nowhere:
    case Kind::transfer_all:
    case Kind::issue:
    case Kind::settle:
    case Kind::forgive:
      return text_of(atomically(ctx, [&] { return dispatch(ctx, Origin{who}, call_of(s)); }));
    case Kind::hold:
      return text_of(atomically(ctx, [&] { return hold(ctx, who, reason, amount); }));
    case Kind::fee:
      return text_of(atomically(ctx, [&] { return charge_fee(ctx, who, fee); }));
    case Kind::pay_from_pool:
      return "paid " + to_decimal(pay_from_pool(ctx, who, amount).micro);
    case Kind::release:
      release(ctx, who, reason, amount);
      break;
    case Kind::pay_held:
      pay_held(ctx, {who, reason, account_of(s.other), amount});
      break;
    case Kind::pay_held_to_pool:
      pay_held_to_pool(ctx, who, reason, amount);
      break;
    case Kind::burn_held:
      burn_held(ctx, who, reason, amount, BurnReason::slash);
      break;
    case Kind::fee_from_held:
      charge_fee_from_held(ctx, who, reason, fee);
      break;
  }
  return "applied";
}

// What anybody reads of a state.
std::string wrong_view(const Context& ctx, const Model& m) {
  for (int who = 0; who <= kPool; ++who) {
    const AccountId id = account_of(who);
    int net = m.free[Model::at(who)] + m.reserved(who);
    for (int other = 0; other < kAccounts && who != kPool; ++other) {
      net += m.debt[Model::at(other)][Model::at(who)] - m.debt[Model::at(who)][Model::at(other)];
    }
    const auto position = net_position(ctx.state, id);
    if (!position.ok() || position->micro != net) return "net position";
    if (spendable_balance(ctx, id) != micro(m.spendable(who))) return "spendable";
    if (account_is_alive(ctx.state, id) != m.alive(who)) return "alive";
    for (int amount = 0; amount <= kDeposit; ++amount) {
      const bool reaches = who == kPool || m.alive(who) || amount >= kDeposit;
      if (can_receive(ctx, id, micro(amount)) != reaches) return "can receive";
    }
  }
  return {};
}

// ---- All of them

struct Explored {
  std::size_t states = 0;
  std::size_t steps = 0;
  std::set<std::string> verdicts;
  std::string wrong;
};

std::string describe(const Step& s, const std::string& got, const std::string& expected) {
  return "kind " + std::to_string(static_cast<int>(s.kind)) + " who " + std::to_string(s.who) +
         " other " + std::to_string(s.other) + " amount " + std::to_string(s.amount) + " tip " +
         std::to_string(s.tip) + ": " + got + " for " + expected;
}

// One step from one state; the model is in the next state afterwards.
std::string compare(const MapState& before, Model& model, const Step& step, std::string& verdict) {
  static const Config config = small_config();
  ConfigSet configs;
  configs.set(config);
  BlockContext block;
  block.proposer = account_of(kProposer);
  Overlay overlay(before);
  EventSink events;
  Context ctx{overlay, block, events, configs};
  verdict = model.apply(step);
  const std::string got = apply(ctx, step);
  if (got != verdict) return describe(step, got, verdict);
  const StateChanges changes = overlay.changes();
  const bool refused = verdict != "applied" && verdict.rfind("paid", 0) != 0;
  if (refused && (!changes.empty() || events.count() != 0)) return describe(step, "a trace", got);
  MapState after = before;
  after.apply(changes);
  if (after.entries() != storage_of(model)) return describe(step, "another state", got);
  return {};
}

Explored explore(const Model& genesis, const std::vector<Step>& steps) {
  Explored out;
  std::set<Model> seen{genesis};
  std::deque<Model> open{genesis};
  while (!open.empty() && out.wrong.empty()) {
    const Model here = open.front();
    open.pop_front();
    ++out.states;
    const MapState before(storage_of(here));
    const Config config = small_config();
    ConfigSet configs;
    configs.set(config);
    BlockContext block;
    Overlay overlay(before);
    EventSink events;
    out.wrong = wrong_view(Context{overlay, block, events, configs}, here);
    for (const Step& step : steps) {
      if (!out.wrong.empty()) break;
      if (!here.may_ask(step)) continue;
      Model next = here;
      std::string verdict;
      out.wrong = compare(before, next, step, verdict);
      out.verdicts.insert(verdict);
      ++out.steps;
      if (seen.insert(next).second) open.push_back(next);
    }
  }
  return out;
}

std::vector<Step> transfers() {
  std::vector<Step> out{{Kind::transfer_nowhere, 0, 0, 1}};
  for (int who = 0; who < kAccounts; ++who) {
    for (int other = 0; other <= kPool; ++other) {
      out.push_back({Kind::transfer_all, who, other});
      for (int amount = 0; amount <= 4; ++amount) {
        out.push_back({Kind::transfer, who, other, amount});
      }
    }
  }
  return out;
}

void add_held(std::vector<Step>& out, int who, int reason, int amount) {
  for (const Kind kind : {Kind::hold, Kind::release, Kind::pay_held_to_pool, Kind::burn_held}) {
    out.push_back({kind, who, 0, amount, 0, reason});
  }
  for (int other = 0; other <= kPool; ++other) {
    out.push_back({Kind::pay_held, who, other, amount, 0, reason});
  }
  for (int tip = 0; tip <= 1; ++tip) {
    out.push_back({Kind::fee_from_held, who, 0, amount, tip, reason});
  }
}

std::vector<Step> money_steps() {
  std::vector<Step> out = transfers();
  for (int amount = 0; amount <= 3; ++amount) {
    add_held(out, 0, 0, amount);
    add_held(out, 0, 1, amount);
    add_held(out, 1, 0, amount);
    for (int who = 0; who <= kPool; ++who) out.push_back({Kind::pay_from_pool, who, 0, amount});
    for (int who = 0; who < kAccounts; ++who) {
      for (int tip = 0; tip <= 1; ++tip) out.push_back({Kind::fee, who, 0, amount, tip});
    }
  }
  return out;
}

// Only the first two owe; all three may be owed to.
std::vector<Step> debt_steps() {
  std::vector<Step> out = transfers();
  for (int debtor = 0; debtor < 2; ++debtor) {
    for (int creditor = 0; creditor < kAccounts; ++creditor) {
      for (int amount = 0; amount <= 5; ++amount) {
        out.push_back({Kind::issue, debtor, creditor, amount});
        out.push_back({Kind::settle, debtor, creditor, amount});
        out.push_back({Kind::forgive, creditor, debtor, amount});
      }
    }
  }
  out.push_back({Kind::fee, 0, 0, 2});
  return out;
}

Model with(int a, int b) {
  Model out;
  out.free = {a, b, 0, 0};
  out.issued = a + b;
  return out;
}

}  // namespace

TEST_CASE("every state of three small accounts with holds and fees, and all that can be done") {
  Model genesis = with(3, 3);
  genesis.frozen = GENERATE(0, 3);
  const Explored found = explore(genesis, money_steps());
  INFO(found.states << " states, " << found.steps << " steps");
  CHECK(found.wrong == "");
  CHECK(found.states > 100);
  for (const char* verdict : {"applied", "insufficient_balance", "would_leave_dust",
                              "existential_deposit", "CannotLookup", "paid 0", "paid 3"}) {
    INFO(verdict);
    CHECK(found.verdicts.count(verdict) == 1);
  }
}

TEST_CASE("every state of three small accounts with debts, and all that can be done") {
  const Explored found = explore(with(2, 2), debt_steps());
  INFO(found.states << " states, " << found.steps << " steps");
  CHECK(found.wrong == "");
  CHECK(found.states > 400);
  for (const char* verdict : {"zero_amount", "self_debt", "debt_too_large", "too_many_debts",
                              "debt_exceeded", "insufficient_balance", "would_leave_dust"}) {
    INFO(verdict);
    CHECK(found.verdicts.count(verdict) == 1);
  }
}

}  // namespace tally::credits
