// The machine against a model of the chain's side: what the chain would take and refuse, restarts
// at any moment, lost submissions, inputs that cannot be fetched.
#include "worker/duty/duty.hpp"

#include <catch2/catch.hpp>
#include <random>

#include "primitives/crypto/hash.hpp"
#include "primitives/derivation.hpp"

namespace tally::worker {
namespace {

using disputes::Accept;
using disputes::Commit;
using disputes::Dispute;
using disputes::OutputVote;
using disputes::Phase;
using disputes::Reveal;
using disputes::Seat;
using disputes::SeatState;
using disputes::UnavailableVote;
using disputes::Vote;
using task::FailureReason;

const KeyPair kSelf = dev_key(KeyScheme::ecdsa, "Ferdie");
const KeyPair kWorker = dev_key(KeyScheme::ecdsa, "Bob");
const KeyPair kRequester = dev_key(KeyScheme::ecdsa, "Alice");
const DisputeNumber kOne{1};
constexpr std::uint64_t kWindow = 3'200;  // of a phase; a hundredth part is 100

Hash output(std::uint8_t n) {
  return blake2_256(Bytes{n});
}

DutyConfig config(std::size_t duties_max = 8) {
  return {.self = kSelf.account(),
          .accept_window = DurationMs(1'000),
          .duties_max = duties_max,
          .runs_max = 2,
          .fetches_max = 2,
          .salt = [](DisputeNumber number) { return salt_of(kSelf, Hash{}, number); }};
}

Dispute called_dispute(TimestampMs at) {
  Dispute out{.challenger = kRequester.account(),
              .requester = kRequester.account(),
              .worker = kWorker.account(),
              .receipt_hash = blake2_256(Bytes{9}),
              .output_hash = output(7),
              .phase = Phase::commit,
              .clock = {.started = at,
                        .window = DurationMs(kWindow),
                        .deadline = TimestampMs(at.value + kWindow)}};
  REQUIRE(out.seats.push_back(
      {.verifier = kSelf.account(), .state = SeatState::called, .called_at = at}));
  return out;
}

disputes::Case case_of(bool hosted) {
  disputes::Case out;
  if (hosted) {
    disputes::HostedInput input;
    REQUIRE(input.locations.push_back("127.0.0.1:9951"));
    out.input = input;
  } else {
    out.input = disputes::InlineInput{};
  }
  return out;
}

// One dispute, the chain that holds it, a disk, and the machine in between.
struct World {
  TimestampMs now{10'000};
  Dispute dispute = called_dispute(now);
  std::vector<DutyRecord> disk;
  std::optional<DutyMachine> machine;
  DutyActions waiting;  // actions that are under way
  std::vector<Hash> commits;
  std::vector<Vote> reveals;
  std::vector<std::string> told;
  int runs = 0;

  // How the world behaves.
  bool hosted = false;
  bool input_there = true;
  bool disk_works = true;
  std::function<bool()> call_lost = [] { return false; };
  std::function<executors::TaskResult(int run)> result = [](int) -> executors::TaskResult {
    return executors::TaskOutput{.hash = output(1)};
  };

  World() { restart(); }
  void restart() {
    waiting.clear();
    machine.emplace(config(), disk);
    see();
  }
  void feed(const DutyEvent& event) {
    for (auto& action : machine->step(event, now)) waiting.push_back(std::move(action));
  }
  void see() { feed(DisputeSeen{kOne, dispute}); }
  Seat& seat() { return dispute.seats[0]; }

  // Carries out the oldest action.
  void act() {
    const DutyAction action = waiting.front();
    waiting.erase(waiting.begin());
    std::visit([&](const auto& one) { carry_out(one); }, action);
  }
  void act_all() {
    while (!waiting.empty()) act();
  }
  void carry_out(const SubmitCall& submit) {
    if (call_lost()) return feed(CallEnded{kOne, CallEnd::lost, "lost"});
    const bool applied = std::visit([&](const auto& call) { return apply(call); }, submit.call);
    feed(CallEnded{kOne, applied ? CallEnd::applied : CallEnd::refused, "refused"});
    see();
  }
  void carry_out(const ReadCase&) { feed(CaseRead{kOne, case_of(hosted)}); }
  void carry_out(const FetchInput&) { feed(InputFetched{kOne, input_there}); }
  void carry_out(const RunTask&) { feed(TaskRan{kOne, result(runs++)}); }
  void carry_out(const KeepRecord& keep) {
    // What the store refuses: rule 1.
    for (const DutyRecord& record : disk) CHECK(record == keep.record);
    if (disk_works && disk.empty()) disk.push_back(keep.record);
    feed(RecordKept{kOne, disk_works});
  }
  void carry_out(const ForgetDuty&) { disk.clear(); }
  void carry_out(const TellOperator& tell) { told.push_back(tell.text); }

  bool apply(const Accept&) {
    if (dispute.phase != Phase::commit || seat().state != SeatState::called) return false;
    seat().state = SeatState::accepted;
    return true;
  }
  bool apply(const Commit& commit) {
    REQUIRE(disk.size() == 1);
    commits.push_back(commit.commitment);
    if (dispute.phase != Phase::commit || seat().state != SeatState::accepted) return false;
    seat().state = SeatState::committed;
    seat().commitment = commit.commitment;
    return true;
  }
  bool apply(const Reveal& reveal) {
    const disputes::Ballot ballot{kOne, kSelf.account(), reveal.vote, reveal.salt};
    CHECK(disputes::commitment_of(ballot) == seat().commitment);
    if (dispute.phase != Phase::reveal || seat().state != SeatState::committed) return false;
    seat().state = SeatState::revealed;
    reveals.push_back(reveal.vote);
    return true;
  }
  bool apply(const disputes::Challenge&) { return false; }
  bool apply(const disputes::AppealCall&) { return false; }

  void pass(std::uint64_t ms) {
    now = TimestampMs(now.value + ms);
    if (dispute.phase == Phase::commit && now >= dispute.clock.deadline) start_reveal();
    feed(Tick{});
  }
  void start_reveal() {
    dispute.phase = Phase::reveal;
    dispute.clock.started = now;
    dispute.clock.deadline = TimestampMs(now.value + kWindow);
    see();
  }
  void end() {
    dispute.phase = Phase::ended;
    see();
    act_all();
  }
};

TEST_CASE("a drawn verifier accepts, runs, keeps, commits and reveals, in that order") {
  World w;
  std::vector<std::string> order;
  while (!w.waiting.empty()) {
    const auto& action = w.waiting.front();
    if (const auto* submit = std::get_if<SubmitCall>(&action)) {
      order.emplace_back(
          std::visit([](const auto& c) { return std::decay_t<decltype(c)>::kName; }, submit->call));
    } else if (std::holds_alternative<RunTask>(action)) {
      order.emplace_back("run");
    } else if (std::holds_alternative<KeepRecord>(action)) {
      order.emplace_back("keep");
    }
    w.act();
    if (w.waiting.empty() && w.dispute.phase == Phase::commit) w.start_reveal();
  }
  CHECK(order == std::vector<std::string>{"accept", "run", "keep", "commit", "reveal"});
  CHECK(w.reveals == std::vector<Vote>{OutputVote{output(1)}});
  w.end();
  CHECK(w.disk.empty());
  CHECK(w.machine->duties().empty());
}

// Shown to fail by asking for the commit together with KeepRecord (rule 1).
TEST_CASE("nothing is committed while the vote is not on disk") {
  World w;
  w.disk_works = false;
  w.act_all();
  for (int i = 0; i < 20; ++i) {
    w.pass(100);
    w.act_all();
  }
  CHECK(w.commits.empty());
  CHECK(w.told.size() == 1);
  w.disk_works = true;
  w.pass(100);
  w.act_all();
  CHECK(w.commits.size() == 1);
}

TEST_CASE("what a task that fails is voted as") {
  const Vote failed = OutputVote{disputes::failed_output_hash()};
  const Vote cannot_say = UnavailableVote{};
  struct Row {
    FailureReason reason;
    Vote vote;
    int runs;
  };
  for (const Row& row :
       {Row{FailureReason::bad_spec, failed, 1}, Row{FailureReason::bad_input, failed, 1},
        Row{FailureReason::unsupported, failed, 1},
        Row{FailureReason::out_of_memory, cannot_say, 1},
        Row{FailureReason::cpu_time, cannot_say, 1}, Row{FailureReason::wall_time, cannot_say, 1},
        Row{FailureReason::crashed, cannot_say, 3}, Row{FailureReason::violation, cannot_say, 3},
        Row{FailureReason::bad_answer, cannot_say, 3}}) {
    World w;
    CAPTURE(enumerator_name(row.reason));
    w.result = [&](int) -> executors::TaskResult {
      return fail(task::TaskFailure{row.reason, "no"});
    };
    w.act_all();
    REQUIRE(w.disk.size() == 1);
    CHECK(w.disk[0].vote == row.vote);
    CHECK(w.runs == row.runs);
  }
}

// Shown to fail by voting after the first round that fails.
TEST_CASE("an input is given up only after three quarters of the window") {
  World w;
  w.hosted = true;
  w.input_there = false;
  w.act_all();
  int rounds = 0;
  while (w.disk.empty()) {
    w.pass(50);
    for (const auto& action : w.waiting) rounds += std::holds_alternative<FetchInput>(action);
    w.act_all();
  }
  CHECK(w.now.value >= 10'000 + kWindow * 3 / 4);
  CHECK(w.now < TimestampMs(10'000 + kWindow * 7 / 8));
  CHECK(rounds > 10);
  CHECK(w.disk[0].vote == Vote(UnavailableVote{}));
  CHECK(w.commits.size() == 1);
}

TEST_CASE("an input that comes late is still used") {
  World w;
  w.hosted = true;
  w.input_there = false;
  w.act_all();
  for (int i = 0; i < 40; ++i) {
    w.pass(50);
    w.act_all();
  }
  CHECK(w.disk.empty());
  w.input_there = true;
  w.pass(100);
  w.act_all();
  REQUIRE(w.disk.size() == 1);
  CHECK(w.disk[0].vote == Vote(OutputVote{output(1)}));
}

TEST_CASE("a silent place does not keep the vote from being cast") {
  World w;
  w.hosted = true;
  w.act();  // accept
  w.act();  // the case
  REQUIRE(w.waiting.size() == 1);
  REQUIRE(std::holds_alternative<FetchInput>(w.waiting[0]));
  w.waiting.clear();  // it never answers
  w.pass(kWindow * 7 / 8);
  w.act_all();
  REQUIRE(w.commits.size() == 1);
  CHECK(w.disk[0].vote == Vote(UnavailableVote{}));
}

// Shown to fail by letting vote() write over a record (rule 1).
TEST_CASE("an output that comes after the vote changes nothing") {
  World w;
  w.act();  // accept
  w.act();  // the case
  REQUIRE(w.waiting.size() == 1);
  REQUIRE(std::holds_alternative<RunTask>(w.waiting[0]));
  const DutyAction late = w.waiting[0];
  w.waiting.clear();
  w.pass(kWindow * 7 / 8);
  w.act_all();
  REQUIRE(w.disk.size() == 1);
  w.waiting.push_back(late);
  w.act_all();
  CHECK(w.commits.size() == 1);
  w.start_reveal();
  w.act_all();
  CHECK(w.reveals == std::vector<Vote>{UnavailableVote{}});
}

// Shown to fail by leaving out is_party().
TEST_CASE("nobody verifies in a dispute of its own") {
  for (AccountId Dispute::*party : {&Dispute::worker, &Dispute::requester, &Dispute::challenger}) {
    Dispute own = called_dispute(TimestampMs(10'000));
    own.*party = kSelf.account();
    DutyMachine machine(config(), {});
    CHECK(machine.step(DisputeSeen{kOne, own}, TimestampMs(10'000)).empty());
  }
}

// Shown to fail by leaving out the comparison with duties_max.
TEST_CASE("no more seats are taken than asked for, and no more tasks run") {
  DutyMachine machine(config(3), {});
  const TimestampMs now(10'000);
  std::vector<DisputeNumber> accepted;
  for (std::uint64_t n = 0; n < 10; ++n) {
    for (const auto& action :
         machine.step(DisputeSeen{DisputeNumber(n), called_dispute(now)}, now)) {
      if (const auto* submit = std::get_if<SubmitCall>(&action)) accepted.push_back(submit->number);
    }
  }
  CHECK(accepted ==
        std::vector<DisputeNumber>{DisputeNumber(0), DisputeNumber(1), DisputeNumber(2)});
  std::vector<DisputeNumber> running;
  for (const DisputeNumber number : accepted) {
    machine.step(CallEnded{number, CallEnd::applied, {}}, now);
    Dispute dispute = called_dispute(now);
    dispute.seats[0].state = SeatState::accepted;
    // The later number ends first.
    dispute.clock.deadline = TimestampMs(dispute.clock.deadline.value - number.value);
    machine.step(DisputeSeen{number, dispute}, now);
  }
  for (const DisputeNumber number : accepted) {
    for (const auto& action : machine.step(CaseRead{number, case_of(false)}, now)) {
      if (const auto* run = std::get_if<RunTask>(&action)) running.push_back(run->number);
    }
  }
  CHECK(running.size() == 2);
  const auto next =
      machine.step(TaskRan{running[0], executors::TaskOutput{.hash = output(1)}}, now);
  CHECK(std::count_if(next.begin(), next.end(), [](const auto& action) {
          return std::holds_alternative<RunTask>(action);
        }) == 1);
}

TEST_CASE("a seat that was not accepted in time is left to its successor") {
  World w;
  w.waiting.clear();
  DutyMachine late(config(), {});
  CHECK(late.step(DisputeSeen{kOne, w.dispute}, TimestampMs(11'000)).empty());
  w.dispute.seats[0].verifier = kWorker.account();
  const auto gone = late.step(DisputeSeen{kOne, w.dispute}, TimestampMs(11'100));
  REQUIRE(gone.size() == 1);
  CHECK(std::holds_alternative<ForgetDuty>(gone[0]));
}

TEST_CASE("a refused acceptance is not repeated, a lost one is") {
  World w;
  w.dispute.seats[0].state = SeatState::vacant;  // the chain refuses whatever comes
  w.act_all();
  w.dispute.seats[0].state = SeatState::called;
  w.see();
  w.pass(500);
  CHECK(w.waiting.empty());

  World lossy;
  int losses = 3;
  lossy.call_lost = [&] { return losses-- > 0; };
  for (int i = 0; i < 10; ++i) {
    lossy.act_all();
    lossy.pass(100);
  }
  CHECK(lossy.commits.size() == 1);
}

// Rule 5. Shown to fail by drawing the salt at random.
TEST_CASE("a commitment whose record is lost is found again and revealed") {
  for (const Vote& vote :
       {Vote(UnavailableVote{}), Vote(OutputVote{output(7)}), Vote(OutputVote{output(1)})}) {
    World w;
    w.seat().state = SeatState::committed;
    w.seat().commitment =
        disputes::commitment_of({kOne, kSelf.account(), vote, salt_of(kSelf, Hash{}, kOne)});
    w.restart();
    w.act_all();
    w.start_reveal();
    w.act_all();
    CHECK(w.reveals == std::vector<Vote>{vote});
  }
}

TEST_CASE("a commitment that is not ours is not revealed, and the operator hears of it once") {
  World w;
  w.seat().state = SeatState::committed;
  w.seat().commitment = output(99);
  w.restart();
  w.act_all();
  w.start_reveal();
  for (int i = 0; i < 10; ++i) {
    w.act_all();
    w.pass(100);
  }
  CHECK(w.reveals.empty());
  CHECK(w.told.size() == 1);
}

TEST_CASE("salts differ by account, chain and dispute") {
  const auto salt = salt_of(kSelf, Hash{}, kOne);
  CHECK(salt != salt_of(kWorker, Hash{}, kOne));
  CHECK(salt != salt_of(kSelf, output(1), kOne));
  CHECK(salt != salt_of(kSelf, Hash{}, DisputeNumber(2)));
}

// Restarts at any moment, lost calls, an input that comes and goes, and an executor whose output is
// another at every run. Shown to fail by making a new record where there is one (rule 1).
TEST_CASE("whatever happens, all commits of a dispute are one, and the vote is revealed") {
  for (std::uint32_t seed = 0; seed < 500; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
    World w;
    w.hosted = chance(50);
    w.call_lost = [&] { return chance(30); };
    w.result = [](int run) -> executors::TaskResult {
      if (run % 3 == 1) return fail(task::TaskFailure{FailureReason::crashed, "died"});
      return executors::TaskOutput{.hash = output(static_cast<std::uint8_t>(run))};
    };
    for (int i = 0; i < 400 && w.reveals.empty(); ++i) {
      w.input_there = chance(30);
      w.disk_works = chance(80);
      if (chance(5)) w.restart();
      if (!w.waiting.empty() && chance(80)) w.act();
      if (chance(50)) w.pass(random() % 40);
      if (w.seat().state == SeatState::committed && w.dispute.phase == Phase::commit && chance(20))
        w.start_reveal();
    }
    for (const Hash& commit : w.commits) CHECK(commit == w.commits[0]);
    if (w.seat().state == SeatState::committed || w.seat().state == SeatState::revealed) {
      CHECK(w.reveals.size() == 1);
    }
  }
}

}  // namespace
}  // namespace tally::worker
