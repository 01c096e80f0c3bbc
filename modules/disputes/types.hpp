// What a dispute is on chain.
//
// A dispute is about one receipt. The challenger (the requester that the receipt names, or the
// bearer of its mandate) says that the worker's output is wrong; verifiers that nobody could choose
// re-run the task and vote on its output. Amounts are µCC. Times are chain time in milliseconds,
// except where a field says header time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "primitives/balance.hpp"
#include "primitives/bounded.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/ids.hpp"
#include "primitives/task/receipt.hpp"

namespace tally::disputes {

TALLY_STRONG_INT(DisputeNumber, std::uint64_t);  // a counter, from 0

constexpr std::size_t kMaxSpec = 64 * 1024;   // bytes
constexpr std::size_t kMaxInput = 48 * 1024;  // bytes of an inline input
constexpr std::size_t kMaxLocations = 4;      // where an input is served
constexpr std::size_t kMaxLocation = 128;     // bytes of "host:port"
constexpr std::size_t kMaxReason = 256;       // bytes
constexpr std::size_t kMaxPool = 1'024;       // verifiers of one type and environment
constexpr std::size_t kMaxSeats = 64;         // verifiers of one dispute, appeal included
constexpr std::size_t kMaxTries = 8;          // challengers of one receipt without a verdict

using Salt = std::array<std::uint8_t, 32>;

// --- Votes ---

// What a verifier says the task's output hash is. A task that no executor of the environment can
// run has the hash failed_output_hash() (ballot.hpp).
struct OutputVote {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "Output";
  Hash output_hash;
  friend bool operator==(const OutputVote&, const OutputVote&) = default;
};
TALLY_DESCRIBE(OutputVote, output_hash);
// The input could not be fetched from any of its locations. Decides nothing where the input is
// inline.
struct UnavailableVote {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "Unavailable";
  friend bool operator==(const UnavailableVote&, const UnavailableVote&) = default;
};
TALLY_DESCRIBE(UnavailableVote);
using Vote = std::variant<OutputVote, UnavailableVote>;

// --- What is disputed ---

struct InlineInput {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "Inline";
  Bytes bytes;  // at most kMaxInput
  friend bool operator==(const InlineInput&, const InlineInput&) = default;
};
TALLY_DESCRIBE(InlineInput, bytes);
// By content id, which is the receipt's input hash: tallystick.v1.Content/Get at these places.
struct HostedInput {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "Hosted";
  BoundedVec<std::string, kMaxLocations> locations;  // "host:port", at least one
  friend bool operator==(const HostedInput&, const HostedInput&) = default;
};
TALLY_DESCRIBE(HostedInput, locations);
using TaskInput = std::variant<InlineInput, HostedInput>;

// What a verifier needs to re-run the task. Kept until the dispute ends.
struct Case {
  task::SignedReceipt receipt;
  Bytes spec;
  TaskInput input;
  std::string reason;
  friend bool operator==(const Case&, const Case&) = default;
};
TALLY_DESCRIBE(Case, receipt, spec, input, reason);

// --- The draw ---

// A verifier that can be drawn, with its weight: its effective stake, above zero.
struct PoolEntry {
  AccountId account;
  Balance stake;
  friend bool operator==(const PoolEntry&, const PoolEntry&) = default;
};
TALLY_DESCRIBE(PoolEntry, account, stake);
// Ascending by account: the pool at the end of the challenge's block, the parties and their
// delegators left out.
using Pool = BoundedVec<PoolEntry, kMaxPool>;

// Where a draw's randomness came from.
struct DrawSource {
  BlockNumber fixed_in;  // the first block whose draw_ready reached the asking block
  Hash beacon;           // of that block
  friend bool operator==(const DrawSource&, const DrawSource&) = default;
};
TALLY_DESCRIBE(DrawSource, fixed_in, beacon);

struct Draw {
  BlockNumber asked_in;
  std::optional<DrawSource> source;  // none: awaited
  std::uint32_t called{};            // how many places of the order were given out
  friend bool operator==(const Draw&, const Draw&) = default;
};
TALLY_DESCRIBE(Draw, asked_in, source, called);

// --- Progress ---

enum class Phase : std::uint8_t {
  awaiting_draw = 0,
  commit = 1,  // verifiers accept, re-run and commit; who does not accept is replaced
  reveal = 2,
  decided = 3,  // there is a verdict; the loser may appeal
  ended = 4,    // paid out; the record stays until the receipt can be challenged no more
};
TALLY_DESCRIBE_ENUM(Phase, awaiting_draw, commit, reveal, decided, ended);

enum class Round : std::uint8_t { first = 0, second = 1, appeal = 2 };
TALLY_DESCRIBE_ENUM(Round, first, second, appeal);

enum class SeatState : std::uint8_t {
  called = 0,    // drawn, may accept
  accepted = 1,  // its fine is frozen
  committed = 2,
  revealed = 3,
  vacant = 4,  // nobody accepted and nobody is left to call
};
TALLY_DESCRIBE_ENUM(SeatState, called, accepted, committed, revealed, vacant);

struct Seat {
  AccountId verifier;
  Round round{};  // that it was drawn for
  SeatState state{};
  TimestampMs called_at;
  Balance frozen;  // of its own stake, from acceptance to the end
  std::optional<Hash> commitment;
  std::optional<Vote> vote;
  friend bool operator==(const Seat&, const Seat&) = default;
};
TALLY_DESCRIBE(Seat, verifier, round, state, called_at, frozen, commitment, vote);

enum class Outcome : std::uint8_t {
  accepted = 0,      // the worker's output is right; the challenger pays
  rejected = 1,      // it is wrong; the worker pays
  unavailable = 2,   // the input was not to be had; the challenger pays, without blame
  inconclusive = 3,  // no verdict; each side pays half
};
TALLY_DESCRIBE_ENUM(Outcome, accepted, rejected, unavailable, inconclusive);

struct Verdict {
  Outcome outcome{};
  std::optional<Vote> vote;  // that decided; none: inconclusive
  friend bool operator==(const Verdict&, const Verdict&) = default;
};
TALLY_DESCRIBE(Verdict, outcome, vote);

enum class Party : std::uint8_t { challenger = 0, worker = 1 };
TALLY_DESCRIBE_ENUM(Party, challenger, worker);

struct Appeal {
  Party by{};
  Balance bond;  // held from the challenger, or frozen of the worker's own stake
  Draw draw;
  friend bool operator==(const Appeal&, const Appeal&) = default;
};
TALLY_DESCRIBE(Appeal, by, bond, draw);

// How a dispute's money was divided. Taken = paid, burned and given back, to the last µCC:
//   bond + stake + appeal bond + fines taken + from_pool
//     = fees + award + burned + to_challenger + to_worker
// where to_challenger and to_worker are what each got back of its own bonds.
struct Payouts {
  Balance fees;       // to verifiers
  Balance award;      // to the winner
  Balance burned;     // fines included
  Balance from_pool;  // of the fees, what thin bonds lacked
  Balance to_challenger;
  Balance to_worker;
  friend bool operator==(const Payouts&, const Payouts&) = default;
};
TALLY_DESCRIBE(Payouts, fees, award, burned, from_pool, to_challenger, to_worker);

// A phase's time: it ends at `deadline`, which only ever moves back.
struct PhaseClock {
  TimestampMs started;
  DurationMs window;  // as written; stretched by a busy lane
  TimestampMs deadline;
  friend bool operator==(const PhaseClock&, const PhaseClock&) = default;
};
TALLY_DESCRIBE(PhaseClock, started, window, deadline);

struct Dispute {
  AccountId challenger;
  AccountId requester;
  AccountId worker;
  Hash receipt_hash;
  Hash output_hash;  // the worker's
  task::TaskType type{};
  Hash environment;
  bool input_inline{};
  TimestampMs opened_at;  // header time
  Balance fee;            // f: of one vote
  Balance bond;           // held from the challenger
  Balance stake;          // frozen of the worker's own stake, at most as much
  Phase phase{};
  Round round{};
  PhaseClock clock;  // of commit, reveal and decided; of ended: when the record goes
  TimestampMs wake;  // when the chain looks at it next
  Draw draw;
  BoundedVec<Seat, kMaxSeats> seats;  // in the order of the draws
  std::optional<Verdict> verdict;     // from decided on; an appeal may change it
  std::optional<Appeal> appeal;
  std::optional<Payouts> payouts;  // once ended
  friend bool operator==(const Dispute&, const Dispute&) = default;
};
TALLY_DESCRIBE(Dispute, challenger, requester, worker, receipt_hash, output_hash, type, environment,
               input_inline, opened_at, fee, bond, stake, phase, round, clock, wake, draw, seats,
               verdict, appeal, payouts);

// What the chain remembers of a receipt while it may be challenged.
struct DisputedReceipt {
  DisputeNumber last;  // the newest dispute on it
  bool running{};      // that dispute has not ended
  bool decided{};      // there was a verdict: no other dispute
  DurationMs paused;   // header time that disputes on it took: its clock stood still
  BoundedVec<AccountId, kMaxTries> tried;  // challengers that got no verdict
  friend bool operator==(const DisputedReceipt&, const DisputedReceipt&) = default;
};
TALLY_DESCRIBE(DisputedReceipt, last, running, decided, paused, tried);

}  // namespace tally::disputes
