// Verifier duty as a pure machine: what this worker does in the disputes for which it is drawn.
//
//   events   what a final block says of a dispute, an input that came or did not, a task that was
//            done, a record that is on disk, a submission that ended
//   actions  submit accept / commit / reveal, read the case, fetch, run, persist, forget, tell
//
//   called ──▶ accept ──▶ case ──▶ (fetch) ──▶ run ──▶ persist vote and salt ──▶ commit ──▶ reveal
//
// The machine asks the chain's record what is to be done next, so a restart, a lost submission or a
// missed block needs no case of its own. Rules:
//
//  1. A commit is asked for only after the record with its vote and salt is on disk. A record is
//     never replaced: whatever happens later, the vote stays what it was.
//  2. The vote:
//       the task gives an output                              Output(its hash)
//       the executors refuse it: spec or input outside of     Output(disputes::failed_output_hash)
//         the type's limits, type unknown
//       the input could not be fetched: at three quarters     Unavailable
//         of the commit window, after three rounds of all its
//         locations at least; at seven eighths at the latest
//       memory or time did not suffice, or the executor       Unavailable: this machine cannot say,
//         died three times                                     and nobody is blamed for that
//  3. No duty in a dispute in which this account is worker, requester or challenger.
//  4. At most `duties_max` seats are accepted at a time; others pass to the next of the draw,
//     unfined. At most `runs_max` tasks run, and `fetches_max` inputs are fetched, at a time; of
//     those that wait the nearest deadline goes first.
//  5. The salt comes from the account's secret and the dispute's number: if the folder is lost
//     after a commit, doing the task again gives the same commitment, and it can still be revealed.
//
// Times are chain time. No I/O, not thread-safe.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "modules/disputes/ballot.hpp"
#include "modules/disputes/calls.hpp"
#include "primitives/crypto/sign.hpp"
#include "worker/executors/executor.hpp"

namespace tally::worker {

using disputes::DisputeNumber;

// What must survive a crash before a commit leaves.
struct DutyRecord {
  DisputeNumber number;
  AccountId verifier;
  Hash receipt_hash;  // of the dispute: numbers of another chain do not fit
  disputes::Vote vote;
  disputes::Salt salt{};
  friend bool operator==(const DutyRecord&, const DutyRecord&) = default;
};
TALLY_DESCRIBE(DutyRecord, number, verifier, receipt_hash, vote, salt);

Hash commitment_of(const DutyRecord& record);
// Of an account and a dispute; nobody without the secret can compute it.
disputes::Salt salt_of(const KeyPair& verifier, const Hash& genesis_hash, DisputeNumber number);

struct DutyConfig {
  AccountId self;
  DurationMs accept_window;  // the chain's parameter
  std::size_t duties_max = 8;
  std::size_t runs_max = 1;
  std::size_t fetches_max = 2;
  std::function<disputes::Salt(DisputeNumber)> salt;
};

// --- Events ---

// The dispute as a final block has it; none: the chain knows it no more.
struct DisputeSeen {
  DisputeNumber number;
  std::optional<disputes::Dispute> record;
};
struct CaseRead {
  DisputeNumber number;
  std::optional<disputes::Case> task;  // none: it could not be read; it is asked for again
};
struct InputFetched {
  DisputeNumber number;
  bool ok{};
};
struct TaskRan {
  DisputeNumber number;
  executors::TaskResult result;
};
struct RecordKept {
  DisputeNumber number;
  bool ok{};
};
enum class CallEnd : std::uint8_t {
  applied,  // it took effect
  refused,  // a block has it and the chain refused it
  lost,     // it is in no block: it may be sent again
};
struct CallEnded {
  DisputeNumber number;
  CallEnd end{};
  std::string why;  // unless applied
};
// A final block: chain time goes on.
struct Tick {};
using DutyEvent =
    std::variant<DisputeSeen, CaseRead, InputFetched, TaskRan, RecordKept, CallEnded, Tick>;

// --- Actions ---

struct SubmitCall {
  DisputeNumber number;
  disputes::Call call;
};
struct ReadCase {
  DisputeNumber number;
};
// The driver keeps the bytes for RunTask.
struct FetchInput {
  DisputeNumber number;
  Hash hash;
  std::vector<std::string> locations;
  DurationMs patience;  // for all of them
};
struct RunTask {
  DisputeNumber number;
  DurationMs patience;
};
struct KeepRecord {
  DutyRecord record;
};
// The dispute is over: its record, input and running work are not needed any more.
struct ForgetDuty {
  DisputeNumber number;
};
struct TellOperator {
  bool warning{};
  std::string text;
};
using DutyAction =
    std::variant<SubmitCall, ReadCase, FetchInput, RunTask, KeepRecord, ForgetDuty, TellOperator>;
using DutyActions = std::vector<DutyAction>;

class DutyMachine {
 public:
  // `records` are those on disk: their votes are fixed.
  DutyMachine(DutyConfig config, const std::vector<DutyRecord>& records);

  // `now` is the chain time of the newest final block that the caller has seen.
  DutyActions step(const DutyEvent& event, TimestampMs now);

  // The disputes that it wants to hear of.
  std::vector<DisputeNumber> duties() const;
  std::size_t accepted() const;

 private:
  struct Duty {
    std::optional<disputes::Dispute> dispute;
    std::optional<disputes::Case> task;
    std::optional<DutyRecord> record;
    bool kept = false;  // the record is on disk
    bool keeping = false;
    bool reading = false;
    bool has_input = false;
    bool fetching = false;
    bool running = false;
    bool declined = false;  // the chain refused our acceptance
    std::size_t fetches_failed = 0;
    std::size_t runs_failed = 0;
    std::string submitting;         // the call under way
    std::set<std::string> applied;  // calls that took effect: each does once
    TimestampMs retry_at;           // nothing is sent or fetched again before
    std::string told;               // the last thing that the operator was told
  };

  void on(const DisputeSeen& event, DutyActions& out);
  void on(const CaseRead& event, DutyActions& out);
  void on(const InputFetched& event, DutyActions& out);
  void on(const TaskRan& event, DutyActions& out);
  void on(const RecordKept& event, DutyActions& out);
  void on(const CallEnded& event, DutyActions& out);
  void on(const Tick& event, DutyActions& out);

  // What the records on the chain ask to be done, the nearest deadline first.
  void go_on(DutyActions& out);
  void go_on(DisputeNumber number, Duty& duty, DutyActions& out);
  void accept(DisputeNumber number, Duty& duty, const disputes::Seat& seat, DutyActions& out);
  void work(DisputeNumber number, Duty& duty, DutyActions& out);
  void fetch(DisputeNumber number, Duty& duty, DutyActions& out);
  void run(DisputeNumber number, Duty& duty, DutyActions& out);
  void reveal(DisputeNumber number, Duty& duty, const disputes::Seat& seat, DutyActions& out);
  void find_again(DisputeNumber number, Duty& duty, const Hash& commitment, DutyActions& out);
  void vote(DisputeNumber number, Duty& duty, const disputes::Vote& vote, DutyActions& out);
  void submit(DisputeNumber number, Duty& duty, const disputes::Call& call, DutyActions& out);
  void tell(DisputeNumber number, Duty& duty, const std::string& text, DutyActions& out);
  bool is_party(const disputes::Dispute& dispute) const;
  Duty* find(DisputeNumber number);
  std::size_t count(bool Duty::*flag) const;

  DutyConfig config_;
  TimestampMs now_;
  std::map<DisputeNumber, Duty> duties_;
};

}  // namespace tally::worker
