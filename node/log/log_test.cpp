#include "node/log/log.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

using namespace tally;

TEST_CASE("a text line holds level, component, message and fields") {
  std::ostringstream out;
  const Log log = Log::to_stream(out, {}).component("network");
  log.info("peer up", {{"peer", "ab12"}, {"count", 3}, {"why", "two words"}});
  const std::string line = out.str();
  CHECK(line.find("info") != std::string::npos);
  CHECK(line.find("network: peer up peer=ab12 count=3 why=\"two words\"\n") != std::string::npos);
}

TEST_CASE("a JSON line is one object, whatever the text holds") {
  std::ostringstream out;
  const Log log = Log::to_stream(out, {LogLevel::debug, LogFormat::json}).component("rpc");
  log.warn("bad \"input\"\n", {{"bytes", std::string("\x01\x7f\\")}, {"size", -5}});
  const auto json = nlohmann::json::parse(out.str());
  CHECK(json["level"] == "warning");
  CHECK(json["component"] == "rpc");
  CHECK(json["message"] == "bad \"input\"\n");
  CHECK(json["bytes"] == "\x01\x7f\\");
  CHECK(json["size"] == -5);
  CHECK(json.contains("time"));
}

TEST_CASE("text from outside cannot forge a line") {
  std::ostringstream out;
  Log::to_stream(out, {}).info("came", {{"name", "x\n2026 error: fire"}});
  const std::string text = out.str();
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
}

TEST_CASE("lines below the level, and lines of no log, are not written") {
  std::ostringstream out;
  Log::to_stream(out, {LogLevel::warn, LogFormat::text}).info("quiet");
  CHECK(out.str().empty());
  Log().error("nowhere");
}

TEST_CASE("unknown level and format are named in the error") {
  CHECK(parse_log_level("debug").ok());
  CHECK(parse_log_level("loud").error().message.find("'loud'") != std::string::npos);
  CHECK(parse_log_format("xml").error().message.find("text or json") != std::string::npos);
}
