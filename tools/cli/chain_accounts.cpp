// tally chain accounts: all the money there is, account by account.
#include <fmt/format.h>

#include <algorithm>

#include "modules/credits/api.hpp"
#include "modules/credits/storage.hpp"
#include "modules/system/storage.hpp"
#include "primitives/ss58.hpp"
#include "tools/cli/session.hpp"

namespace tally::cli {

namespace {

struct Holding {
  AccountId account;
  system::AccountData money;
};

// All of one block. Every entry is proved; that none is missing follows when they add up to the
// total issuance, which is proved too.
struct Holdings {
  client::FinalHead head;
  std::vector<Holding> accounts;  // the richest first
  Balance sum;
  Balance issuance;
};

CliResult<Holdings> all_holdings(client::ChainClient& chain) {
  const auto found = TALLY_TRY(or_fault(chain.scan(to_bytes(system::kAccount.prefix))));
  Holdings out;
  out.head = TALLY_TRY(or_fault(chain.finalized()));
  std::vector<Bytes> keys{to_bytes(credits::kTotalIssuance.key())};
  for (const auto& [key, value] : found) keys.push_back(key);
  const auto values = TALLY_TRY(or_fault(chain.read_at(out.head, keys)));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!values[i]) continue;
    if (i == 0) {
      const auto issuance = decode<Balance>(*values[i]);
      if (issuance.ok()) out.issuance = *issuance;
      continue;
    }
    const auto names = system::kAccount.keys_of(keys[i]);
    const auto info = decode<system::AccountInfo>(*values[i]);
    if (!names || !info.ok()) continue;
    out.accounts.push_back({std::get<0>(*names), info->data});
    for (const Balance part : {info->data.free, info->data.reserved}) {
      out.sum = checked_add(out.sum, part).value_or(out.sum);
    }
  }
  std::stable_sort(out.accounts.begin(), out.accounts.end(), [](const auto& a, const auto& b) {
    return a.money.free.micro + a.money.reserved.micro >
           b.money.free.micro + b.money.reserved.micro;
  });
  return out;
}

CliResult<void> show_accounts(Session& session) {
  client::ChainClient* chain = TALLY_TRY(session.client());
  const Holdings all = TALLY_TRY(all_holdings(*chain));
  session.save_trust();
  Json json{{"block", {{"number", all.head.number.value}, {"hash", to_json(all.head.hash)}}},
            {"sum", to_json(all.sum)},
            {"total_issuance", to_json(all.issuance)},
            {"complete", all.sum == all.issuance},
            {"accounts", Json::array()}};
  Table table{{"account", "free", "held", "total"}, {}};
  for (const Holding& holding : all.accounts) {
    const auto& money = holding.money;
    const Balance total = checked_add(money.free, money.reserved).value_or(money.free);
    json["accounts"].push_back(
        {{"account", to_json(holding.account)},
         {"free", to_json(money.free)},
         {"reserved", to_json(money.reserved)},
         {"total", to_json(total)},
         {"reward_pool", holding.account == credits::reward_pool_account()}});
    table.rows.push_back(
        {to_ss58(holding.account) +
             (holding.account == credits::reward_pool_account() ? " (reward pool)" : ""),
         to_text(money.free), to_text(money.reserved), to_text(total)});
  }
  session.show(json, table);
  session.say(fmt::format(
      "\n{} accounts at block {}: {}, and {} were issued{}", all.accounts.size(),
      all.head.number.value, to_text(all.sum), to_text(all.issuance),
      all.sum == all.issuance ? ""
                              : ": the node did not tell of every account, ask again or another"));
  return {};
}

}  // namespace

void add_chain_accounts(CLI::App& chain, Session& session) {
  CLI::App* accounts = chain.add_subcommand(
      "accounts", "Every account with its proved balances; they add up to what was issued");
  accounts->footer("Examples:\n  tally chain accounts\n  tally chain accounts --json");
  accounts->callback(
      [&session] { session.command = [&session] { return show_accounts(session); }; });
}

}  // namespace tally::cli
