// tally checkpoint push, list, show, pull, remove, verify: a state goes to a store, its hash on
// chain, and comes back checked.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "client-sdk/content/files.hpp"
#include "primitives/ss58.hpp"
#include "tools/cli/stores.hpp"

namespace tally::cli {

namespace {

using checkpoint::Checkpoint;
using checkpoint::CheckpointIndex;
using checkpoint::Entry;
using checkpoint::Wanted;

struct CheckpointOptions {
  std::string as;
  std::string owner;
  std::string file;
  std::string label;
  std::optional<std::uint64_t> index;
  std::optional<std::uint64_t> parent;
  StoreOptions store;
};

template <class T>
CliResult<T> or_fault(checkpoint::CheckpointResult<T> result) {
  if (!result.ok()) return fail(to_fault(result.error()));
  return *std::move(result);
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 10'000) return fmt::format("{} bytes", bytes);
  if (bytes < 10'000'000) return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1'024);
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1'024 * 1'024));
}

// One line that is written over, on a terminal; elsewhere only the steps.
class ProgressBar {
 public:
  explicit ProgressBar(const Session& session)
      : session_(session), terminal_(isatty(STDERR_FILENO) == 1) {}

  void show(const checkpoint::PushProgress& progress) {
    using checkpoint::Step;
    if (progress.step == Step::uploading) return draw(progress);
    end_line();
    switch (progress.step) {
      case Step::packed:
        return session_.progress("packed: " + bytes_text(progress.total_bytes));
      case Step::uploading:
        return;
      case Step::uploaded:
        return session_.progress("uploaded; waiting until it comes back");
      case Step::read_back:
        return session_.progress("came back whole");
      case Step::tx_signed:
        return session_.progress("recording it on chain");
      case Step::recorded:
        return session_.progress("recorded");
      case Step::cached:
        return;
    }
  }

 private:
  void draw(const checkpoint::PushProgress& progress) {
    if (!terminal_) return;
    constexpr std::uint64_t kWidth = 40;
    const std::uint64_t total = std::max<std::uint64_t>(progress.total_bytes, 1);
    const std::uint64_t done = std::min(progress.done_bytes, total);
    const std::uint64_t filled = done * kWidth / total;
    fmt::print(stderr, "\r[{}{}] {:3} %  {}", std::string(filled, '#'),
               std::string(kWidth - filled, '.'), done * 100 / total,
               bytes_text(progress.total_bytes));
    std::fflush(stderr);
    open_ = true;
  }
  void end_line() {
    if (open_) fmt::print(stderr, "\n");
    open_ = false;
  }

  const Session& session_;
  bool terminal_;
  bool open_ = false;
};

Json entry_json(const AccountId& owner, const Entry& entry) {
  Json out{{"owner", to_json(owner)}, {"index", entry.index.value}};
  out.update(to_json(entry.record));
  return out;
}

std::string index_text(const std::optional<CheckpointIndex>& index) {
  return index ? std::to_string(index->value) : "-";
}

std::string attested_text(const Checkpoint& record) {
  if (!record.attestation) return "-";
  return fmt::format("{} by {} in block {}", enumerator_name(record.attestation->availability),
                     to_ss58(record.attestation->attester), record.attestation->block.value);
}

Sheet entry_sheet(const Entry& entry) {
  const Checkpoint& record = entry.record;
  return {{"checkpoint", std::to_string(entry.index.value)},
          {"label", record.label},
          {"sha256", to_hex(record.state_hash)},
          {"state", bytes_text(record.size_bytes)},
          {"store", std::string(enumerator_name(record.store))},
          {"content id", record.content_id}};
}

CliResult<Bytes> read_state(const std::string& path) {
  auto bytes = content::read_whole(path, checkpoint::kMaxStateBytes);
  if (!bytes.ok()) return fail(file_fault(bytes.error()));
  return *std::move(bytes);
}

CliResult<Wanted> wanted(Session& session, const CheckpointOptions& options,
                         const std::string& owner) {
  if (options.label.empty() == !options.index) {
    return fail(usage_fault("say which checkpoint: --label NAME for its latest, or --id NUMBER"));
  }
  const AccountId account = TALLY_TRY(session.account(owner));
  if (options.index) return Wanted{account, CheckpointIndex(*options.index)};
  return Wanted{account, options.label};
}

