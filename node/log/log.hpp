// Structured log lines of the programs: a message and named fields, as text for people or as one
// JSON object a line for machines.
//
//   log.info("peer up", {{"peer", id}, {"address", address}});
//
// Text:  2026-01-31T12:00:00.123Z info  network: peer up peer=5f.. address=127.0.0.1:30343
// JSON:  {"time":"..","level":"info","component":"network","message":"peer up","peer":"5f.."}
//
// Text that came from outside is escaped, so that no peer can forge a line. Threads: any. A Log is
// a cheap handle; copies write to the same sink. The default one writes nothing.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "primitives/result.hpp"

namespace tally {

enum class LogLevel : std::uint8_t { debug, info, warn, error };
enum class LogFormat : std::uint8_t { text, json };

Result<LogLevel, Error> parse_log_level(std::string_view name);
Result<LogFormat, Error> parse_log_format(std::string_view name);

struct LogField {
  std::string_view key;
  std::string value;
  bool quoted = true;  // in JSON; numbers are not

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  template <std::integral T>
  LogField(std::string_view k, T v) : key(k), value(std::to_string(v)), quoted(false) {}
};
using LogFields = std::initializer_list<LogField>;

class Log {
 public:
  Log() = default;
  struct Options {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;
  };
  static Log to_stderr(const Options& options);
  static Log to_stream(std::ostream& stream, const Options& options);  // tests

  // The same sink under the name of a part of the program.
  Log component(std::string_view name) const;

  void debug(std::string_view message, LogFields fields = {}) const;
  void info(std::string_view message, LogFields fields = {}) const;
  void warn(std::string_view message, LogFields fields = {}) const;
  void error(std::string_view message, LogFields fields = {}) const;

 private:
  struct Sink;
  void write(LogLevel level, std::string_view message, LogFields fields) const;

  std::shared_ptr<Sink> sink_;  // shared: by all components of a program
  std::string component_;
};

}  // namespace tally
