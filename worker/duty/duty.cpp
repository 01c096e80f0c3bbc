#include "worker/duty/duty.hpp"

#include <algorithm>

#include "modules/disputes/api.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::worker {

namespace {

using disputes::Dispute;
using disputes::Phase;
using disputes::Seat;
using disputes::SeatState;
using disputes::Vote;
using task::FailureReason;

constexpr std::size_t kRunsTried = 3;
constexpr std::size_t kFetchesTried = 3;
// Shares of a phase's window.
constexpr std::uint64_t kWhole = 32;
constexpr std::uint64_t kGiveUpFetching = 24;
constexpr std::uint64_t kGiveUp = 28;
constexpr std::uint64_t kFetchPatience = 4;
constexpr std::uint64_t kRetry = 1;

DurationMs share_of_window(const Dispute& dispute, std::uint64_t share) {
  const auto& clock = dispute.clock;
  const std::uint64_t window =
      clock.deadline > clock.started ? clock.deadline.value - clock.started.value : 0;
  return DurationMs(window / kWhole * share);
}

// The moment at which this share of the running phase has passed.
TimestampMs moment(const Dispute& dispute, std::uint64_t share) {
  return TimestampMs(dispute.clock.started.value + share_of_window(dispute, share).value);
}

// What a failed task is voted as; nothing: it is worth another try.
std::optional<Vote> vote_for(FailureReason reason, std::size_t tries) {
  switch (reason) {
    case FailureReason::bad_spec:
    case FailureReason::bad_input:
    case FailureReason::unsupported:
    case FailureReason::bad_module:
    case FailureReason::trapped:
    case FailureReason::out_of_fuel:
      return disputes::OutputVote{disputes::failed_output_hash()};
    case FailureReason::out_of_memory:
    case FailureReason::cpu_time:
    case FailureReason::wall_time:
      return disputes::UnavailableVote{};
    case FailureReason::crashed:
    case FailureReason::violation:
    case FailureReason::bad_answer:
      if (tries >= kRunsTried) return disputes::UnavailableVote{};
      return std::nullopt;
    case FailureReason::cancelled:
      return std::nullopt;
  }
  return std::nullopt;
}

std::string_view name_of(const disputes::Call& call) {
  return std::visit([](const auto& one) { return std::decay_t<decltype(one)>::kName; }, call);
}

}  // namespace

Hash commitment_of(const DutyRecord& record) {
  return disputes::commitment_of({.number = record.number,
                                  .verifier = record.verifier,
                                  .vote = record.vote,
                                  .salt = record.salt});
}

disputes::Salt salt_of(const KeyPair& verifier, const Hash& genesis_hash, DisputeNumber number) {
  Bytes seed = domain_tag("dispute-salt");
  append(seed, genesis_hash);
  append(seed, encode(number));
  append(seed, verifier.secret().view());
  return blake2_256(seed).bytes;
}

DutyMachine::DutyMachine(DutyConfig config, const std::vector<DutyRecord>& records)
    : config_(std::move(config)) {
  for (const DutyRecord& record : records) {
    if (record.verifier != config_.self) continue;
    Duty& duty = duties_[record.number];
    duty.record = record;
    duty.kept = true;
  }
}

DutyActions DutyMachine::step(const DutyEvent& event, TimestampMs now) {
  now_ = std::max(now_, now);
  DutyActions out;
  std::visit([&](const auto& one) { on(one, out); }, event);
  go_on(out);
  return out;
}

std::vector<DisputeNumber> DutyMachine::duties() const {
  std::vector<DisputeNumber> out;
  for (const auto& [number, duty] : duties_) out.push_back(number);
  return out;
}

std::size_t DutyMachine::accepted() const {
  std::size_t out = 0;
  for (const auto& [number, duty] : duties_) {
    const Seat* seat = duty.dispute ? disputes::seat_of(*duty.dispute, config_.self) : nullptr;
    const bool held = seat != nullptr &&
                      (seat->state == SeatState::accepted || seat->state == SeatState::committed);
    out += held || duty.submitting == disputes::Accept::kName ? 1 : 0;
  }
  return out;
}

std::size_t DutyMachine::count(bool Duty::*flag) const {
  std::size_t out = 0;
  for (const auto& [number, duty] : duties_) out += duty.*flag ? 1 : 0;
  return out;
}

DutyMachine::Duty* DutyMachine::find(DisputeNumber number) {
  const auto found = duties_.find(number);
  return found == duties_.end() ? nullptr : &found->second;
}

bool DutyMachine::is_party(const Dispute& dispute) const {
  return dispute.worker == config_.self || dispute.requester == config_.self ||
         dispute.challenger == config_.self;
}