CliResult<void> push(Session& session, const CheckpointOptions& options) {
  const Bytes state = TALLY_TRY(read_state(options.file));
  const KeyPair key = TALLY_TRY(session.signer(options.as));
  const Stores stores = TALLY_TRY(Stores::open(session, options.store, &key));
  client::ChainClient* chain = TALLY_TRY(session.client());
  ProgressBar bar(session);
  checkpoint::PushOptions how;
  how.label = options.label;
  how.folder = checkpoint_folder(session);
  if (options.parent) how.parent = CheckpointIndex(*options.parent);
  how.progress = [&](const checkpoint::PushProgress& progress) { bar.show(progress); };
  how.stop = session.stop;
  const auto pushed =
      TALLY_TRY(or_fault(checkpoint::push(state, how, {stores.for_push(), *chain, key})));
  session.save_trust();
  Json json = entry_json(key.account(), pushed.entry);
  json["was_recorded"] = pushed.was_recorded;
  json["stored_bytes"] = pushed.blob_bytes;
  json["cost_winston"] = std::to_string(pushed.cost_winston);
  json["fee"] = to_json(pushed.fee);
  Sheet sheet = entry_sheet(pushed.entry);
  sheet.insert(sheet.end(),
               {{"stored", bytes_text(pushed.blob_bytes)},
                {"paid to the store", winston_text(pushed.cost_winston)},
                {"deposit", to_text(pushed.entry.record.deposit)},
                {"fee", pushed.was_recorded ? "none: it was recorded before" : to_text(pushed.fee)},
                {"block", std::to_string(pushed.entry.record.block.value)}});
  session.show(json, sheet);
  return {};
}

CliResult<void> list(Session& session, const CheckpointOptions& options) {
  const AccountId owner = TALLY_TRY(session.account(options.owner));
  client::ChainClient* chain = TALLY_TRY(session.client());
  const auto listed = TALLY_TRY(cli::or_fault(checkpoint::list(*chain, owner)));
  session.save_trust();
  Table table{{"ID", "LABEL", "STATE", "STORE", "BLOCK", "RECORDED", "ATTESTED"}, {}};
  Json entries = Json::array();
  for (const Entry& entry : listed.entries) {
    const Checkpoint& record = entry.record;
    if (!options.label.empty() && record.label != options.label) continue;
    entries.push_back(entry_json(owner, entry));
    table.rows.push_back({std::to_string(entry.index.value), record.label,
                          bytes_text(record.size_bytes), std::string(enumerator_name(record.store)),
                          std::to_string(record.block.value), time_text(record.time.value),
                          record.attestation
                              ? std::string(enumerator_name(record.attestation->availability))
                              : "-"});
  }
  session.show(
      Json{{"owner", to_json(owner)},
           {"block", {{"number", listed.at.number.value}, {"hash", to_json(listed.at.hash)}}},
           {"checkpoints", entries}},
      table);
  return {};
}

// What is on chain, what the store says, and what this machine saw of it.
CliResult<void> show(Session& session, const CheckpointOptions& options) {
  const Wanted which = TALLY_TRY(wanted(session, options, options.owner));
  const Stores stores = TALLY_TRY(Stores::open(session, options.store));
  client::ChainClient* chain = TALLY_TRY(session.client());
  const auto entry = TALLY_TRY(cli::or_fault(checkpoint::find(*chain, which)));
  session.save_trust();
  if (!entry) {
    return fail(Fault{Exit::not_found, "checkpoint_not_found",
                      "this account has no such live checkpoint; `tally checkpoint list --of " +
                          options.owner + "` shows those it has"});
  }
  const Checkpoint& record = entry->record;
  std::string in_store = "not asked: no such store is configured here";
  Json status_json;
  if (storage::BlobStore* store = stores.finder()(record.store)) {
    const auto status = store->status({record.store, record.content_id}, session.stop);
    in_store = status.ok() ? fmt::format("{}, {} confirmations", enumerator_name(status->presence),
                                         status->confirmations)
                           : status.error().message;
    if (status.ok()) {
      status_json = Json{{"presence", enumerator_name(status->presence)},
                         {"confirmations", status->confirmations}};
    }
  }
  const auto folder = checkpoint_folder(session);
  const auto matched = checkpoint::last_match(folder, which.owner, *entry);
  const bool cached = checkpoint::is_cached(folder, record.state_hash);
  const std::string when = matched ? time_text(matched->time.value) : "never here";
  Json json = entry_json(which.owner, *entry);
  json["in_store"] = status_json;
  json["matched_ms"] = matched ? Json(matched->time.value) : Json();
  json["cached"] = cached;
  Sheet sheet = entry_sheet(*entry);
  sheet.insert(
      sheet.end(),
      {{"recorded", fmt::format("block {}, {}", record.block.value, time_text(record.time.value))},
       {"deposit", to_text(record.deposit)},
       {"goes on from", index_text(record.parent)},
       {"older, newer", index_text(record.older) + ", " + index_text(record.newer)},
       {"attested", attested_text(record)},
       {"in the store", in_store},
       {"fetched and matched", when},
       {"in this machine's cache", cached ? "yes" : "no"}});
  session.show(json, sheet);
  return {};
}

