#include "tests/dispute_sim/sim.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <stdexcept>

#include "modules/channels/signing.hpp"
#include "primitives/crypto/hash.hpp"
#include "runtime/call.hpp"
#include "tests/dispute_sim/chain.hpp"

namespace tally::dispute_sim {
namespace {

using disputes::DisputeNumber;
using disputes::Phase;
using disputes::Seat;
using disputes::SeatState;

constexpr std::size_t kVerifiers = 60;
constexpr std::size_t kBatch = 40;  // disputes at a time
constexpr Balance kStake{200 * kCredit.micro};

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {  // splitmix64
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  bool chance(unsigned percent) { return next() % 100 < percent; }

 private:
  std::uint64_t state_;
};

Hash output(std::string_view what) {
  return blake2_256(as_bytes(what));
}
const Hash kTruth = output("what the task gives");
const Hash kWorkers = output("what a cheating worker says");
const Hash kAgreed = output("what lying challengers agree on");

double in_cc(i128 micro) {
  return static_cast<double>(micro) / 1e6;
}

struct Running {
  DisputeNumber number;
  bool wrong = false;  // the worker's output
};

class Simulation {
 public:
  explicit Simulation(const Row& row) : row_(row), random_(row.seed), chain_(options(row)) {
    const std::size_t others = (kVerifiers * row.share_percent + 50) / 100;
    // Of another type, so that they are not drawn as verifiers.
    for (const char* name : {"honest worker", "cheating worker"}) {
      chain_.add_worker(account_of(name), Balance(20'000 * kCredit.micro),
                        task::TaskType::image_resize);
    }
    for (std::size_t i = 0; i < kVerifiers; ++i) {
      const AccountId account = account_of("verifier " + std::to_string(i));
      chain_.add_worker(account, kStake);
      verifiers_.push_back(account);
      is_other_[account] = i < others;
    }
    chain_.next_block(DurationMs(10'000));
  }

  Outcome run() {
    const auto before = wealth();
    while (outcome_.disputes < row_.disputes) run_batch();
    const auto after = wealth();
    i128 honest = -costs_[false];
    i128 other = -costs_[true];
    for (const AccountId& verifier : verifiers_) {
      (is_other_[verifier] ? other : honest) += after.at(verifier) - before.at(verifier);
    }
    const auto mean = [](i128 sum, std::uint64_t count) {
      return count == 0 ? 0.0 : in_cc(sum) / static_cast<double>(count);
    };
    outcome_.honest_per_duty = mean(honest, outcome_.duties_honest);
    outcome_.other_per_duty = mean(other, outcome_.duties_other);
    const auto gain = [&](const char* name) {
      return after.at(account_of(name)) - before.at(account_of(name));
    };
    outcome_.cheating_worker_per_dispute = mean(gain("cheating worker"), wrong_);
    outcome_.lying_challenger_per_dispute =
        mean(gain("lying challenger"), outcome_.disputes - wrong_);
    return outcome_;
  }

 private:
  static TestChainOptions options(const Row& row) {
    TestChainOptions out;
    out.disputes = disputes::main_config();
    out.workers = workers::main_config();
    out.seed = std::to_string(row.seed);
    out.check_every = 97;
    const Balance rich(u128{100'000'000} * kCredit.micro);
    for (const char* name :
         {"honest worker", "cheating worker", "honest challenger", "lying challenger"}) {
      out.accounts[account_of(name)] = rich;
    }
    for (std::size_t i = 0; i < kVerifiers; ++i) {
      out.accounts[account_of("verifier " + std::to_string(i))] = rich;
    }
    return out;
  }

  std::map<AccountId, i128> wealth() const {
    std::map<AccountId, i128> out;
    for (const auto& [account, balance] : chain_.options().accounts) {
      out[account] = static_cast<i128>(chain_.wealth(account).micro);
    }
    return out;
  }

  // What was lost of a stake is put back from free credits: the populations stay what they are.
  void top_up(const AccountId& account, Balance stake) {
    const Balance bonded = chain_.worker(account).bonded;
    if (bonded >= stake) return;
    must(chain_.call(account, workers::TopUp{{Balance(stake.micro - bonded.micro)}}));
  }

  static void must(const DispatchResult& result) {
    if (result.ok()) return;
    throw std::logic_error("a call of the simulator was refused: " +
                           runtime::to_text(result.error()));
  }

  Running open() {
    const bool wrong = random_.chance(row_.wrong_percent);
    const KeyPair worker = key_of(wrong ? "cheating worker" : "honest worker");
    const AccountId challenger = account_of(wrong ? "honest challenger" : "lying challenger");
    task::Receipt receipt;
    receipt.genesis_hash = chain_.block.genesis_hash;
    receipt.worker = worker.account();
    receipt.requester = challenger;
    receipt.channel_id = channels::channel_id_of(
        {receipt.genesis_hash, challenger, receipt.worker, 0, DurationMs(86'400'000)});
    receipt.task_id = outcome_.disputes;
    receipt.environment = task::executor_environment();
    receipt.spec_hash = blake2_256(ByteView{});
    receipt.input_hash = blake2_256(ByteView{});
    receipt.output_hash = wrong ? kWorkers : kTruth;
    receipt.price = price();
    receipt.started_ms = chain_.block.header_time;
    receipt.finished_ms = chain_.block.header_time;
    disputes::Challenge call;
    call.receipt = task::sign_receipt(worker, receipt);
    call.channel = {false, 0, DurationMs(86'400'000)};
    call.input = disputes::InlineInput{};
    const DisputeNumber number = disputes::kNext.get(chain_.state());
    must(chain_.call(challenger, call));
    ++outcome_.disputes;
    wrong_ += wrong ? 1 : 0;
    return {number, wrong};
  }
  Balance price() const { return Balance(row_.price_milli * kMilliCredit.micro); }

  // What a verifier votes for, and whether it ran the task for that.
  struct Choice {
    Hash output;
    bool ran = false;
  };
  Choice choose(const Running& running, const disputes::Dispute& dispute,
                const AccountId& verifier) {
    const Choice run{kTruth, true};
    if (!is_other_[verifier]) return run;
    switch (row_.strategy) {
      case Strategy::honest:
        return run;
      case Strategy::lazy:
        return {dispute.output_hash, false};
      case Strategy::copying:
        return {most_common(dispute), false};
      case Strategy::with_worker:
        return running.wrong ? Choice{kWorkers, false} : run;
      case Strategy::with_challenger:
        return running.wrong ? run : Choice{kAgreed, false};
    }
    return run;
  }
  // Of what was revealed; the worker's output when nothing was.
  static Hash most_common(const disputes::Dispute& dispute) {
    std::map<Hash, int> counts;
    for (const Seat& seat : dispute.seats) {
      if (seat.vote) ++counts[std::get<disputes::OutputVote>(*seat.vote).output_hash];
    }
    Hash best = dispute.output_hash;
    for (const auto& [hash, count] : counts) {
      if (count > counts[best]) best = hash;
    }
    return best;
  }

  static disputes::Salt salt(const AccountId& verifier) {
    return blake2_256(verifier.view()).bytes;
  }

  // Everybody accepts and commits. False when there was nobody left to.
  bool commit_all(const Running& running) {
    const auto dispute = chain_.dispute(running.number);
    std::optional<Hash> seen;  // a commitment to copy
    bool acted = false;
    for (const bool copying : {false, true}) {
      for (const Seat& seat : dispute->seats) {
        if (seat.round != dispute->round || seat.state != SeatState::called) continue;
        const bool copies = row_.strategy == Strategy::copying && is_other_[seat.verifier] &&
                            dispute->round == disputes::Round::first;
        if (copies != copying) continue;
        must(chain_.call(seat.verifier, disputes::Accept{running.number}));
        const Choice choice = choose(running, *dispute, seat.verifier);
        choices_[{running.number.value, seat.verifier}] = choice.output;
        Hash commitment =
            disputes::commitment_of({running.number, seat.verifier,
                                     disputes::OutputVote{choice.output}, salt(seat.verifier)});
        if (copies && seen) commitment = *seen;
        if (!seen) seen = commitment;
        must(chain_.call(seat.verifier, disputes::Commit{running.number, commitment}));
        const bool other = is_other_[seat.verifier];
        ++(other ? outcome_.duties_other : outcome_.duties_honest);
        if (choice.ran) costs_[other] += static_cast<i128>(price().micro);
        acted = true;
      }
    }
    return acted;
  }

  bool reveal_all(const Running& running) {
    const auto dispute = chain_.dispute(running.number);
    bool acted = false;
    for (const Seat& seat : dispute->seats) {
      if (seat.round != dispute->round || seat.state != SeatState::committed) continue;
      const Hash choice = choices_.at({running.number.value, seat.verifier});
      const auto result = chain_.call(
          seat.verifier,
          disputes::Reveal{running.number, disputes::OutputVote{choice}, salt(seat.verifier)});
      acted = acted || result.ok();  // a copied commitment cannot be revealed
    }
    return acted;
  }

  // The side that knows that it is right appeals.
  bool appeal(const Running& running) {
    const auto dispute = chain_.dispute(running.number);
    const bool rejected = dispute->verdict->outcome == disputes::Outcome::rejected;
    if (rejected == running.wrong) return false;
    const AccountId loser = rejected ? dispute->worker : dispute->challenger;
    if (!chain_.call(loser, disputes::AppealCall{running.number}).ok()) return false;
    ++outcome_.appeals;
    return true;
  }

  // One step of everybody; false when only time can move the disputes on.
  bool step(const std::vector<Running>& batch) {
    bool acted = false;
    for (const Running& running : batch) {
      switch (chain_.dispute(running.number)->phase) {
        case Phase::awaiting_draw:
          acted = true;
          break;
        case Phase::commit:
          acted = commit_all(running) || acted;
          break;
        case Phase::reveal:
          acted = reveal_all(running) || acted;
          break;
        case Phase::decided:
          acted = appeal(running) || acted;
          break;
        case Phase::ended:
          break;
      }
    }
    return acted;
  }

  bool all_ended(const std::vector<Running>& batch) const {
    return std::all_of(batch.begin(), batch.end(), [&](const Running& running) {
      return chain_.dispute(running.number)->phase == Phase::ended;
    });
  }

  void run_batch() {
    for (const AccountId& verifier : verifiers_) top_up(verifier, kStake);
    top_up(account_of("cheating worker"), Balance(20'000 * kCredit.micro));
    top_up(account_of("honest worker"), Balance(20'000 * kCredit.micro));
    std::vector<Running> batch;
    for (std::size_t i = 0; i < kBatch && outcome_.disputes < row_.disputes; ++i) {
      batch.push_back(open());
    }
    const DurationMs window = chain_.config().window;
    while (!all_ended(batch)) {
      const bool acted = step(batch);
      chain_.next_block(acted ? DurationMs(800) : window);
    }
    for (const Running& running : batch) {
      const auto outcome = chain_.dispute(running.number)->verdict->outcome;
      if (outcome == disputes::Outcome::inconclusive) {
        ++outcome_.inconclusive;
      } else if ((outcome == disputes::Outcome::rejected) != running.wrong) {
        ++outcome_.false_verdicts;
      }
    }
    choices_.clear();
  }

  Row row_;
  Random random_;
  TestChain chain_;
  std::vector<AccountId> verifiers_;
  std::map<AccountId, bool> is_other_;
  std::map<std::pair<std::uint64_t, AccountId>, Hash> choices_;
  std::map<bool, i128> costs_;
  std::uint64_t wrong_ = 0;
  Outcome outcome_;
};

std::string text(const char* format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), format, value);
  return buffer;
}

}  // namespace

Outcome simulate(const Row& row) {
  return Simulation(row).run();
}

double gain_of_cheating(const Row& row, const Outcome& outcome, unsigned audit_percent) {
  const double audited = audit_percent / 100.0;
  const double price = static_cast<double>(row.price_milli) / 1'000;
  return (1 - audited) * price + audited * outcome.cheating_worker_per_dispute;
}

std::string_view name_of(Strategy strategy) {
  switch (strategy) {
    case Strategy::honest:
      return "none";
    case Strategy::lazy:
      return "lazy";
    case Strategy::copying:
      return "copying";
    case Strategy::with_worker:
      return "colluding with workers";
    case Strategy::with_challenger:
      return "colluding with challengers";
  }
  return "";
}

std::vector<Row> all_rows(std::uint64_t disputes, std::uint64_t seed) {
  std::vector<Row> rows;
  const auto add = [&](Strategy strategy, unsigned share, unsigned wrong, std::uint64_t price) {
    rows.push_back({strategy, share, wrong, price, disputes, seed + rows.size()});
  };
  add(Strategy::honest, 0, 50, 500);
  for (const Strategy strategy :
       {Strategy::lazy, Strategy::copying, Strategy::with_worker, Strategy::with_challenger}) {
    for (const unsigned share : {10u, 20u, 33u}) add(strategy, share, 50, 500);
  }
  for (const Strategy strategy : {Strategy::lazy, Strategy::copying}) {
    for (const unsigned wrong : {20u, 90u}) add(strategy, 33, wrong, 500);
  }
  for (const std::uint64_t price : {10ull, 900ull}) add(Strategy::with_worker, 33, 100, price);
  return rows;
}

std::string table(const std::vector<Row>& rows, const std::vector<Outcome>& outcomes) {
  std::string out =
      "| the others | stake | price | wrong | disputes | honest | others | appeals | false | "
      "inconclusive | cheating at 10% audits | lying |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    const Outcome& outcome = outcomes[i];
    const auto share = [&](std::uint64_t count) {
      return text("%.1f%%",
                  100.0 * static_cast<double>(count) / static_cast<double>(outcome.disputes));
    };
    const bool others = outcome.duties_other != 0;
    const bool liars = row.wrong_percent < 100;
    out += "| " + std::string(name_of(row.strategy)) + " | " + std::to_string(row.share_percent) +
           "% | " + text("%.2f", static_cast<double>(row.price_milli) / 1'000) + " | " +
           std::to_string(row.wrong_percent) + "% | " + std::to_string(outcome.disputes) + " | " +
           text("%+.3f", outcome.honest_per_duty) + " | " +
           (others ? text("%+.3f", outcome.other_per_duty) : "") + " | " + share(outcome.appeals) +
           " | " + share(outcome.false_verdicts) + " | " + share(outcome.inconclusive) + " | " +
           text("%+.3f", gain_of_cheating(row, outcome, 10)) + " | " +
           (liars ? text("%+.2f", outcome.lying_challenger_per_dispute) : "") + " |\n";
  }
  return out;
}

}  // namespace tally::dispute_sim
