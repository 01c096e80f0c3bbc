// tally channel backup, restore: for the day the disk dies.
#include <fmt/format.h>

#include <ctime>

#include "client-sdk/chain/trust_root.hpp"
#include "client-sdk/channel/backup.hpp"
#include "client-sdk/channel/journal_records.hpp"
#include "primitives/ss58.hpp"
#include "tools/cli/channels.hpp"

namespace tally::cli {

namespace {

CliResult<Hash> genesis_of(Session& session) {
  const genesis::ChainSpec* spec = TALLY_TRY(session.spec());
  return client::trust_root(*spec).genesis_hash;
}

CliResult<channel::Journal> open_journal(Session& session, const ChannelOptions& options) {
  const AccountId account = TALLY_TRY(session.account(options.as));
  auto file = channel::open_journal_file(journal_folder(session, options, account));
  if (!file.ok()) return fail(file_fault(file.error()));
  auto journal = channel::Journal::open(*std::move(file));
  if (!journal.ok()) return fail(file_fault(journal.error()));
  const auto bound = channel::genesis_hash(*journal);
  const Hash genesis = TALLY_TRY(genesis_of(session));
  if (!bound || *bound == genesis) return *std::move(journal);
  return fail(Fault{Exit::not_proved, "wrong_chain",
                    "the channels in " + journal_folder(session, options, account).string() +
                        " are of the chain with genesis " + to_hex_prefixed(*bound) +
                        ", and this is the chain with genesis " + to_hex_prefixed(genesis) +
                        ": name that chain with --chain, or another --folder for this one's"});
}

CliResult<channel::Backup> open_file(Session& session, const ChannelOptions& options) {
  const std::string password = TALLY_TRY(session.password("Password of the backup"));
  auto backup = channel::read_backup(options.file, password);
  if (!backup.ok()) return fail(key_fault(backup.error()));
  const Hash genesis = TALLY_TRY(genesis_of(session));
  if (backup->genesis_hash == genesis) return *std::move(backup);
  return fail(Fault{Exit::not_proved, "wrong_chain",
                    "the backup is of the chain with genesis " +
                        to_hex_prefixed(backup->genesis_hash) + ", expected " +
                        to_hex_prefixed(genesis) + ": name the chain with --chain"});
}

void show_backup(Session& session, const channel::Backup& backup) {
  Json list = Json::array();
  Table table{{"channel", "stage", "version", "mine", "peer", "signatures"}, {}};
  for (const channel::Recoverable& found : channel::verify_backup(backup)) {
    list.push_back({{"channel_id", to_json(found.channel_id)},
                    {"peer", to_json(found.peer)},
                    {"stage", std::string(enumerator_name(found.stage))},
                    {"version", found.newest.value},
                    {"mine", to_json(found.mine)},
                    {"peers", to_json(found.theirs)},
                    {"signatures_valid", found.signatures_valid}});
    table.rows.push_back({to_hex_prefixed(found.channel_id),
                          std::string(enumerator_name(found.stage)),
                          std::to_string(found.newest.value), to_text(found.mine),
                          to_ss58(found.peer), found.signatures_valid ? "hold" : "broken"});
  }
  session.show(Json{{"made_at_ms", backup.made_at.value}, {"channels", list}}, table);
}

CliResult<void> backup(Session& session, const ChannelOptions& options) {
  if (options.alone) {
    const channel::Backup file = TALLY_TRY(open_file(session, options));
    show_backup(session, file);
    return {};
  }
  const channel::Journal journal = TALLY_TRY(open_journal(session, options));
  const std::string password = TALLY_TRY(session.password("Password for the backup", true));
  channel::Backup made;
  made.genesis_hash = TALLY_TRY(genesis_of(session));
  made.made_at = TimestampMs(static_cast<std::uint64_t>(std::time(nullptr)) * 1'000);
  made.records = channel::records_of(journal);
  const auto written = channel::write_backup(options.file, made, password);
  if (!written.ok()) return fail(file_fault(written.error()));
  show_backup(session, made);
  return {};
}

CliResult<void> restore(Session& session, const ChannelOptions& options) {
  const channel::Backup saved = TALLY_TRY(open_file(session, options));
  const KeyPair key = TALLY_TRY(session.signer(options.as));
  channel::Journal journal = TALLY_TRY(open_journal(session, options));
  channel::Journal::Entries entries;
  std::size_t alive = 0;
  for (const channel::Record& record : saved.records) {
    const channel::JournalKey id = channel::key_of(record.terms.channel_id);
    // What the journal knows is newer than any backup.
    if (record.terms.self() != key.account() || journal.entries().count(id) != 0) continue;
    if (record.stage != channel::Stage::closed) ++alive;
    entries[id] = encode(channel::Party::from_backup(record, key, {}).record());
  }
  // Channels may have been opened since the backup, and used: the journal begins anew.
  entries[channel::kBegunAtKey] = {};
  entries[channel::kGenesisKey] = encode(saved.genesis_hash);
  const auto written = journal.write(entries);
  if (!written.ok()) return fail(file_fault(written.error()));
  show_backup(session, saved);
  session.say(fmt::format(
      "\nBrought back, and not closed: {}. Such a channel pays no more, and signs nothing "
      "but a close that\nthe other party offers. `tally channel close --to` asks for "
      "one, `tally channel request-close` ends it alone.",
      alive));
  return {};
}

}  // namespace

void add_channel_backup(CLI::App& channel, Session& session) {
  auto saved = std::make_shared<ChannelOptions>();
  CLI::App* saves = channel.add_subcommand("backup", "Write one encrypted file with all channels");
  add_as(*saves, *saved);
  saves->add_option("file", saved->file, "the backup")->required();
  saves->add_flag("--verify", saved->alone, "write nothing: say what the file could bring back");
  saves->footer(
      "A backup is old from the moment it is made; it is for finding your channels.\n"
      "Examples:\n  tally channel backup --as alice channels.backup\n"
      "  tally channel backup --as alice --verify channels.backup");
  saves->callback([&session, saved] {
    session.command = [&session, saved] { return backup(session, *saved); };
  });

  auto brought = std::make_shared<ChannelOptions>();
  CLI::App* brings = channel.add_subcommand("restore", "Bring channels back from a backup");
  add_as(*brings, *brought);
  brings->add_option("file", brought->file, "the backup")->required();
  brings->callback([&session, brought] {
    session.command = [&session, brought] { return restore(session, *brought); };
  });
}

}  // namespace tally::cli