CliResult<void> pull(Session& session, const CheckpointOptions& options) {
  const Wanted which = TALLY_TRY(wanted(session, options, options.owner));
  const Stores stores = TALLY_TRY(Stores::open(session, options.store));
  const checkpoint::StoreFinder finder = stores.finder();
  client::ChainClient* chain = TALLY_TRY(session.client());
  const auto pulled = TALLY_TRY(or_fault(checkpoint::pull(
      which, {.folder = checkpoint_folder(session), .stop = session.stop}, {finder, *chain})));
  session.save_trust();
  const auto written = content::write_durably(options.file, pulled.state);
  if (!written.ok()) return fail(file_fault(written.error()));
  Json json = entry_json(which.owner, pulled.entry);
  json["source"] = enumerator_name(pulled.source);
  json["file"] = options.file;
  Sheet sheet = entry_sheet(pulled.entry);
  const bool cached = pulled.source == checkpoint::Source::cache;
  sheet.insert(sheet.end(), {{"taken from", cached ? "this machine's cache" : "the store"},
                             {"written", options.file}});
  session.show(json, sheet);
  return {};
}

CliResult<void> remove(Session& session, const CheckpointOptions& options) {
  const KeyPair key = TALLY_TRY(session.signer(options.as));
  const Wanted which = TALLY_TRY(wanted(session, options, to_ss58(key.account())));
  client::ChainClient* chain = TALLY_TRY(session.client());
  const auto entry = TALLY_TRY(cli::or_fault(checkpoint::find(*chain, which)));
  if (!entry) {
    return fail(Fault{Exit::not_found, "checkpoint_not_found",
                      "this account has no such live checkpoint; `tally checkpoint list --of " +
                          options.as + "` shows those it has"});
  }
  client::SubmitOptions how;
  how.stop = session.stop;
  const auto removed = TALLY_TRY(or_fault(checkpoint::remove(*chain, key, entry->index, how)));
  session.save_trust();
  Json json = outcome_json(removed.outcome);
  json["removed"] = entry_json(key.account(), removed.entry);
  session.show(json, Sheet{{"removed", std::to_string(removed.entry.index.value)},
                           {"label", removed.entry.record.label},
                           {"deposit back", to_text(removed.entry.record.deposit)},
                           {"fee", to_text(fee_of(removed.outcome))}});
  return {};
}

// One, or all that are live: each is fetched from its store and compared.
CliResult<std::vector<Wanted>> to_verify(Session& session, const CheckpointOptions& options) {
  if (!options.label.empty() || options.index) {
    return std::vector<Wanted>{TALLY_TRY(wanted(session, options, options.owner))};
  }
  const AccountId owner = TALLY_TRY(session.account(options.owner));
  client::ChainClient* chain = TALLY_TRY(session.client());
  const auto listed = TALLY_TRY(cli::or_fault(checkpoint::list(*chain, owner)));
  std::vector<Wanted> out;
  for (const Entry& entry : listed.entries) out.push_back({owner, entry.index});
  return out;
}

std::string which_text(const Wanted& wanted) {
  const auto* label = std::get_if<std::string>(&wanted.which);
  return label != nullptr ? "\"" + *label + "\""
                          : std::to_string(std::get<CheckpointIndex>(wanted.which).value);
}

CliResult<void> verify(Session& session, const CheckpointOptions& options) {
  const Stores stores = TALLY_TRY(Stores::open(session, options.store));
  const checkpoint::StoreFinder finder = stores.finder();
  const std::vector<Wanted> all = TALLY_TRY(to_verify(session, options));
  client::ChainClient* chain = TALLY_TRY(session.client());
  Table table{{"CHECKPOINT", "LABEL", "STORE", "RESULT"}, {}};
  Json results = Json::array();
  std::optional<Fault> first;
  for (const Wanted& which : all) {
    const auto verified = checkpoint::verify(
        which, {.folder = checkpoint_folder(session), .stop = session.stop}, {finder, *chain});
    if (verified.ok()) {
      const Entry& entry = verified->entry;
      table.rows.push_back({std::to_string(entry.index.value), entry.record.label,
                            std::string(enumerator_name(entry.record.store)), "matches"});
      Json json = entry_json(which.owner, entry);
      json["matches"] = true;
      json["presence"] = enumerator_name(verified->status.presence);
      results.push_back(json);
      continue;
    }
    const Fault fault = to_fault(verified.error());
    if (fault.exit == Exit::interrupted) return fail(fault);
    if (!first) first = fault;
    if (all.size() == 1) return fail(fault);
    table.rows.push_back({which_text(which), "-", "-", fault.message});
    results.push_back(Json{{"index", std::get<CheckpointIndex>(which.which).value},
                           {"matches", false},
                           {"code", fault.code},
                           {"message", fault.message}});
  }
  session.save_trust();
  if (!first) {
    session.show(Json{{"checked", all.size()}, {"checkpoints", results}}, table);
    return {};
  }
  if (!session.options.json) session.show(Json(), table);
  const auto bad = std::count_if(results.begin(), results.end(),
                                 [](const Json& result) { return !result["matches"]; });
  first->message = fmt::format("{} of {} checkpoints did not match; the first: {}", bad, all.size(),
                               first->message);
  return fail(*std::move(first));
}

