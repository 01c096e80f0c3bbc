// tally channel appoint, refute, watch: somebody else looks after a channel while its party is
// away.
#include <fmt/format.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "client-sdk/chain/calls.hpp"
#include "client-sdk/chain/events.hpp"
#include "client-sdk/chain/submitter.hpp"
#include "client-sdk/channel/tower.hpp"
#include "modules/channels/signing.hpp"
#include "modules/channels/storage.hpp"
#include "primitives/ss58.hpp"
#include "tools/cli/channels.hpp"

namespace tally::cli {

namespace {

namespace fs = std::filesystem;

using client::kWatchExtension;
constexpr std::chrono::milliseconds kRetryPause{1'000};
constexpr std::size_t kSubmitters = 8;  // refutations under way at a time

CliResult<channel::Watch> read_watch(const fs::path& path) {
  auto watch = client::read_watch(path);
  if (!watch.ok()) return fail(file_fault(watch.error()));
  return *std::move(watch);
}

// Writes the newest co-signed state, with the tower's appointment, for the tower.
CliResult<void> appoint(Session& session, const ChannelOptions& options) {
  const ChannelId id = TALLY_TRY(channel_id(options.channel));
  Seat seat = TALLY_TRY(take_seat(session, options));
  const auto view = seat.host->find(id);
  if (!view || !view->record.newest) {
    return fail(Fault{Exit::not_found, "nothing_signed",
                      "the journal has no state of " + to_hex_prefixed(id) +
                          " that both signed: there is nothing to watch yet"});
  }
  channel::Watch watch{*view->record.newest, std::nullopt};
  if (!options.peer.empty()) {
    const AccountId tower = TALLY_TRY(session.account(options.peer));
    watch.appointment = seat.key.sign(channels::appointment_bytes({id, tower}));
  }
  const std::string file =
      options.file.empty() ? to_hex(id) + std::string(kWatchExtension) : options.file;
  const auto written = client::write_watch(file, watch);
  if (!written.ok()) return fail(file_fault(written.error()));
  session.show(Json{{"channel_id", to_json(id)},
                    {"version", watch.update.state.version.value},
                    {"file", file},
                    {"appointed", watch.appointment.has_value()}},
               Sheet{{"channel", to_hex_prefixed(id)},
                     {"version", std::to_string(watch.update.state.version.value)},
                     {"written", file}});
  return {};
}

CliResult<void> refute(Session& session, const ChannelOptions& options) {
  const channel::Watch watch = TALLY_TRY(read_watch(options.file));
  const KeyPair key = TALLY_TRY(session.signer(options.as));
  // What the chain would refuse is not paid for.
  const channels::ChannelState& state = watch.update.state;
  const channels::Channel record = TALLY_TRY(on_chain(session, state.channel_id));
  if (!record.challenge) {
    return fail(Fault{Exit::refused, "not_in_challenge",
                      "channel " + to_hex_prefixed(state.channel_id) +
                          " is not in a challenge: nobody has claimed an older state"});
  }
  if (record.challenge->standing.version >= state.version) {
    return fail(Fault{Exit::refused, "not_newer",
                      fmt::format("version {} stands on the chain, and the file has version {}: "
                                  "there is nothing to refute",
                                  record.challenge->standing.version.value, state.version.value)});
  }
  const channels::Refute call{watch.update, watch.appointment};
  const auto outcome = TALLY_TRY(session.submit(key, client::call_bytes(channels::Call(call))));
  session.show(outcome_json(outcome), outcome_sheet(outcome));
  return {};
}

class Watchtower {
 public:
  Watchtower(Session& session, client::ChainClient& chain, KeyPair key, channel::Journal journal,
             fs::path folder)
      : session_(session),
        chain_(chain),
        submitter_(std::move(key), chain),
        tower_(std::move(journal), account()),
        folder_(std::move(folder)),
        states_(client::tower_states(folder_)) {}

  CliResult<void> run() {
    TALLY_TRY(check_chain());
    std::vector<std::jthread> submitters;
    for (std::size_t i = 0; i < kSubmitters; ++i) {
      submitters.emplace_back([this](const std::stop_token& stop) { submit_all(stop); });
    }
    while (!session_.stop.stop_requested()) {
      watch();
      if (proved_) session_.save_trust();
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable_any pause;
      pause.wait_for(lock, session_.stop, kRetryPause, [] { return false; });
    }
    return {};
  }

 private:
  const AccountId& account() const { return submitter_.key().account(); }

  CliResult<void> check_chain() {
    const Hash& genesis = chain_.root().genesis_hash;
    if (tower_.bind_to(genesis)) return {};
    return fail(Fault{Exit::not_proved, "wrong_chain",
                      "the tower in " + folder_.string() +
                          " watches channels of the chain with genesis " +
                          to_hex_prefixed(*tower_.genesis_hash()) +
                          ", and this is the chain with genesis " + to_hex_prefixed(genesis) +
                          ": name that chain with --chain, or another --folder for this one"});
  }

  // Until it is asked to stop, or something goes wrong: it is then called again.
  void watch() {
    if (!tower_.next_block()) {
      if (const auto caught_up = catch_up(); !caught_up.ok()) {
        session_.progress("not watching yet: " + caught_up.error().message);
        return;
      }
      session_.progress(fmt::format("{} watches {} channels; states come from {}",
                                    to_ss58(account()), tower_.watched(), states_.string()));
    }
    const auto end = chain_.follow(*tower_.next_block(), session_.stop, [this](const auto& block) {
      return on_block(block) && !session_.stop.stop_requested();
    });
    if (end.ok() || session_.stop.stop_requested()) return;
    session_.progress("following again: " + end.error().message);
    // Blocks that the node no longer serves: their outcome stands in the state.
    if (end.error().kind == client::ClientErrorKind::pruned) tower_.lose_track();
  }

  // What the chain says now of every channel that is watched.
  CliResult<void> catch_up() {
    const auto head = TALLY_TRY(or_fault(chain_.finalized()));
    std::vector<ChannelId> ids;
    for (const auto& [id, watch] : tower_.watches()) ids.push_back(id);
    const auto records = TALLY_TRY(read_records(head, ids));
    const std::unique_lock lock(mutex_);
    if (!tower_.catch_up(records, head.number).ok()) {
      return fail(Fault{Exit::not_proved, "node_behind",
                        "the node's newest final block is older than one in which this tower saw "
                        "its channels: wait until the node has caught up, or name another"});
    }
    proved_ = true;
    due_.notify_all();
    return {};
  }

  CliResult<channel::Tower::Records> read_records(const client::FinalHead& at,
                                                  const std::vector<ChannelId>& ids) {
    std::vector<Bytes> keys;
    for (const ChannelId& id : ids) keys.push_back(to_bytes(channels::kChannels.key(id)));
    const auto values = TALLY_TRY(or_fault(chain_.read_at(at, keys)));
    channel::Tower::Records records;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      std::optional<channels::Channel>& record = records[ids[i]];
      if (!values[i]) continue;
      const auto decoded = decode<channels::Channel>(*values[i]);
      if (!decoded.ok()) {
        return fail(Fault{Exit::not_proved, "undecodable",
                          "the record of channel " + to_hex_prefixed(ids[i]) +
                              " does not decode: is this program older than the chain?"});
      }
      record = *decoded;
    }
    return records;
  }

  // False: its events cannot be read, and their outcome has to be.
  bool on_block(const client::FollowedBlock& block) {
    take_states();
    const auto records = client::decode_events(block.events.records);
    const std::unique_lock lock(mutex_);
    if (!records.ok()) {
      session_.progress(
          fmt::format("the events of block {} do not decode", block.head.number.value));
      tower_.lose_track();
      return false;
    }
    for (const runtime::EventRecord& record : *records) {
      const auto* module = std::get_if<runtime::ChannelsEvent>(&record.event);
      if (module == nullptr) continue;
      tower_.on_event(module->value);
      if (const auto* closed = std::get_if<channels::ChannelClosed>(&module->value)) {
        hold(closed->channel_id);
      }
    }
    tower_.on_final_block(block.head.number);
    due_.notify_all();
    return true;
  }

  // Files that parties put into the folder; one that is taken is removed.
  void take_states() {
    std::vector<std::pair<fs::path, channel::Watch>> given;
    std::vector<ChannelId> ids;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(states_, error)) {
      if (entry.path().extension() != kWatchExtension) continue;
      auto watch = read_watch(entry.path());
      if (!watch.ok()) {
        complain_once(entry.path(), watch.error().message);
        continue;
      }
      ids.push_back(watch->update.state.channel_id);
      given.emplace_back(entry.path(), *std::move(watch));
    }
    if (given.empty()) return;
    const auto head = chain_.finalized();
    if (!head.ok()) return;
    const auto records = read_records(*head, ids);
    if (!records.ok()) return;
    for (const auto& [path, watch] : given) {
      take_state(path, watch, records->at(watch.update.state.channel_id), head->number);
    }
  }

