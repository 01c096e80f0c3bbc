#include "genesis/live.hpp"

#include <algorithm>

#include "genesis/dev_keys.hpp"

namespace tally::genesis {
namespace {

constexpr std::uint64_t kDayMs = 24 * 3'600'000;

std::string in_days(DurationMs time) {
  if (time.value < kDayMs) return std::to_string(time.value / 1'000) + " s";
  return std::to_string(time.value / kDayMs) + " days";
}

}  // namespace

std::vector<std::string> unfit_for_live(const ChainSpec& spec) {
  std::vector<std::string> out;
  if (spec.chain_type != "Live") return out;
  for (const std::string_view name : kDevNames) {
    std::string where;
    const auto look = [&](bool found, std::string_view field) {
      if (!found || where.find(field) != std::string::npos) return;
      where += (where.empty() ? "" : ", ") + std::string(field);
    };
    for (const KeyScheme scheme : {KeyScheme::ecdsa, KeyScheme::ed25519}) {
      const AccountId account = dev_key(scheme, name).account();
      const auto is_it = [&](const auto& one) { return one.account == account; };
      const auto& council = spec.council.members;
      look(std::any_of(spec.accounts.begin(), spec.accounts.end(), is_it), "accounts");
      look(std::any_of(spec.validators.begin(), spec.validators.end(), is_it), "validators");
      look(std::count(council.begin(), council.end(), account) > 0, "council");
      look(std::count(spec.attesters.begin(), spec.attesters.end(), account) > 0, "attesters");
    }
    const Validator known = dev_validator(name, 1);
    look(std::any_of(spec.validators.begin(), spec.validators.end(),
                     [&](const Validator& one) {
                       return one.consensus_key == known.consensus_key ||
                              one.vrf_key == known.vrf_key;
                     }),
         "validators");
    if (!where.empty())
      out.push_back("everybody has the key of //" + std::string(name) + ": " + where);
  }
  if (spec.bench_accounts.count > 0) out.push_back("everybody has the keys of bench_accounts");
  const auto short_of = [&](std::string_view field, DurationMs time, DurationMs least) {
    if (time >= least) return;
    out.push_back(std::string(field) + " is " + in_days(time) + "; a live chain wants " +
                  in_days(least));
  };
  const auto week = DurationMs(7 * kDayMs);
  short_of("consensus.unbonding", spec.consensus.unbonding, week);
  short_of("workers.unbonding", spec.workers.unbonding, week);
  short_of("disputes.window", spec.disputes.window, disputes::main_config().window);
  short_of("channels.period_min", spec.channels.period_min, channels::main_config().period_min);
  return out;
}

}  // namespace tally::genesis