using Action = CliResult<void> (*)(Session&, const CheckpointOptions&);

struct Command {
  const char* name;
  const char* what;
  Action action;
};

CLI::App* add(CLI::App& checkpoints, Session& session, const Command& command,
              const std::shared_ptr<CheckpointOptions>& options) {
  CLI::App* app = checkpoints.add_subcommand(command.name, command.what);
  app->callback([&session, options, action = command.action] {
    session.command = [&session, options, action] { return action(session, *options); };
  });
  return app;
}

void add_which(CLI::App& command, CheckpointOptions& options) {
  auto* label = command.add_option("--label", options.label, "the latest with this label");
  command.add_option("--id", options.index, "the one with this number")->excludes(label);
}
void add_owner(CLI::App& command, CheckpointOptions& options) {
  command.add_option("--of", options.owner, "whose: a name of your wallet, an address, //Alice")
      ->required();
}

}  // namespace

void add_checkpoint(CLI::App& app, Session& session) {
  CLI::App* checkpoints = app.add_subcommand(
      "checkpoint", "Keep a computation's state; have it back anywhere, checked");
  checkpoints->require_subcommand(1);
  const auto options = std::make_shared<CheckpointOptions>();

  CLI::App* pushes = add(*checkpoints, session,
                         {"push", "Upload a state and record its hash on chain", push}, options);
  pushes->add_option("file", options->file, "the state")->required();
  pushes->add_option("--label", options->label, "name of the computation, 1 to 64 characters")
      ->required();
  pushes->add_option("--as", options->as, "your account: it pays the deposit and the fee")
      ->required();
  pushes->add_option("--parent", options->parent, "checkpoint of yours that this one goes on from");
  add_store_write_options(*pushes, options->store);
  pushes->footer(
      "An interrupted push goes on where it was when it is called again.\nExamples:\n"
      "  tally checkpoint push state.bin --label sim --as me\n"
      "  tally checkpoint push state.bin --label sim --as me --store arweave --arweave-wallet "
      "mine");

  CLI::App* lists =
      add(*checkpoints, session, {"list", "The live checkpoints of an account", list}, options);
  add_owner(*lists, *options);
  lists->add_option("--label", options->label, "only those with this label");
  lists->footer("Example:\n  tally checkpoint list --of me");

  CLI::App* shows =
      add(*checkpoints, session,
          {"show", "A checkpoint: on chain, in its store, and what was seen of it here", show},
          options);
  add_owner(*shows, *options);
  add_which(*shows, *options);
  add_store_options(*shows, options->store);
  shows->footer("Example:\n  tally checkpoint show --of me --label sim");

  CLI::App* pulls = add(
      *checkpoints, session,
      {"pull", "Have a state back: from this machine's cache, else from its store", pull}, options);
  add_owner(*pulls, *options);
  add_which(*pulls, *options);
  pulls->add_option("--output,-o", options->file, "where to write the state; replaces the file")
      ->required();
  add_store_options(*pulls, options->store);
  pulls->footer("Example:\n  tally checkpoint pull --of me --label sim --output state.bin");

  CLI::App* removes =
      add(*checkpoints, session,
          {"remove", "Give a record up; the deposit comes back, the store is not touched", remove},
          options);
  removes->add_option("--as", options->as, "your account")->required();
  add_which(*removes, *options);
  removes->footer("Example:\n  tally checkpoint remove --as me --id 3");

  CLI::App* verifies = add(
      *checkpoints, session,
      {"verify", "Fetch from the store and compare; one, or all that are live", verify}, options);
  add_owner(*verifies, *options);
  add_which(*verifies, *options);
  add_store_options(*verifies, options->store);
  verifies->footer(
      "The exit code is 0 only if all matched.\nExample, as a cron job:\n"
      "  tally checkpoint verify --of me");
}

}  // namespace tally::cli
