// tally verify: a disputed task done again by hand, and the vote of a verifier that was drawn.
#include <fmt/format.h>
#include <unistd.h>

#include <thread>

#include "client-sdk/chain/calls.hpp"
#include "client-sdk/content/fetch.hpp"
#include "modules/disputes/ballot.hpp"
#include "primitives/ss58.hpp"
#include "tools/cli/dispute_view.hpp"
#include "worker/duty/duty.hpp"
#include "worker/sandbox/child.hpp"
#include "worker/sandbox/pool.hpp"

namespace tally::cli {

namespace {

using disputes::Phase;
using disputes::SeatState;
using std::chrono::milliseconds;

constexpr std::uint64_t kTaskMemory = std::uint64_t{256} << 20;
constexpr milliseconds kTaskTime{600'000};
constexpr milliseconds kLook{500};

struct VerifyOptions {
  std::string number;
  std::string as;
  bool unavailable = false;
};

CliResult<Bytes> input_of(Session& session, const disputes::Case& task) {
  if (const auto* bytes = std::get_if<disputes::InlineInput>(&task.input)) return bytes->bytes;
  const auto& hosted = std::get<disputes::HostedInput>(task.input);
  session.progress("fetching the input");
  auto fetched = content::fetch_content(
      {.hash = task.receipt.receipt.input_hash, .locations = hosted.locations.items()},
      session.stop);
  if (fetched.ok()) return *std::move(fetched);
  return fail(Fault{
      Exit::unreachable, "unavailable",
      fetched.error().message + "; if that stays so, `--unavailable` votes that it cannot be had"});
}

// In a sandbox: the task is a stranger's.
CliResult<executors::TaskResult> do_again(const disputes::Case& task, const Bytes& input) {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  sandbox::PoolConfig config{.command = {program.string()}, .slots = 1, .spare = 1};
  for (auto& argument : sandbox::child_arguments({.memory_bytes = kTaskMemory})) {
    config.command.push_back(argument);
  }
  auto pool = sandbox::Pool::start(config);
  if (!pool.ok()) return fail(Fault{Exit::failure, "sandbox", pool.error().message});
  const std::atomic<bool> never{false};
  return (*pool)->run(
      {}, {.id = 1, .type = task.receipt.receipt.type, .spec = task.spec, .input = input},
      {.cpu = std::chrono::duration_cast<std::chrono::seconds>(kTaskTime),
       .wall = kTaskTime,
       .output_bytes = std::uint64_t{10} << 20},
      never);
}

// What an honest verifier says; a Fault where this machine cannot tell.
CliResult<disputes::Vote> find_vote(Session& session, const disputes::Case& task) {
  const Bytes input = TALLY_TRY(input_of(session, task));
  session.progress("doing the task again, in a sandbox");
  const executors::TaskResult result = TALLY_TRY(do_again(task, input));
  if (result.ok()) return disputes::Vote(disputes::OutputVote{result->hash});
  switch (result.error().reason) {
    case task::FailureReason::bad_spec:
    case task::FailureReason::bad_input:
    case task::FailureReason::unsupported:
    case task::FailureReason::bad_module:
    case task::FailureReason::trapped:
    case task::FailureReason::out_of_fuel:
      return disputes::Vote(disputes::OutputVote{disputes::failed_output_hash()});
    case task::FailureReason::out_of_memory:
    case task::FailureReason::cpu_time:
    case task::FailureReason::wall_time:
    case task::FailureReason::crashed:
    case task::FailureReason::violation:
    case task::FailureReason::bad_answer:
    case task::FailureReason::cancelled:
      break;
  }
  return fail(Fault{Exit::failure, std::string(enumerator_name(result.error().reason)),
                    "this machine could not do the task again: " + result.error().message});
}

bool is_the_workers(const disputes::Dispute& dispute, const disputes::Vote& vote) {
  const auto* output = std::get_if<disputes::OutputVote>(&vote);
  return output != nullptr && output->output_hash == dispute.output_hash;
}

// The next call of a verifier with this vote; nothing when it has to wait. A seat that needs no
// more is done.
struct Step {
  std::optional<disputes::Call> call;
  std::string what;
  bool done = false;
};

Step next_step(const DisputeView& dispute, const KeyPair& key, const disputes::Ballot& ballot) {
  const disputes::Dispute& record = dispute.record;
  const disputes::Seat* seat = disputes::seat_of(record, key.account());
  if (seat == nullptr || seat->state == SeatState::revealed || record.phase == Phase::ended) {
    return {std::nullopt, "", true};
  }
  if (record.phase == Phase::commit && seat->state == SeatState::called) {
    return {disputes::Call(disputes::Accept{dispute.number}), "accepting"};
  }
  if (record.phase == Phase::commit && seat->state == SeatState::accepted) {
    return {disputes::Call(disputes::Commit{dispute.number, disputes::commitment_of(ballot)}),
            "committing"};
  }
  if (record.phase == Phase::reveal && seat->state == SeatState::committed) {
    return {disputes::Call(disputes::Reveal{dispute.number, ballot.vote, ballot.salt}),
            "revealing"};
  }
  return {std::nullopt, "waiting: " + phase_text(dispute)};
}

// Accepts, commits and reveals, as the phases come. The salt follows from the key and the dispute,
// so that stopping and starting again changes nothing, and a tally-worker of the same account
// commits to the same.
CliResult<DisputeView> cast(Session& session, const KeyPair& key, DisputeNumber number,
                            const disputes::Vote& vote) {
  client::ChainClient* chain = TALLY_TRY(session.client());
  const disputes::Ballot ballot{number, key.account(), vote,
                                worker::salt_of(key, chain->root().genesis_hash, number)};
  std::string told;
  while (!session.stop.stop_requested()) {
    const auto state = TALLY_TRY(ProvedState::newest(session));
    DisputeView dispute = TALLY_TRY(find_dispute(*state, number));
    const Step step = next_step(dispute, key, ballot);
    if (step.done) return dispute;
    if (step.what != told && !(told.starts_with("waiting") && step.what.starts_with("waiting"))) {
      session.progress(step.what);
      told = step.what;
    }
    if (step.call) {
      static_cast<void>(TALLY_TRY(session.submit(key, client::call_bytes(*step.call))));
    } else {
      std::this_thread::sleep_for(kLook);
    }
  }
  return fail(Fault{Exit::interrupted, "interrupted",
                    "stopped before the vote was revealed: run it again, or the fine is lost"});
}

CliResult<void> verify(Session& session, const VerifyOptions& options) {
  const DisputeNumber number = TALLY_TRY(dispute_number(options.number));
  std::optional<KeyPair> key;
  if (!options.as.empty()) key = TALLY_TRY(session.signer(options.as));
  const auto state = TALLY_TRY(ProvedState::newest(session));
  DisputeView dispute = TALLY_TRY(find_dispute(*state, number));
  if (!dispute.task) {
    return fail(Fault{Exit::not_found, "ended",
                      "the dispute has ended, and what was disputed is no longer in the state"});
  }
  if (key && disputes::seat_of(dispute.record, key->account()) == nullptr) {
    return fail(Fault{Exit::refused, "not_drawn",
                      to_ss58(key->account()) + " is not drawn for this round of dispute " +
                          options.number + "; without --as the task is only done again"});
  }
  const disputes::Vote vote = options.unavailable ? disputes::Vote(disputes::UnavailableVote{})
                                                  : TALLY_TRY(find_vote(session, *dispute.task));
  const bool agrees = is_the_workers(dispute.record, vote);
  if (key) dispute = TALLY_TRY(cast(session, *key, number, vote));
  Json json{{"number", number.value},
            {"vote", to_json(vote)},
            {"workers_output", to_json(dispute.record.output_hash)},
            {"agrees", agrees},
            {"voted", key.has_value()},
            {"dispute", dispute_json(dispute)}};
  session.show(json,
               Sheet{{"dispute", options.number},
                     {"this machine gets", vote_text(vote)},
                     {"the worker signed", to_hex_prefixed(dispute.record.output_hash)},
                     {"so the worker is", agrees ? "right" : "wrong, or the input is missing"},
                     {"voted", key ? "yes" : "no: --as votes, if you are drawn"},
                     {"phase", phase_text(dispute)}});
  return {};
}

}  // namespace

void add_verify(CLI::App& app, Session& session) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* command =
      app.add_subcommand("verify", "Do a disputed task again by hand, and vote if you are drawn");
  command->add_option("number", options->number, "the dispute's number")->required();
  command->add_option("--as", options->as,
                      "the drawn verifier's account: accept, commit and reveal; without it nothing "
                      "is sent");
  command->add_flag("--unavailable", options->unavailable,
                    "vote that the input cannot be fetched, without trying");
  command->footer(
      "A registered tally-worker does this by itself. By hand: the task runs in a sandbox here, "
      "the\n"
      "vote is committed, and revealed when its time comes: stay until it says so.\n"
      "Examples:\n  tally verify 0\n  tally verify 0 --as //Verifier1");
  command->callback([&session, options] {
    session.command = [&session, options] { return verify(session, *options); };
  });
}

}  // namespace tally::cli
