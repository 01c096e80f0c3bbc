#include "worker/service/config.hpp"

// The library's own checks would end the program over what its parser then refuses, such as "[=a]".
#define TOML_ASSERT(expr) static_cast<void>(0)
#include <toml++/toml.h>
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <set>

#include "primitives/config_text.hpp"
#include "primitives/ss58.hpp"

namespace tally::worker {

namespace {

// Reads a table's keys one by one, and then says which were not asked for.
class Table {
 public:
  Table(const toml::table& table, std::string name, std::string source)
      : table_(table), name_(std::move(name)), source_(std::move(source)) {}

  template <class Int>
  Result<void, Error> number(std::string_view key, Int& out, std::uint64_t min, std::uint64_t max) {
    const toml::node* const node = find(key);
    if (node == nullptr) return {};
    const auto value = node->value<std::int64_t>();
    if (!node->is_integer() || *value < 0 || static_cast<std::uint64_t>(*value) < min ||
        static_cast<std::uint64_t>(*value) > max) {
      return wrong(key, "an integer from " + to_decimal(min) + " to " + to_decimal(max), *node);
    }
    out = static_cast<Int>(*value);
    return {};
  }
  Result<void, Error> text(std::string_view key, std::string& out) {
    const toml::node* const node = find(key);
    if (node == nullptr) return {};
    if (!node->is_string()) return wrong(key, "a text", *node);
    out = **node->as_string();
    return {};
  }
  Result<void, Error> path(std::string_view key, std::filesystem::path& out) {
    std::string value = out.string();
    TALLY_TRY(text(key, value));
    out = value;
    return {};
  }
  Result<void, Error> flag(std::string_view key, bool& out) {
    const toml::node* const node = find(key);
    if (node == nullptr) return {};
    if (!node->is_boolean()) return wrong(key, "true or false", *node);
    out = **node->as_boolean();
    return {};
  }
  Result<const toml::table*, Error> table(std::string_view key) {
    const toml::node* const node = find(key);
    if (node == nullptr) return static_cast<const toml::table*>(nullptr);
    if (!node->is_table()) return wrong(key, "a table", *node);
    return node->as_table();
  }
  Result<void, Error> nothing_else() const {
    for (const auto& [key, value] : table_) {
      if (known_.contains(std::string(key.str()))) continue;
      std::string all;
      for (const std::string& name : known_) all += (all.empty() ? "" : ", ") + name;
      return fail_with(place(value) + ": unknown key '" + name_ + std::string(key.str()) +
                       "'; known here: " + all);
    }
    return {};
  }
  Failure<Error> wrong(std::string_view key, const std::string& expected,
                       const toml::node& node) const {
    std::ostringstream got;
    node.visit([&](const auto& value) { got << value; });
    return fail_with(place(node) + ": " + name_ + std::string(key) + " must be " + expected +
                     ", got " + got.str());
  }
  const toml::node* find(std::string_view key) {
    known_.insert(std::string(key));
    return table_.get(key);
  }

 private:
  std::string place(const toml::node& node) const {
    return source_ + ":" + to_decimal(node.source().begin.line);
  }

