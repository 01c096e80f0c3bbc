#include "worker/service/config.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

namespace tally::worker {
namespace {

std::string error_of(std::string_view toml) {
  const auto config = parse_config(toml, "w.toml");
  return config ? "accepted" : config.error().message;
}

TEST_CASE("the documented example is a configuration, with the defaults") {
  const auto config = load_config(TALLY_SOURCE_DIR "/docs/tally-worker.example.toml");
  if (!config) FAIL(config.error().message);
  const auto defaults = parse_config("", "");
  REQUIRE(defaults.ok());
  CHECK(config->prices == defaults->prices);
  CHECK(config->listen == defaults->listen);
  CHECK(config->credit_window == defaults->credit_window);
  CHECK(config->memory_bytes == defaults->memory_bytes);
  CHECK(config->max_timeout_ms == defaults->max_timeout_ms);
}

TEST_CASE("what a worker is on the chain") {
  const auto config = parse_config(
      "content_listen = '0.0.0.0:9951'\n[registration]\nstake = '150 CC'\nendpoint = 'h:1'\n"
      "verify = false\nduties_max = 3\nruns_max = 2",
      "w.toml");
  if (!config) FAIL(config.error().message);
  CHECK(config->registration.stake == Balance(150'000'000));
  CHECK(config->registration.endpoint == "h:1");
  CHECK_FALSE(config->registration.verify);
  CHECK(config->registration.duties_max == 3);
  CHECK(config->registration.runs_max == 2);
  CHECK(config->content_listen == "0.0.0.0:9951");
  CHECK(parse_config("", "")->registration.stake.is_zero());
  CHECK(error_of("[registration]\nstake = 'much'").find("w.toml:2: registration.stake must be") ==
        0);
  CHECK(error_of("[registration]\nduties_max = 0").find("must be an integer from 1 to 64") !=
        std::string::npos);
}

TEST_CASE("a tower is a folder, and may have an account that earns") {
  const std::string folder = "[tower]\nfolder = '/srv/tower'\n";
  const auto config = parse_config(
      folder + "account = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY'", "w.toml");
  if (!config) FAIL(config.error().message);
  CHECK(config->tower.folder == "/srv/tower");
  CHECK(config->tower.account.has_value());
  CHECK_FALSE(parse_config(folder, "")->tower.account);
  CHECK(parse_config("", "")->tower.folder.empty());
  CHECK(error_of(folder + "account = 'Bob'").find("w.toml:3: tower.account must be an account's") ==
        0);
  CHECK(error_of("[tower]\naccount = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY'")
            .find("tower.folder is not") != std::string::npos);
}

TEST_CASE("a wrong configuration says where, what was expected and what came") {
  CHECK(error_of("listne = 'x'").find("w.toml:1: unknown key 'listne'; known here: account") == 0);
  CHECK(error_of("\ncredit_window = -1") ==
        "w.toml:2: credit_window must be an integer from 0 to 1000, got -1");
  CHECK(error_of("[limits]\nmemory_bytes = 'much'").find("w.toml:2: limits.memory_bytes must be") ==
        0);
  CHECK(error_of("window = 1.5").find("must be an integer") != std::string::npos);
  CHECK(error_of("gpu = 1") == "w.toml:1: gpu must be true or false, got 1");
  CHECK(error_of("account = 3") == "w.toml:1: account must be a table, got 3");
  CHECK(error_of("listen = ").find("w.toml:1: not TOML") == 0);
  CHECK(error_of("[=listen]").find("w.toml:1: not TOML") == 0);
  CHECK(error_of("[prices]\nprime_calculation = '5'").find("must read like") != std::string::npos);
  CHECK(error_of("[prices]\nprime_calculation = '1 CC per 0'").find("must read like") !=
        std::string::npos);
}

TEST_CASE("a type without a price is not offered") {
  const auto config = parse_config("[prices]\nimage_resize = '7 uCC per 1000'", "w.toml");
  REQUIRE(config.ok());
  REQUIRE(config->prices.size() == 1);
  CHECK(config->prices[0] == task::TaskPrice{task::TaskType::image_resize, Balance(7), 1'000});
}

}  // namespace
}  // namespace tally::worker
