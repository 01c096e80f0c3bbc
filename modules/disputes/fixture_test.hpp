// What the module's tests share: Alice hires Wendy, and a dozen verifiers look on.
#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "modules/channels/signing.hpp"
#include "modules/disputes/draw.hpp"
#include "modules/disputes/payout.hpp"
#include "primitives/crypto/hash.hpp"
#include "tests/dispute_sim/chain.hpp"

namespace tally::disputes {

using dispute_sim::account_of;
using dispute_sim::key_of;
using dispute_sim::TestChain;

inline std::string text_of(const DispatchResult& result) {
  if (result.ok()) return "applied";
  if (const auto* module = std::get_if<ErrorModule>(&result.error().kind)) {
    const auto index = static_cast<ModuleIndex>(module->index);
    if (index == ModuleIndex::disputes) {
      return std::string(enumerator_name(static_cast<Error>(module->error[0])));
    }
    return std::string(module_name(index)) + "." + std::to_string(module->error[0]);
  }
  return "other";
}

constexpr Balance cc(std::uint64_t credits) {
  return Balance(u128{credits} * kCredit.micro);
}

inline std::string verifier_name(std::size_t i) {
  return "verifier " + std::to_string(i);
}

inline Hash output(std::string_view what) {
  return blake2_256(as_bytes(what));
}
inline Vote vote_for(std::string_view what) {
  return OutputVote{output(what)};
}

struct WorldOptions {
  std::size_t verifiers = 12;
  Balance worker_stake = cc(100);
  Config config = local_config();
  std::uint32_t check_every = 1;
};

struct World {
  explicit World(const WorldOptions& options = {}) : chain(chain_options(options)) {
    chain.add_worker(wendy, options.worker_stake);
    for (std::size_t i = 0; i < options.verifiers; ++i) {
      chain.add_worker(account_of(verifier_name(i)), cc(100));
    }
    chain.next_block(DurationMs(10'000));
  }

  static dispute_sim::TestChainOptions chain_options(const WorldOptions& options) {
    dispute_sim::TestChainOptions out;
    out.disputes = options.config;
    out.check_every = options.check_every;
    for (const char* name : {"alice", "wendy", "eve", "bob"}) {
      out.accounts[account_of(name)] = cc(100'000);
    }
    for (std::size_t i = 0; i < options.verifiers; ++i) {
      out.accounts[account_of(verifier_name(i))] = cc(1'000);
    }
    return out;
  }

  // Wendy's receipt for Alice: she says that the output is `said`.
  task::Receipt receipt(std::string_view said = "right") {
    task::Receipt out;
    out.genesis_hash = chain.block.genesis_hash;
    out.worker = wendy;
    out.requester = alice;
    out.channel_id =
        channels::channel_id_of({chain.block.genesis_hash, alice, wendy, 3, DurationMs(10'000)});
    out.task_id = ++tasks;
    out.type = task::TaskType::prime_calculation;
    out.environment = task::executor_environment();
    out.spec_hash = blake2_256(spec);
    out.input_hash = blake2_256(ByteView{});
    out.output_hash = output(said);
    out.price = kMilliCredit;
    out.metered_units = 1'000'000;
    out.started_ms = TimestampMs(chain.block.header_time.value - 2'000);
    out.finished_ms = TimestampMs(chain.block.header_time.value - 1'000);
    return out;
  }
  Challenge challenge_of(const task::Receipt& receipt) const {
    Challenge call;
    call.receipt = task::sign_receipt(key_of("wendy"), receipt);
    call.channel = {false, 3, DurationMs(10'000)};
    call.spec = spec;
    call.input = InlineInput{};
    call.reason = "a spot check found another output";
    return call;
  }
  static Challenge hosted(Challenge call) {
    HostedInput input;
    TALLY_ASSERT(input.locations.push_back("127.0.0.1:9951"));
    call.input = input;
    return call;
  }
  std::string run(const AccountId& who, const Call& call) { return text_of(chain.call(who, call)); }

  DisputeNumber open(const Challenge& call) {
    const DisputeNumber number = kNext.get(chain.state());
    REQUIRE(run(alice, call) == "applied");
    return number;
  }
  DisputeNumber open(std::string_view said) { return open(challenge_of(receipt(said))); }

  Dispute dispute(DisputeNumber number) const { return *chain.dispute(number); }
  Phase phase(DisputeNumber number) const { return dispute(number).phase; }
  // Whoever the running round waits for, in the order of the draw.
  std::vector<AccountId> seated(DisputeNumber number) const {
    std::vector<AccountId> out;
    const Dispute now = dispute(number);
    for (const Seat& seat : now.seats) {
      if (seat.round == now.round && seat.state != SeatState::vacant) out.push_back(seat.verifier);
    }
    return out;
  }
  // Blocks until the draw is made.
  void draw() { chain.pass(DurationMs(200), DurationMs(100)); }

  static Salt salt_of(const AccountId& verifier) { return blake2_256(verifier.view()).bytes; }
  std::string accept(DisputeNumber number, const AccountId& who) {
    return run(who, Accept{number});
  }
  std::string commit(DisputeNumber number, const AccountId& who, const Vote& vote) {
    return run(who, Commit{number, commitment_of({number, who, vote, salt_of(who)})});
  }
  std::string reveal(DisputeNumber number, const AccountId& who, const Vote& vote) {
    return run(who, Reveal{number, vote, salt_of(who)});
  }
  // One vote for each seat of the round that runs, in the order of the draw; nothing: it accepts
  // and stays silent. Ends when the round's votes are counted.
  using Votes = std::vector<std::optional<Vote>>;
  void vote(DisputeNumber number, const Votes& votes) {
    const auto verifiers = seated(number);
    REQUIRE(verifiers.size() == votes.size());
    for (std::size_t i = 0; i < votes.size(); ++i) {
      REQUIRE(accept(number, verifiers[i]) == "applied");
      if (votes[i]) REQUIRE(commit(number, verifiers[i], *votes[i]) == "applied");
    }
    pass_phase(number);
    if (phase(number) != Phase::reveal) return;  // all silent
    for (std::size_t i = 0; i < votes.size(); ++i) {
      if (votes[i]) REQUIRE(reveal(number, verifiers[i], *votes[i]) == "applied");
    }
    pass_phase(number);
  }
  // Blocks until the phase that the dispute is in is over.
  void pass_phase(DisputeNumber number) {
    const Dispute before = dispute(number);
    Dispute now = before;
    for (int i = 0; i < 10'000 && now.phase == before.phase && now.round == before.round; ++i) {
      chain.next_block();
      now = dispute(number);
    }
  }
  // Lets the time for an appeal pass.
  void end() { chain.pass(DurationMs(chain.config().window.value + 1'000)); }

  Bytes spec{1, 2, 3};
  AccountId alice = account_of("alice");
  AccountId wendy = account_of("wendy");
  AccountId eve = account_of("eve");
  AccountId bob = account_of("bob");
  TestChain chain;
  std::uint64_t tasks = 0;
};

// Who owns what, to compare before and after.
struct Wealth {
  explicit Wealth(const TestChain& chain, std::size_t verifiers = 12) : chain_(&chain) {
    for (const char* name : {"alice", "wendy", "eve", "bob"}) note(account_of(name));
    for (std::size_t i = 0; i < verifiers; ++i) note(account_of(verifier_name(i)));
    pool = chain.reward_pool();
    issuance = chain.issuance();
  }
  void note(const AccountId& account) { before[account] = chain_->wealth(account); }
  // In µCC.
  long long gain(const AccountId& account) const {
    return static_cast<long long>(static_cast<i128>(chain_->wealth(account).micro) -
                                  static_cast<i128>(before.at(account).micro));
  }
  long long burned() const {
    return static_cast<long long>(issuance.micro - chain_->issuance().micro);
  }
  long long from_pool() const {
    return static_cast<long long>(static_cast<i128>(pool.micro) -
                                  static_cast<i128>(chain_->reward_pool().micro));
  }

  std::map<AccountId, Balance> before;
  Balance pool;
  Balance issuance;

 private:
  const TestChain* chain_;
};

}  // namespace tally::disputes
