// tally dispute watch: one dispute, from its challenge to its end, event by event.
#include <fmt/format.h>

#include "client-sdk/chain/events.hpp"
#include "primitives/ss58.hpp"
#include "tools/cli/dispute.hpp"
#include "tools/cli/dispute_view.hpp"

namespace tally::cli {

namespace {

// What an event says to people. Deadlines are told as what was left of them in the event's block.
class Sentence {
 public:
  explicit Sentence(TimestampMs chain_time) : now_(chain_time) {}

  std::string operator()(const disputes::Challenged& e) const {
    return fmt::format(
        "challenged by {}: bond {}, and {} of the worker's stake is frozen; a vote "
        "earns {}",
        to_ss58(e.challenger), to_text(e.bond), to_text(e.stake), to_text(e.fee));
  }
  std::string operator()(const disputes::Drawn& e) const {
    std::string who;
    for (const AccountId& verifier : e.verifiers) who += "\n            " + to_ss58(verifier);
    return fmt::format(
        "drawn by the beacon of block {}, to accept within {} and commit within {}:{}",
        e.source.fixed_in.value, left(e.accept_by), left(e.commit_by), who);
  }
  std::string operator()(const disputes::Accepted& e) const {
    return to_ss58(e.verifier) + " accepts; its fine is frozen";
  }
  std::string operator()(const disputes::Replaced& e) const {
    return to_ss58(e.verifier) + " did not accept; " +
           (e.by ? to_ss58(*e.by) + " is called instead" : "nobody is left to call");
  }
  std::string operator()(const disputes::Committed& e) const {
    return to_ss58(e.verifier) + " commits";
  }
  std::string operator()(const disputes::RevealStarted& e) const {
    return "all commitments are in or the time is over: votes are revealed within " +
           left(e.reveal_by);
  }
  std::string operator()(const disputes::Revealed& e) const {
    return to_ss58(e.verifier) + " reveals " + vote_text(e.vote);
  }
  std::string operator()(const disputes::Decided& e) const {
    return outcome_text(e.verdict.outcome) + "; the loser may appeal within " + left(e.appeal_by);
  }
  std::string operator()(const disputes::Appealed& e) const {
    return fmt::format("the {} appeals with a bond of {}", enumerator_name(e.by), to_text(e.bond));
  }
  std::string operator()(const disputes::DeadlineMoved& e) const {
    return "blocks are busy: the phase ends in " + left(e.deadline);
  }
  std::string operator()(const disputes::VerifierPaid& e) const {
    return to_ss58(e.verifier) + " is paid " + to_text(e.amount);
  }
  std::string operator()(const disputes::VerifierFined& e) const {
    return to_ss58(e.verifier) + " is fined " + to_text(e.amount);
  }
  std::string operator()(const disputes::Ended& e) const {
    return fmt::format(
        "ended, {}: {} to verifiers, award {}, burned {}; back to the challenger {}, "
        "to the worker {}",
        enumerator_name(e.verdict.outcome), to_text(e.payouts.fees), to_text(e.payouts.award),
        to_text(e.payouts.burned), to_text(e.payouts.to_challenger), to_text(e.payouts.to_worker));
  }

 private:
  std::string left(TimestampMs deadline) const {
    return duration_text(remaining_ms(deadline, now_));
  }
  TimestampMs now_;
};

// The dispute that an event is about.
DisputeNumber number_of(const disputes::Event& event) {
  return std::visit([](const auto& e) { return e.number; }, event);
}

class Watcher {
 public:
  Watcher(Session& session, client::ChainClient& chain, DisputeNumber number)
      : session_(session), chain_(chain), number_(number) {}

  bool ended() const { return ended_; }

  CliResult<void> take(const client::FollowedBlock& block) {
    const auto records = client::decode_events(block.events.records);
    if (!records.ok()) {
      return fail(
          Fault{Exit::not_proved, "undecodable",
                "the block's events do not decode: is this program older than the runtime?"});
    }
    for (const runtime::EventRecord& record : *records) {
      const auto* ours = std::get_if<runtime::DisputesEvent>(&record.event);
      if (ours == nullptr || number_of(ours->value) != number_) continue;
      tell(block, record, ours->value);
      if (std::holds_alternative<disputes::Ended>(ours->value)) ended_ = true;
    }
    return {};
  }

 private:
  void tell(const client::FollowedBlock& block, const runtime::EventRecord& record,
            const disputes::Event& event) {
    if (session_.options.json) {
      const client::EventView view = client::view_of(record);
      fmt::print("{}\n", Json{{"block", block.head.number.value},
                              {"name", view.name},
                              {"fields", view.fields},
                              {"proved", block.events.proved}}
                             .dump());
    } else {
      fmt::print("{:>8}  {}{}\n", block.head.number.value,
                 std::visit(Sentence(chain_time(block.head)), event),
                 block.events.proved ? "" : " (the node's word)");
    }
    std::fflush(stdout);
  }
  // Of the block's state, or of now where the node no longer keeps it.
  TimestampMs chain_time(const client::FinalHead& head) const {
    const TimestampMs then = ProvedState(chain_, head).chain_time();
    if (then != TimestampMs{}) return then;
    const auto newest = chain_.finalized();
    return newest.ok() ? ProvedState(chain_, *newest).chain_time() : then;
  }

  Session& session_;
  client::ChainClient& chain_;
  DisputeNumber number_;
  bool ended_ = false;
};

}  // namespace

CliResult<void> watch_dispute(Session& session, std::uint64_t number) {
  const DisputeNumber dispute(number);
  BlockNumber from;
  {
    const auto state = TALLY_TRY(ProvedState::newest(session));
    from = TALLY_TRY(find_dispute(*state, dispute)).record.draw.asked_in;
  }
  client::ChainClient* chain = TALLY_TRY(session.client());
  Watcher watcher(session, *chain, dispute);
  std::optional<Fault> fault;
  const auto end =
      chain->follow_unproved(from, session.stop, [&](const client::FollowedBlock& block) {
        const auto taken = watcher.take(block);
        if (!taken.ok()) fault = taken.error();
        return !fault && !watcher.ended();
      });
  session.save_trust();
  if (fault) return fail(*fault);
  if (watcher.ended() || end.ok()) return {};
  return fail(to_fault(end.error()));
}

void add_dispute_watch(CLI::App& dispute, Session& session) {
  auto which = std::make_shared<std::string>();
  CLI::App* watch =
      dispute.add_subcommand("watch", "Follow a dispute from its challenge to its end");
  watch->add_option("number", *which, "the dispute's number")->required();
  watch->footer(
      "A line an event, from final blocks; ends when the dispute is paid out. With --json one "
      "value\n"
      "a line.\nExample:\n  tally dispute watch 0");
  watch->callback([&session, which] {
    session.command = [&session, which]() -> CliResult<void> {
      const DisputeNumber number = TALLY_TRY(dispute_number(*which));
      return watch_dispute(session, number.value);
    };
  });
}

}  // namespace tally::cli
