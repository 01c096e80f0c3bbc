// tally chain verify: follows finality as a phone would, from proofs alone, and proves a balance or
// a channel against nodes that nobody trusts.
#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "client-sdk/chain/light.hpp"
#include "client-sdk/chain/trust_root.hpp"
#include "modules/channels/storage.hpp"
#include "modules/system/storage.hpp"
#include "primitives/ss58.hpp"
#include "tools/cli/channels.hpp"
#include "tools/cli/proved_state.hpp"

namespace tally::cli {

namespace {

struct VerifyOptions {
  std::vector<std::string> nodes;
  std::string from;
  std::string balance;
  std::string channel;
  std::uint64_t max_age_s = 600;
  std::uint64_t every_ms = 2'000;
  std::uint32_t count = 0;
  bool follow = false;
};

// Where the bytes went. Epoch proofs are counted one by one, values by the difference.
struct Spent {
  std::uint64_t epochs = 0;
  std::uint64_t set_changes = 0;
  std::uint64_t epoch_bytes = 0;
  std::uint64_t value_bytes = 0;
};

struct Wanted {
  std::optional<AccountId> account;
  std::optional<ChannelId> channel;
};

struct Values {
  std::optional<system::AccountInfo> account;
  std::optional<channels::Channel> channel;
};

class Verify {
 public:
  Verify(Session& session, const VerifyOptions& options) : session_(session), options_(options) {}

  CliResult<void> run() {
    TALLY_TRY(prepare());
    const auto head = TALLY_TRY(advance());
    const Values values = TALLY_TRY(read());
    TALLY_TRY(show(head, values));
    if (options_.follow) TALLY_TRY(follow(head));
    return {};
  }

 private:
  CliResult<void> prepare();
  CliResult<client::FinalHead> advance();
  CliResult<Values> read();
  CliResult<void> show(const client::FinalHead& head, const Values& values);
  CliResult<void> follow(client::FinalHead shown);
  void show_followed(const client::FinalHead& head, const Values& values,
                     const client::Traffic& before);
  void warn_of_nodes();
  bool wait() const;
  std::string age_text(const client::FinalHead& head) const;
  Json json_of(const client::FinalHead& head) const;
  void add_values(Json& json, const Values& values) const;
  void add_values(Sheet& sheet, const Values& values) const;