  void take_state(const fs::path& path, const channel::Watch& watch,
                  const std::optional<channels::Channel>& record, BlockNumber at) {
    const channels::ChannelState& state = watch.update.state;
    const std::unique_lock lock(mutex_);
    const auto taken = tower_.give(watch, record, at);
    if (!taken.ok()) {
      const DurationMs ago = complain_once(
          path, path.string() + " is refused: " + std::string(enumerator_name(taken.error())));
      if (channel::may_be_early(taken.error(), state, record, ago)) return;
    } else if (taken->newer) {
      if (watch.appointment && !taken->appointment_holds) {
        session_.progress(path.string() + " appoints another account than " + to_ss58(account()) +
                          ", or no party signed that: the channel is watched, and a tenth is not "
                          "earned by it");
      }
      report("watching", state.channel_id, state.version);
      hold(state.channel_id);
      tower_.on_record(state.channel_id, record, at);
      due_.notify_all();
    }
    std::error_code error;
    fs::remove(path, error);
    named_.erase(path);
  }

  // For its party, which asks before it claims.
  void hold(const ChannelId& id) {
    const fs::path path = client::tower_held(folder_, id);
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    const channel::Watch* watch = tower_.find(id);
    if (watch == nullptr) {
      fs::remove(path, error);
    } else if (const auto written = client::write_watch(path, *watch); !written.ok()) {
      session_.progress(written.error().message);
    }
  }