void DutyMachine::on(const DisputeSeen& event, DutyActions& out) {
  const bool over = !event.record || event.record->phase == Phase::ended ||
                    is_party(*event.record) ||
                    std::none_of(event.record->seats.begin(), event.record->seats.end(),
                                 [&](const Seat& seat) { return seat.verifier == config_.self; });
  if (over) {
    if (duties_.erase(event.number) > 0) out.push_back(ForgetDuty{event.number});
    return;
  }
  duties_[event.number].dispute = event.record;
}

void DutyMachine::on(const CaseRead& event, DutyActions&) {
  Duty* const duty = find(event.number);
  if (duty == nullptr) return;
  duty->reading = false;
  duty->task = event.task;
  if (!event.task) {
    duty->retry_at = TimestampMs(now_.value + share_of_window(*duty->dispute, kRetry).value);
    return;
  }
  if (std::holds_alternative<disputes::InlineInput>(event.task->input)) duty->has_input = true;
}

void DutyMachine::on(const InputFetched& event, DutyActions&) {
  Duty* const duty = find(event.number);
  if (duty == nullptr) return;
  duty->fetching = false;
  duty->has_input = event.ok;
  if (event.ok) return;
  ++duty->fetches_failed;
  duty->retry_at = TimestampMs(now_.value + share_of_window(*duty->dispute, kRetry).value);
}

void DutyMachine::on(const TaskRan& event, DutyActions& out) {
  Duty* const duty = find(event.number);
  if (duty == nullptr) return;
  duty->running = false;
  if (event.result) {
    vote(event.number, *duty, disputes::OutputVote{event.result->hash}, out);
    return;
  }
  ++duty->runs_failed;
  const auto& failure = event.result.error();
  if (const auto said = vote_for(failure.reason, duty->runs_failed)) {
    tell(event.number, *duty, "the task cannot be done here: " + failure.message, out);
    vote(event.number, *duty, *said, out);
  }
}

void DutyMachine::on(const RecordKept& event, DutyActions& out) {
  Duty* const duty = find(event.number);
  if (duty == nullptr) return;
  duty->keeping = false;
  duty->kept = event.ok;
  if (event.ok) return;
  duty->retry_at = TimestampMs(now_.value + share_of_window(*duty->dispute, kRetry).value);
  tell(event.number, *duty, "the vote could not be written to disk, so it is not cast", out);
}

void DutyMachine::on(const CallEnded& event, DutyActions& out) {
  Duty* const duty = find(event.number);
  if (duty == nullptr) return;
  const std::string name = std::exchange(duty->submitting, {});
  if (!duty->dispute) return;
  if (event.end == CallEnd::applied) {
    duty->applied.insert(name);
    return;
  }
  duty->retry_at = TimestampMs(now_.value + share_of_window(*duty->dispute, kRetry).value);
  if (event.end == CallEnd::refused && name == disputes::Accept::kName) duty->declined = true;
  tell(event.number, *duty, name + " did not take effect: " + event.why, out);
}

void DutyMachine::on(const Tick&, DutyActions&) {}

void DutyMachine::go_on(DutyActions& out) {
  std::vector<std::pair<TimestampMs, DisputeNumber>> order;
  for (const auto& [number, duty] : duties_) {
    if (duty.dispute) order.emplace_back(duty.dispute->clock.deadline, number);
  }
  std::sort(order.begin(), order.end());
  for (const auto& [deadline, number] : order) go_on(number, duties_.at(number), out);
}

void DutyMachine::go_on(DisputeNumber number, Duty& duty, DutyActions& out) {
  const Dispute& dispute = *duty.dispute;
  const Seat* const seat = disputes::seat_of(dispute, config_.self);
  if (seat == nullptr) return;
  if (duty.record && duty.record->receipt_hash != dispute.receipt_hash) {
    tell(number, duty, "the record on disk is of another dispute; nothing is done", out);
    return;
  }
  switch (seat->state) {
    case SeatState::called:
      if (dispute.phase == Phase::commit) accept(number, duty, *seat, out);
      return;
    case SeatState::accepted:
      if (dispute.phase != Phase::commit) return;
      work(number, duty, out);
      if (duty.record && duty.kept) {
        submit(number, duty, disputes::Commit{number, commitment_of(*duty.record)}, out);
      }
      return;
    case SeatState::committed:
      if (!duty.record) {
        find_again(number, duty, *seat->commitment, out);
      } else if (dispute.phase == Phase::reveal) {
        reveal(number, duty, *seat, out);
      }
      return;
    case SeatState::revealed:
    case SeatState::vacant:
      return;
  }
}