  Session& session_;
  const VerifyOptions& options_;
  Hash genesis_;
  bool begins_elsewhere_ = false;  // than at the file
  Wanted wanted_;
  Spent spent_;
  std::unique_ptr<client::LightClient> light_;
  std::vector<bool> warned_;
};

std::uint64_t clock_ms() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

std::optional<std::uint64_t> age_ms(const client::FinalHead& head) {
  const auto digest = consensus_digest(head.header);
  if (!digest) return std::nullopt;
  const std::uint64_t now = clock_ms();
  return now > digest->time.value ? now - digest->time.value : 0;
}

template <class Value>
CliResult<std::optional<Value>> decoded(const std::optional<Bytes>& bytes) {
  if (!bytes) return std::optional<Value>();
  auto value = decode<Value>(*bytes);
  if (value.ok()) return std::optional<Value>(*std::move(value));
  return fail(Fault{Exit::not_proved, "undecodable",
                    "a proved value does not decode: is this program older than the chain's "
                    "runtime?"});
}

CliResult<void> Verify::prepare() {
  const genesis::ChainSpec* chain = TALLY_TRY(session_.spec());
  if (!options_.balance.empty()) wanted_.account = TALLY_TRY(session_.account(options_.balance));
  if (!options_.channel.empty()) wanted_.channel = TALLY_TRY(channel_id(options_.channel));
  client::LightConfig config;
  config.nodes = options_.nodes;
  if (config.nodes.empty()) config.nodes.push_back(session_.options.node);
  begins_elsewhere_ = !options_.from.empty() || !session_.options.trust_block.empty();
  const std::string& from = options_.from.empty() ? session_.options.trust_block : options_.from;
  client::TrustRoot root = client::trust_root(*chain);
  genesis_ = root.genesis_hash;
  if (options_.from.empty()) config.saved_trust = session_.saved_trust(genesis_);
  if (!from.empty() && from != "genesis") {
    const auto block = client::parse_trusted_block(from);
    if (!block.ok()) return fail(usage_fault("--from: genesis, or " + block.error().message));
    config.from = *block;
  }
  if (options_.max_age_s != 0) config.max_age = DurationMs(options_.max_age_s * 1'000);
  config.client.on_epoch = [this](const client::EpochLearnt& epoch) {
    ++spent_.epochs;
    spent_.epoch_bytes += epoch.received;
    if (epoch.set_changed) ++spent_.set_changes;
    session_.progress(
        fmt::format("epoch {} ends in block {}: {} signatures hold, {} validators {} ({} bytes)",
                    epoch.epoch.value, epoch.end.value, epoch.signatures, epoch.validators,
                    epoch.set_changed ? "in a new set" : "as before", epoch.received));
  };
  light_ = std::make_unique<client::LightClient>(std::move(config), std::move(root));
  warned_.resize(light_->nodes().size());
  return {};
}

void Verify::warn_of_nodes() {
  for (std::size_t i = 0; i < light_->nodes().size(); ++i) {
    const client::LightNode& node = light_->nodes()[i];
    if (node.error && !warned_[i]) {
      session_.progress(fmt::format("{}: {}", node.endpoint, node.error->message));
    }
    warned_[i] = node.error.has_value();
  }
}

CliResult<client::FinalHead> Verify::advance() {
  const auto head = light_->advance();
  // What began elsewhere than at the file replaces it only when it has come to a head.
  const bool keep = head.ok() || !begins_elsewhere_;
  if (keep && !light_->saved_trust().empty()) {
    session_.save_trust(genesis_, light_->saved_trust());
  }
  if (!head.ok()) return fail(to_fault(head.error()));
  warn_of_nodes();
  return *head;
}

CliResult<Values> Verify::read() {
  std::vector<Bytes> keys;
  if (wanted_.account) keys.push_back(to_bytes(system::kAccount.key(*wanted_.account)));
  if (wanted_.channel) keys.push_back(to_bytes(channels::kChannels.key(*wanted_.channel)));
  Values out;
  if (keys.empty()) return out;
  const std::uint64_t before = light_->traffic().received;
  const auto values = TALLY_TRY(or_fault(light_->read(keys)));
  spent_.value_bytes += light_->traffic().received - before;
  warn_of_nodes();
  if (wanted_.account) out.account = TALLY_TRY(decoded<system::AccountInfo>(values.front()));
  if (wanted_.channel) out.channel = TALLY_TRY(decoded<channels::Channel>(values.back()));
  return out;
}

void Verify::add_values(Json& json, const Values& values) const {
  if (wanted_.account) {
    const system::AccountInfo info = values.account.value_or(system::AccountInfo{});
    json["balance"] = Json{{"account", to_json(*wanted_.account)},
                           {"exists", values.account.has_value()},
                           {"nonce", info.nonce.value},
                           {"free", to_json(info.data.free)},
                           {"reserved", to_json(info.data.reserved)},
                           {"frozen", to_json(info.data.frozen)}};
  }
  if (wanted_.channel) {
    json["channel"] =
        Json{{"channel_id", to_json(*wanted_.channel)},
             {"exists", values.channel.has_value()},
             {"on_chain",
              values.channel ? record_json(*wanted_.channel, *values.channel) : Json(nullptr)}};
  }
}

void Verify::add_values(Sheet& sheet, const Values& values) const {
  if (wanted_.account) {
    sheet.emplace_back("account", to_ss58(*wanted_.account));
    sheet.emplace_back(
        "  proved",
        values.account
            ? fmt::format("free {}, held {}, nonce {}", to_text(values.account->data.free),
                          to_text(values.account->data.reserved), values.account->nonce.value)
            : "absent: there is no such account");
  }
  if (!wanted_.channel) return;
  sheet.emplace_back("channel", to_hex_prefixed(*wanted_.channel));
  if (!values.channel) {
    sheet.emplace_back("  proved", "absent: paid out, or never opened");
    return;
  }
  const channels::Channel& channel = *values.channel;
  sheet.emplace_back("  proved", fmt::format("{}, floor {}", enumerator_name(channel.phase),
                                             channel.floor.version.value));
  sheet.emplace_back("  opener", to_ss58(channel.opener) + " holds " + to_text(channel.held[0]));
  sheet.emplace_back("  counterparty",
                     to_ss58(channel.counterparty) + " holds " + to_text(channel.held[1]));
}

std::string Verify::age_text(const client::FinalHead& head) const {
  const auto age = age_ms(head);
  return age ? duration_text(*age) + " old" : "genesis";
}

Json Verify::json_of(const client::FinalHead& head) const {
  const auto digest = consensus_digest(head.header);
  const auto age = age_ms(head);
  return Json{{"number", head.number.value},
              {"hash", to_json(head.hash)},
              {"state_root", to_json(head.header.state_root)},
              {"epoch", digest ? Json(digest->epoch.value) : Json(nullptr)},
              {"view", digest ? Json(digest->view.value) : Json(nullptr)},
              {"time_ms", digest ? Json(digest->time.value) : Json(nullptr)},
              {"age_ms", age ? Json(*age) : Json(nullptr)}};
}

CliResult<void> Verify::show(const client::FinalHead& head, const Values& values) {
  const client::Traffic traffic = light_->traffic();
  const std::uint64_t head_bytes = traffic.received - spent_.epoch_bytes - spent_.value_bytes;
  Json nodes = Json::array();
  std::size_t good = 0;
  for (const client::LightNode& node : light_->nodes()) {
    if (!node.error) ++good;
    nodes.push_back({{"node", node.endpoint},
                     {"final", node.head ? Json{{"number", node.head->number.value},
                                                {"hash", to_json(node.head->hash)}}
                                         : Json(nullptr)},
                     {"error", node.error ? error_json(to_fault(*node.error)) : Json(nullptr)}});
  }
  const auto known = light_->known_epoch();
  Json json{
      {"from", to_json(light_->trust_start())},
      {"epochs_checked", spent_.epochs},
      {"set_changes", spent_.set_changes},
      {"validators_known_to_epoch", known ? Json(known->value) : Json(nullptr)},
      {"finalized", json_of(head)},
      {"signatures", traffic.signatures},
      {"answers", traffic.answers},
      {"received_bytes", traffic.received},
      {"received_for",
       {{"epochs", spent_.epoch_bytes}, {"head", head_bytes}, {"values", spent_.value_bytes}}},
      {"sent_bytes", traffic.sent},
      {"nodes", nodes}};
  add_values(json, values);
  Sheet sheet{
      {"began at", to_hex_prefixed(light_->trust_start())},
      {"epochs checked", fmt::format("{}, with {} changes of the set; the validators are known to "
                                     "epoch {}",
                                     spent_.epochs, spent_.set_changes, known ? known->value : 0)},
      {"final block", fmt::format("{} {}", head.number.value, to_hex_prefixed(head.hash))},
      {"its age", age_text(head)},
      {"signatures", fmt::format("{} checked", traffic.signatures)},
      {"received",
       fmt::format("{} bytes in {} answers: epochs {}, head {}, values {}", traffic.received,
                   traffic.answers, spent_.epoch_bytes, head_bytes, spent_.value_bytes)},
      {"nodes", fmt::format("{} of {} gave answers that hold", good, light_->nodes().size())}};
  add_values(sheet, values);
  if (options_.follow && session_.options.json) {
    fmt::print("{}\n", json.dump());
    std::fflush(stdout);
  } else {
    session_.show(json, sheet);
  }
  return {};
}

// False when it is asked to stop.
bool Verify::wait() const {
  std::mutex mutex;
  std::condition_variable_any asked;
  std::unique_lock lock(mutex);
  asked.wait_for(lock, session_.stop, std::chrono::milliseconds(options_.every_ms),
                 [] { return false; });
  return !session_.stop.stop_requested();
}

void Verify::show_followed(const client::FinalHead& head, const Values& values,
                           const client::Traffic& before) {
  const client::Traffic now = light_->traffic();
  if (session_.options.json) {
    Json json = json_of(head);
    json["signatures"] = now.signatures - before.signatures;
    json["received_bytes"] = now.received - before.received;
    add_values(json, values);
    fmt::print("{}\n", json.dump());
  } else {
    std::string line =
        fmt::format("{:>8}  {}  {} signatures, {} bytes", head.number.value, age_text(head),
                    now.signatures - before.signatures, now.received - before.received);
    if (wanted_.account) {
      const system::AccountInfo info = values.account.value_or(system::AccountInfo{});
      line += ", free " + to_text(info.data.free);
    }
    if (wanted_.channel) {
      line += values.channel
                  ? fmt::format(", channel {} at floor {}", enumerator_name(values.channel->phase),
                                values.channel->floor.version.value)
                  : ", channel absent";
    }
    fmt::print("{}\n", line);
  }
  std::fflush(stdout);
}

CliResult<void> Verify::follow(client::FinalHead shown) {
  std::uint32_t seen = 0;
  while (options_.count == 0 || seen < options_.count) {
    if (!wait()) return {};
    const client::Traffic before = light_->traffic();
    const auto head = advance();
    if (!head.ok()) {
      // A network that is gone for a while is what phones have; anything else ends it.
      if (head.error().exit != Exit::unreachable) return fail(head.error());
      warn_of_nodes();
      continue;
    }
    if (head->number == shown.number) continue;
    shown = *head;
    const Values values = TALLY_TRY(read());
    show_followed(shown, values, before);
    ++seen;
  }
  return {};
}

}  // namespace

void add_chain_verify(CLI::App& chain, Session& session) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* command = chain.add_subcommand(
      "verify", "Check finality, and a balance or a channel, from proofs alone");
  command->add_option("--node", options->nodes,
                      "a node to ask, host:port; several may be named, one honest one is enough");
  command->add_option("--from", options->from,
                      "where to begin: genesis, or NUMBER:HASH of a final block that you trust "
                      "(default: where the last command left off)");
  command->add_option("--balance", options->balance,
                      "prove this account's balance, or its absence");
  command->add_option("--channel", options->channel, "prove this channel's record, or its absence");
  command
      ->add_option("--max-age", options->max_age_s,
                   "seconds that the newest final block may be old; 0 = any age")
      ->capture_default_str();
  command->add_flag("--follow", options->follow,
                    "go on, a line for every newer head, until Ctrl-C");
  command->add_option("--every", options->every_ms, "with --follow: milliseconds between questions")
      ->capture_default_str();
  command
      ->add_option("--count", options->count, "with --follow: stop after so many heads; 0 = never")
      ->capture_default_str();
  command->footer(
      "Fetched are one proof an epoch and one of the newest block, no blocks; bytes are those of "
      "the\nmessages. A node whose answer does not hold is named with the check that failed; if no "
      "node is\nleft the command ends with exit code 6.\n"
      "Examples:\n  tally chain verify --from genesis --balance alice\n"
      "  tally chain verify --node 10.0.0.1:9943 --node 10.0.0.2:9943 --follow");
  command->callback([&session, options] {
    session.command = [&session, options] { return Verify(session, *options).run(); };
  });
}

}  // namespace tally::cli
