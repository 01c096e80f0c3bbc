#include "tools/cli/hints.hpp"

#include <array>
#include <string_view>

namespace tally::cli {

namespace {

struct Hint {
  std::string_view code;
  std::string_view text;
};

constexpr std::array kHints{
    Hint{"Workers.unknown_worker", "nobody registered by that account: see `tally worker list`"},
    Hint{"Workers.not_registered", "the worker has left: `tally worker register` begins again"},
    Hint{"Workers.already_registered", "`tally worker update` changes what is registered"},
    Hint{"Workers.banned", "`tally worker show` says for how long"},
    Hint{"Workers.own_stake", "a worker raises its own stake with `tally stake`"},
    Hint{"Workers.stake_too_small", "a minimum stays: `tally worker deregister` takes all back"},
    Hint{"Workers.no_delegation", "this account has delegated nothing to that worker"},
    Hint{"Workers.not_that_much", "`tally worker show` says how much is bonded"},
    Hint{"Workers.delegation_small", "take all of it back, or leave at least the minimum"},
    Hint{"Workers.too_many_unbonding", "`tally withdraw` what is due, or wait for the first part"},
    Hint{"Workers.heartbeat_too_early", "one an interval counts, and this one's was there"},
    Hint{"Workers.nothing_to_withdraw", "`tally worker show` says when a part is due"},
    Hint{"Disputes.unknown_dispute", "`tally dispute list` shows those that the state knows"},
    Hint{"Disputes.wrong_phase", "`tally dispute show` says which phase it is in"},
    Hint{"Disputes.not_drawn", "only a verifier that was drawn for this round may"},
    Hint{"Disputes.deadline_passed", "the phase's time is over"},
    Hint{"Disputes.banned", "a banned worker verifies nothing"},
    Hint{"Disputes.stake_too_small", "`tally stake` adds to what is not frozen"},
    Hint{"Disputes.not_the_loser", "only the side that lost may appeal"},
    Hint{"Disputes.already_appealed", "the panel's verdict is final"},
    Hint{"StorageRegistry.unknown_checkpoint", "`tally checkpoint list` shows those that are live"},
    Hint{"StorageRegistry.unknown_parent", "--parent names a live checkpoint of your own"},
    Hint{"StorageRegistry.too_many_checkpoints", "`tally checkpoint remove` makes room"},
    Hint{"Validators.unknown_validator", "`tally validator bond --keys …` begins"},
    Hint{"Validators.already_bonded", "raise the bond without --keys"},
    Hint{"Validators.not_out", "only a validator that was down rejoins"},
    Hint{"Validators.own_stake", "a validator raises its own stake with `tally validator bond`"},
    Hint{"Validators.bond_too_small",
         "a bond is the minimum at least, or nothing: raise it, or take all of it back"},
    Hint{"Validators.nothing_to_withdraw", "nothing is due yet: `tally validator show` says when"},
    Hint{"Validators.too_late", "the bonds of that epoch are no longer bound"},
    Hint{"Validators.already_reported",
         "this offence was proved already; nothing more comes of it"},
    Hint{"Validators.nothing_bound",
         "what the validator had bonded in that epoch is gone, by a conviction or by a withdrawal"},
    Hint{"Validators.not_a_conflict", "an honest validator may sign both"},
    Hint{"Validators.unknown_signer", "the set of that epoch has no such member"},
    Hint{"Validators.bad_signature", "no validator of this chain signed one of the votes"},
    Hint{"Validators.epoch_not_begun", "the votes are of an epoch that is still to come"},
    Hint{"Validators.last_validator", "the chain keeps its last validator"},
    Hint{"Validators.key_in_use", "one validator has these keys, or a convicted one had"},
    Hint{"Validators.not_bonded", "a validator that leaves takes no delegations"},
    Hint{"Validators.no_delegation", "this account has delegated nothing to that validator"},
    Hint{"Validators.not_that_much", "`tally validator show` says how much is bonded"},
    Hint{"Validators.delegation_small", "take all of it back, or leave at least the minimum"},
    Hint{"Validators.too_many_unbonding",
         "`tally validator withdraw` what is due, or wait for the first part"},
};

}  // namespace

std::string hint_for(const std::string& code) {
  for (const Hint& hint : kHints) {
    if (hint.code == code) return std::string(hint.text);
  }
  return {};
}

}  // namespace tally::cli