  const toml::table& table_;
  std::string name_;
  std::string source_;
  std::set<std::string> known_;
};

Result<void, Error> read_account(const toml::table* table, const std::string& source,
                                 AccountConfig& account) {
  if (table == nullptr) return {};
  Table keys(*table, "account.", source);
  TALLY_TRY(keys.path("key_file", account.key_file));
  TALLY_TRY(keys.path("password_file", account.password_file));
  TALLY_TRY(keys.text("dev_account", account.dev_account));
  return keys.nothing_else();
}

// [prices]  prime_calculation = "1 CC per 1800000000000"; a type that is not named is not offered.
Result<task::TaskPrice, Error> parse_price(task::TaskType type, const std::string& text) {
  const auto per = text.find(" per ");
  const auto bad = [&] {
    return fail_with("the price of " + std::string(task::to_text(type)) +
                     " must read like \"1 CC per 1800000000000\", got \"" + text + "\"");
  };
  if (per == std::string::npos) return bad();
  const auto price = parse_balance(std::string_view(text).substr(0, per));
  const auto units = parse_decimal(std::string_view(text).substr(per + 5));
  if (!price || !units || *units == 0 || *units > std::numeric_limits<std::uint64_t>::max()) {
    return bad();
  }
  return task::TaskPrice{type, *price, static_cast<std::uint64_t>(*units)};
}

Result<void, Error> read_prices(const toml::table* table, const std::string& source,
                                std::vector<task::TaskPrice>& prices) {
  if (table == nullptr) return {};
  Table keys(*table, "prices.", source);
  prices.clear();
  for (const auto& entry : tally_describe_enum(task::TaskType{})) {
    std::string text;
    TALLY_TRY(keys.text(entry.name, text));
    if (!text.empty()) prices.push_back(TALLY_TRY(parse_price(entry.value, text)));
  }
  return keys.nothing_else();
}

Result<void, Error> read_registration(const toml::table* table, const std::string& source,
                                      RegistrationConfig& registration) {
  if (table == nullptr) return {};
  Table keys(*table, "registration.", source);
  std::string stake;
  TALLY_TRY(keys.text("stake", stake));
  if (!stake.empty()) {
    const auto amount = parse_balance(stake);
    if (!amount) {
      return keys.wrong("stake", "an amount like \"150 CC\"", *keys.find("stake"));
    }
    registration.stake = *amount;
  }
  TALLY_TRY(keys.text("endpoint", registration.endpoint));
  TALLY_TRY(keys.flag("verify", registration.verify));
  TALLY_TRY(keys.number("duties_max", registration.duties_max, 1, 64));
  TALLY_TRY(keys.number("runs_max", registration.runs_max, 1, 64));
  return keys.nothing_else();
}

Result<void, Error> read_tower(const toml::table* table, const std::string& source,
                               TowerConfig& tower) {
  if (table == nullptr) return {};
  Table keys(*table, "tower.", source);
  TALLY_TRY(keys.path("folder", tower.folder));
  std::string account;
  TALLY_TRY(keys.text("account", account));
  if (!account.empty()) {
    const auto parsed = parse_account(account);
    if (!parsed) return keys.wrong("account", "an account's address", *keys.find("account"));
    tower.account = *parsed;
  }
  TALLY_TRY(keys.nothing_else());
  if (tower.account && tower.folder.empty()) {
    return fail_with(source +
                     ": tower.account is set and tower.folder is not: name the folder of the "
                     "`tally channel watch` that gets the states");
  }
  return {};
}

Result<void, Error> read_limits(const toml::table* table, const std::string& source,
                                WorkerConfig& config) {
  if (table == nullptr) return {};
  Table keys(*table, "limits.", source);
  constexpr std::uint64_t kMiB = 1 << 20;
  TALLY_TRY(keys.number("threads", config.threads, 0, 256));
  TALLY_TRY(keys.number("memory_bytes", config.memory_bytes, 64 * kMiB, 65'536 * kMiB));
  TALLY_TRY(keys.number("cpu_seconds", config.cpu_seconds, 1, 86'400));
  TALLY_TRY(keys.number("max_timeout_ms", config.max_timeout_ms, 1, 86'400'000));
  TALLY_TRY(keys.number("max_input_bytes", config.max_input_bytes, 0, 32 * kMiB));
  TALLY_TRY(keys.number("max_output_bytes", config.max_output_bytes, 1, 10 * kMiB));
  TALLY_TRY(keys.number("max_connections", config.max_connections, 1, 4'096));
  TALLY_TRY(keys.number("max_waiting_tasks", config.max_waiting_tasks, 1, 1'000'000));
  TALLY_TRY(keys.number("max_waiting_bytes", config.max_waiting_bytes, kMiB, 1'048'576 * kMiB));
  TALLY_TRY(keys.number("dead_letters", config.dead_letters, 1, 1'000'000));
  TALLY_TRY(keys.number("dead_letter_bytes", config.dead_letter_bytes, kMiB, 1'048'576 * kMiB));
  return keys.nothing_else();
}

Result<WorkerConfig, Error> read(const toml::table& root, const std::string& source) {
  WorkerConfig config;
  config.base_path = default_base_path();
  Table keys(root, "", source);
  TALLY_TRY(keys.path("base_path", config.base_path));
  TALLY_TRY(keys.text("listen", config.listen));
  TALLY_TRY(keys.text("node", config.node));
  TALLY_TRY(keys.text("chain", config.chain));
  TALLY_TRY(keys.text("trust_block", config.trust_block));
  TALLY_TRY(keys.text("log_level", config.log_level));
  TALLY_TRY(keys.number("window", config.window, 1, 256));
  TALLY_TRY(keys.number("credit_window", config.credit_window, 0, 1'000));
  TALLY_TRY(keys.flag("gpu", config.gpu));
  const toml::table* const account = TALLY_TRY(keys.table("account"));
  const toml::table* const prices = TALLY_TRY(keys.table("prices"));
  const toml::table* const limits = TALLY_TRY(keys.table("limits"));
  const toml::table* const registration = TALLY_TRY(keys.table("registration"));
  const toml::table* const tower = TALLY_TRY(keys.table("tower"));
  TALLY_TRY(keys.text("content_listen", config.content_listen));
  TALLY_TRY(read_account(account, source, config.account));
  TALLY_TRY(read_prices(prices, source, config.prices));
  TALLY_TRY(read_limits(limits, source, config));
  TALLY_TRY(read_registration(registration, source, config.registration));
  TALLY_TRY(read_tower(tower, source, config.tower));
  TALLY_TRY(keys.nothing_else());
  return config;
}

}  // namespace

std::filesystem::path default_base_path() {
  if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data != '\0') {
    return std::filesystem::path(data) / "tallystick" / "worker";
  }
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home == nullptr ? "." : home) / ".local/share/tallystick/worker";
}

Result<WorkerConfig, Error> parse_config(std::string_view text, const std::string& source) {
  const auto fit = check_config_text(text);
  if (!fit.ok()) return fail_with(source + ", " + fit.error().message);
  try {
    return read(toml::parse(text, source), source);
  } catch (const toml::parse_error& error) {
    return fail_with(source + ":" + to_decimal(error.source().begin.line) +
                     ": not TOML: " + std::string(error.description()));
  }
}

Result<WorkerConfig, Error> load_config(const std::filesystem::path& path) {
  if (path.empty()) return parse_config("", "(no file)");
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail_with("cannot read the configuration " + path.string());
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  return parse_config(text, path.string());
}

}  // namespace tally::worker
