// tally stake, unstake, delegate, undelegate, withdraw: money that stands behind a worker.
#include <fmt/format.h>

#include "client-sdk/chain/calls.hpp"
#include "client-sdk/chain/events.hpp"
#include "primitives/ss58.hpp"
#include "tools/cli/worker_view.hpp"

namespace tally::cli {

namespace {

struct StakeOptions {
  std::string as;
  std::string worker;
  std::string value;
};

// A call of the workers module, submitted; the outcome and what the chain then knows of the worker.
struct Done {
  client::TxOutcome outcome;
  std::unique_ptr<ProvedState> state;
  WorkerView worker;
};

CliResult<Done> carry_out(Session& session, const KeyPair& key, const AccountId& worker,
                          const workers::Call& call) {
  auto outcome = TALLY_TRY(session.submit(key, client::call_bytes(call)));
  auto state = TALLY_TRY(ProvedState::newest(session));
  auto view = TALLY_TRY(worker_in_full(*state, worker));
  return Done{std::move(outcome), std::move(state), std::move(view)};
}

template <class Event>
std::optional<Event> event_of(const Done& done) {
  const auto records = client::decode_events(done.outcome.events.records);
  if (!records.ok()) return std::nullopt;
  return client::find_event<Event>(*records, done.outcome.at.index);
}

void show(const Session& session, const Done& done, Json json, Sheet sheet) {
  Json out = outcome_json(done.outcome);
  out.update(json);
  out["worker"] = worker_json(done.worker, *done.state);
  const workers::Worker& record = done.worker.record;
  sheet.insert(sheet.end(), {{"own stake", to_text(record.bonded)},
                             {"delegated to it", to_text(record.delegated)},
                             {"covers new tasks for", to_text(record.cover())},
                             {"fee", to_text(fee_of(done.outcome))}});
  session.show(out, sheet);
}

CliResult<void> stake(Session& session, const StakeOptions& options) {
  const Balance value = TALLY_TRY(amount(options.value));
  const KeyPair key = TALLY_TRY(session.signer(options.as));
  const auto done =
      TALLY_TRY(carry_out(session, key, key.account(), workers::TopUp{Compact<Balance>{value}}));
  show(session, done, {{"staked", to_json(value)}},
       {{"worker", to_ss58(key.account())}, {"added", to_text(value)}});
  return {};
}

CliResult<void> delegate(Session& session, const StakeOptions& options) {
  const Balance value = TALLY_TRY(amount(options.value));
  const AccountId worker = TALLY_TRY(session.account(options.worker));
  const KeyPair key = TALLY_TRY(session.signer(options.as));
  const auto done = TALLY_TRY(
      carry_out(session, key, worker, workers::Delegate{worker, Compact<Balance>{value}}));
  show(session, done, {{"delegated", to_json(value)}, {"delegator", to_json(key.account())}},
       {{"worker", to_ss58(worker)}, {"delegated now", to_text(value)}});
  return {};
}

// unstake and undelegate: both begin to unbond.
CliResult<void> take_back(Session& session, const KeyPair& key, const AccountId& worker,
                          const workers::Call& call) {
  const auto done = TALLY_TRY(carry_out(session, key, worker, call));
  const auto began = event_of<workers::StakeUnbonding>(done);
  if (!began) {
    return fail(Fault{Exit::not_proved, "no_event",
                      "the block's events do not say what began to unbond; `tally worker show` "
                      "does"});
  }
  const TimestampMs now = done.state->chain_time();
  show(session, done,
       {{"unbonding", to_json(began->amount)},
        {"by", to_json(began->by)},
        {"unlocks_at_ms", began->until.value},
        {"remaining_ms", remaining_ms(began->until, now)}},
       {{"worker", to_ss58(worker)},
        {"unbonding", to_text(began->amount)},
        {"unlocks", until_text(began->until, now) +
                        " of chain time; until then a slash or a dispute can still reach it"},
        {"then", "`tally withdraw` pays it out"}});
  return {};
}

CliResult<void> unstake(Session& session, const StakeOptions& options) {
  const Balance value = TALLY_TRY(amount(options.value));
  const KeyPair key = TALLY_TRY(session.signer(options.as));
  return take_back(session, key, key.account(), workers::Unstake{Compact<Balance>{value}});
}

CliResult<void> undelegate(Session& session, const StakeOptions& options) {
  const Balance value = TALLY_TRY(amount(options.value));
  const AccountId worker = TALLY_TRY(session.account(options.worker));
  const KeyPair key = TALLY_TRY(session.signer(options.as));
  return take_back(session, key, worker, workers::Undelegate{worker, Compact<Balance>{value}});
}

CliResult<void> withdraw(Session& session, const StakeOptions& options) {
  const KeyPair key = TALLY_TRY(session.signer(options.as));
  const AccountId worker =
      options.worker.empty() ? key.account() : TALLY_TRY(session.account(options.worker));
  const auto done = TALLY_TRY(carry_out(session, key, worker, workers::Withdraw{worker}));
  const auto paid = event_of<workers::StakeWithdrawn>(done);
  const auto reward = event_of<workers::RewardPaid>(done);
  const Balance stake = paid ? paid->amount : Balance{};
  const Balance rewards = reward ? reward->paid : Balance{};
  show(session, done, {{"withdrawn", to_json(stake)}, {"rewards", to_json(rewards)}},
       {{"worker", to_ss58(worker)},
        {"withdrawn", to_text(stake)},
        {"vested rewards", to_text(rewards)}});
  return {};
}

using Action = CliResult<void> (*)(Session&, const StakeOptions&);

void attach(CLI::App& command, Session& session, const std::shared_ptr<StakeOptions>& options,
            Action action) {
  command.add_option("--as", options->as, "your account: a name of your wallet, or //Ferdie")
      ->required();
  command.callback([&session, options, action] {
    session.command = [&session, options, action] { return action(session, *options); };
  });
}

void add_own(CLI::App& app, Session& session) {
  auto up = std::make_shared<StakeOptions>();
  CLI::App* stakes = app.add_subcommand("stake", "A worker adds to its own stake");
  stakes->add_option("amount", up->value, "50CC")->required();
  attach(*stakes, session, up, stake);
  stakes->footer(
      "A worker's own stake pays the bonds of disputes, and covers the tasks that it takes.\n"
      "`tally worker register` begins with a first stake.\nExample:\n  tally stake --as me 50CC");

  auto down = std::make_shared<StakeOptions>();
  CLI::App* unstakes = app.add_subcommand("unstake", "A worker begins to take stake back");
  unstakes->add_option("amount", down->value, "50CC")->required();
  attach(*unstakes, session, down, unstake);
  unstakes->footer(
      "It covers no new task from now on, unbonds for a time that is shown, and can be slashed\n"
      "until then; what a dispute has frozen stays. The minimum stays too: `tally worker\n"
      "deregister` takes all of it back.\nExample:\n  tally unstake --as me 20CC");
}

}  // namespace

void add_stake(CLI::App& app, Session& session) {
  add_own(app, session);
  auto to = std::make_shared<StakeOptions>();
  CLI::App* delegates = app.add_subcommand("delegate", "Stand in for a worker with your credits");
  delegates->add_option("amount", to->value, "50CC")->required();
  delegates->add_option("--to", to->worker, "the worker: address, name or //Ferdie")->required();
  attach(*delegates, session, to, delegate);
  delegates->footer(
      "Delegated stake raises the worker's rank and its chance to be drawn as a verifier. It "
      "shares\n"
      "the worker's slashes, and nothing else touches it.\nExample:\n"
      "  tally delegate --as me --to //Ferdie 50CC");

  auto back = std::make_shared<StakeOptions>();
  CLI::App* undelegates = app.add_subcommand("undelegate", "Begin to take a delegation back");
  undelegates->add_option("amount", back->value, "50CC")->required();
  undelegates->add_option("--from", back->worker, "the worker")->required();
  attach(*undelegates, session, back, undelegate);
  undelegates->footer(
      "It unbonds for a time that is shown, and shares the worker's slashes until then.\nExample:\n"
      "  tally undelegate --as me --from //Ferdie 20CC");

  auto out = std::make_shared<StakeOptions>();
  CLI::App* withdraws =
      app.add_subcommand("withdraw", "Get back stake that has unbonded, and vested rewards");
  withdraws->add_option("--worker", out->worker,
                        "whom you delegated to (default: you are the worker yourself)");
  attach(*withdraws, session, out, withdraw);
  withdraws->footer(
      "Examples:\n  tally withdraw --as me\n  tally withdraw --as me --worker //Ferdie");
}

}  // namespace tally::cli