  // A file that cannot be read may still be on its way: it stays, and is named once as it is.
  // Returns how long ago that was.
  DurationMs complain_once(const fs::path& path, const std::string& message) {
    std::error_code error;
    const auto changed = fs::last_write_time(path, error);
    const auto now = std::chrono::steady_clock::now();
    const auto [known, added] = named_.try_emplace(path, Named{changed, now});
    if (added || known->second.changed != changed) {
      known->second = {changed, now};
      session_.progress(message);
    }
    const auto ago = std::chrono::duration_cast<std::chrono::milliseconds>(now - known->second.at);
    return DurationMs(static_cast<std::uint64_t>(ago.count()));
  }

  // One thread of several: each call until it is final, while blocks are followed.
  void submit_all(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      std::optional<channel::Refutation> next;
      due_.wait(lock, stop, [&] { return (next = tower_.take()).has_value(); });
      if (!next) return;
      lock.unlock();
      const channel::Attempt attempt = submit(*next, stop);
      lock.lock();
      tower_.ended(*next, attempt);
    }
  }

  channel::Attempt submit(const channel::Refutation& refutation, const std::stop_token& stop) {
    const auto outcome =
        submitter_.submit(client::call_bytes(channels::Call(refutation.call)), stop);
    if (outcome.ok() && !outcome->failure) {
      report("refuted", refutation.channel_id, refutation.call.update.state.version);
      return channel::Attempt::included;
    }
    session_.progress(
        "a refutation of channel " + to_hex_prefixed(refutation.channel_id) + " failed: " +
        (outcome.ok() ? runtime::to_text(*outcome->failure) : outcome.error().message));
    return outcome.ok() ? channel::Attempt::failed : channel::Attempt::not_included;
  }