void DutyMachine::accept(DisputeNumber number, Duty& duty, const Seat& seat, DutyActions& out) {
  const TimestampMs until(seat.called_at.value + config_.accept_window.value);
  if (duty.declined || now_ >= until || !duty.submitting.empty()) return;
  if (accepted() >= config_.duties_max) {
    tell(number, duty, "as many duties as this worker takes are under way: left to another", out);
    return;
  }
  submit(number, duty, disputes::Accept{number}, out);
}

// Towards a vote.
void DutyMachine::work(DisputeNumber number, Duty& duty, DutyActions& out) {
  if (duty.record) {
    if (duty.kept || duty.keeping || now_ < duty.retry_at) return;
    duty.keeping = true;
    out.push_back(KeepRecord{*duty.record});
    return;
  }
  const Dispute& dispute = *duty.dispute;
  if (now_ >= moment(dispute, kGiveUp)) {
    tell(number, duty, "the time is nearly over and there is no output", out);
    vote(number, duty, disputes::UnavailableVote{}, out);
    return;
  }
  if (!duty.task) {
    if (duty.reading || now_ < duty.retry_at) return;
    duty.reading = true;
    out.push_back(ReadCase{number});
    return;
  }
  if (duty.has_input) {
    run(number, duty, out);
  } else {
    fetch(number, duty, out);
  }
}

void DutyMachine::fetch(DisputeNumber number, Duty& duty, DutyActions& out) {
  if (duty.fetching) return;
  const Dispute& dispute = *duty.dispute;
  if (duty.fetches_failed >= kFetchesTried && now_ >= moment(dispute, kGiveUpFetching)) {
    tell(number, duty, "the input cannot be fetched from any of its locations", out);
    vote(number, duty, disputes::UnavailableVote{}, out);
    return;
  }
  if (now_ < duty.retry_at || count(&Duty::fetching) >= config_.fetches_max) return;
  const auto& hosted = std::get<disputes::HostedInput>(duty.task->input);
  duty.fetching = true;
  out.push_back(FetchInput{.number = number,
                           .hash = duty.task->receipt.receipt.input_hash,
                           .locations = hosted.locations.items(),
                           .patience = share_of_window(dispute, kFetchPatience)});
}

void DutyMachine::run(DisputeNumber number, Duty& duty, DutyActions& out) {
  if (duty.running || count(&Duty::running) >= config_.runs_max) return;
  duty.running = true;
  out.push_back(RunTask{number, DurationMs(moment(*duty.dispute, kGiveUp).value - now_.value)});
}

// A seat that is committed, and no record of it: with the salt again the same, the vote is found.
void DutyMachine::find_again(DisputeNumber number, Duty& duty, const Hash& commitment,
                             DutyActions& out) {
  const auto same = [&](const Vote& said) {
    return disputes::commitment_of({number, config_.self, said, config_.salt(number)}) ==
           commitment;
  };
  for (const Vote& said : {Vote(disputes::UnavailableVote{}),
                           Vote(disputes::OutputVote{disputes::failed_output_hash()}),
                           Vote(disputes::OutputVote{duty.dispute->output_hash})}) {
    if (same(said)) return vote(number, duty, said, out);
  }
  if (duty.runs_failed > 0 || now_ >= moment(*duty.dispute, kGiveUp)) {
    tell(number, duty, "the commitment on the chain was not made from this folder's records", out);
    return;
  }
  work(number, duty, out);
}

void DutyMachine::reveal(DisputeNumber number, Duty& duty, const Seat& seat, DutyActions& out) {
  if (commitment_of(*duty.record) != seat.commitment) {
    tell(number, duty, "the commitment on the chain is not this folder's: it cannot be revealed",
         out);
    return;
  }
  submit(number, duty, disputes::Reveal{number, duty.record->vote, duty.record->salt}, out);
}

void DutyMachine::vote(DisputeNumber number, Duty& duty, const Vote& said, DutyActions& out) {
  if (duty.record) return;
  duty.record = DutyRecord{.number = number,
                           .verifier = config_.self,
                           .receipt_hash = duty.dispute->receipt_hash,
                           .vote = said,
                           .salt = config_.salt(number)};
  duty.keeping = true;
  out.push_back(KeepRecord{*duty.record});
}

void DutyMachine::submit(DisputeNumber number, Duty& duty, const disputes::Call& call,
                         DutyActions& out) {
  const std::string name(name_of(call));
  if (!duty.submitting.empty() || duty.applied.contains(name) || now_ < duty.retry_at) return;
  duty.submitting = name;
  out.push_back(SubmitCall{number, call});
}

// Says each thing once.
void DutyMachine::tell(DisputeNumber number, Duty& duty, const std::string& text,
                       DutyActions& out) {
  if (duty.told == text) return;
  duty.told = text;
  out.push_back(TellOperator{true, "dispute " + to_decimal(number.value) + ": " + text});
}

}  // namespace tally::worker