  // Called from several threads.
  void report(const std::string& event, const ChannelId& id, ChannelVersion version) {
    const std::lock_guard lock(telling_);
    if (session_.options.json) {
      const Json json{{"event", event}, {"channel_id", to_json(id)}, {"version", version.value}};
      fmt::print("{}\n", json.dump());
    } else {
      fmt::print("{} {} at version {}\n", event, to_hex_prefixed(id), version.value);
    }
    std::fflush(stdout);
  }

  Session& session_;
  client::ChainClient& chain_;
  client::Submitter submitter_;
  channel::Tower tower_;
  fs::path folder_;
  fs::path states_;
  struct Named {
    fs::file_time_type changed;
    std::chrono::steady_clock::time_point at;
  };
  std::map<fs::path, Named> named_;
  bool proved_ = false;  // a head, so that the trust that was learnt is worth keeping
  std::mutex telling_;
  // Over tower_, for the threads that submit: the other one alone changes what is watched, and may
  // look at that without it.
  std::mutex mutex_;
  std::condition_variable_any due_;
};

CliResult<void> watch(Session& session, const ChannelOptions& options) {
  KeyPair key = TALLY_TRY(session.signer(options.as));
  client::ChainClient* chain = TALLY_TRY(session.client());
  const fs::path folder = options.folder.empty()
                              ? journal_folder(session, {}, key.account()).parent_path() / "tower"
                              : fs::path(options.folder);
  auto file = channel::open_journal_file(folder);
  if (!file.ok()) return fail(file_fault(file.error()));
  auto journal = channel::Journal::open(*std::move(file));
  if (!journal.ok()) return fail(file_fault(journal.error()));
  const fs::path states = client::tower_states(folder);
  std::error_code error;
  fs::create_directories(states, error);
  if (error) return fail(Fault{Exit::failure, "file", "cannot make " + states.string()});
  return Watchtower(session, *chain, std::move(key), *std::move(journal), folder).run();
}

}  // namespace

void add_channel_tower(CLI::App& channel, Session& session) {
  auto given = std::make_shared<ChannelOptions>();
  CLI::App* appoints =
      channel.add_subcommand("appoint", "Write your newest state for a watchtower");
  add_as(*appoints, *given);
  appoints->add_option("--tower", given->peer,
                       "its account: it then earns a tenth of a cheater's loss");
  appoints->add_option("--out", given->file, "the file (default: the channel's id .watch)");
  appoints->add_option("channel", given->channel, "the channel's id")->required();
  appoints->footer("Example:\n  tally channel appoint --as alice --tower //Eve 0x… --out a.watch");
  appoints->callback([&session, given] {
    session.command = [&session, given] { return appoint(session, *given); };
  });

  auto once = std::make_shared<ChannelOptions>();
  CLI::App* refutes = channel.add_subcommand("refute", "Show the chain a newer state, for anyone");
  refutes->add_option("--as", once->as, "the account that pays for it")->required();
  refutes->add_option("file", once->file, "what `tally channel appoint` wrote")->required();
  refutes->callback(
      [&session, once] { session.command = [&session, once] { return refute(session, *once); }; });

  auto long_run = std::make_shared<ChannelOptions>();
  CLI::App* watches =
      channel.add_subcommand("watch", "The watchtower: refutes old states until Ctrl-C");
  watches->add_option("--as", long_run->as, "the tower's account, which pays the fees")->required();
  watches->add_option("--folder", long_run->folder, "its own folder, never a journal's");
  watches->footer(
      "Put *.watch files (tally channel appoint) into the folder's states/; the newest wins.\n"
      "Example:\n  tally channel watch --as //Eve --folder /var/lib/tower");
  watches->callback([&session, long_run] {
    session.command = [&session, long_run] { return watch(session, *long_run); };
  });
}

}  // namespace tally::cli
