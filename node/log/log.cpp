#include "node/log/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <array>

namespace tally {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

// Control characters, quotes and backslashes as in JSON strings; other bytes as they are.
std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHexDigits[byte >> 4];
      out += kHexDigits[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

bool is_plain(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || c == '"' || c == '\\' || c == '=' || byte == 0x7f) return false;
  }
  return !text.empty();
}

std::string text_line(std::string_view component, std::string_view message, LogFields fields) {
  std::string out;
  if (!component.empty()) out.append(component).append(": ");
  out += escape(message);
  for (const LogField& field : fields) {
    out.append(" ").append(field.key).append("=");
    if (is_plain(field.value)) {
      out += field.value;
    } else {
      out.append("\"").append(escape(field.value)).append("\"");
    }
  }
  return out;
}

// The rest of an object that the pattern has opened with time and level.
std::string json_members(std::string_view component, std::string_view message, LogFields fields) {
  std::string out = "\"component\":\"" + escape(component) + "\",\"message\":\"";
  out.append(escape(message)).append("\"");
  for (const LogField& field : fields) {
    out.append(",\"").append(field.key).append("\":");
    if (field.quoted) {
      out.append("\"").append(escape(field.value)).append("\"");
    } else {
      out += field.value;
    }
  }
  return out;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

struct Log::Sink {
  LogFormat format;
  spdlog::logger logger;

  Sink(const Options& options, spdlog::sink_ptr target)
      : format(options.format), logger("tally", std::move(target)) {
    const char* pattern = format == LogFormat::text
                              ? "%Y-%m-%dT%H:%M:%S.%eZ %^%-7l%$ %v"
                              : R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";
    logger.set_formatter(
        std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
    logger.set_level(spdlog_level(options.level));
    logger.flush_on(spdlog::level::debug);
  }
};

Result<LogLevel, Error> parse_log_level(std::string_view name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "info") return LogLevel::info;
  if (name == "warn") return LogLevel::warn;
  if (name == "error") return LogLevel::error;
  return fail_with("log level: expected debug, info, warn or error, came '" + std::string(name) +
                   "'");
}

Result<LogFormat, Error> parse_log_format(std::string_view name) {
  if (name == "text") return LogFormat::text;
  if (name == "json") return LogFormat::json;
  return fail_with("log format: expected text or json, came '" + std::string(name) + "'");
}

Log Log::to_stderr(const Options& options) {
  Log out;
  out.sink_ =
      std::make_shared<Sink>(options, std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  return out;
}

Log Log::to_stream(std::ostream& stream, const Options& options) {
  Log out;
  out.sink_ =
      std::make_shared<Sink>(options, std::make_shared<spdlog::sinks::ostream_sink_mt>(stream));
  return out;
}

Log Log::component(std::string_view name) const {
  Log out = *this;
  out.component_ = name;
  return out;
}

void Log::debug(std::string_view message, LogFields fields) const {
  write(LogLevel::debug, message, fields);
}
void Log::info(std::string_view message, LogFields fields) const {
  write(LogLevel::info, message, fields);
}
void Log::warn(std::string_view message, LogFields fields) const {
  write(LogLevel::warn, message, fields);
}
void Log::error(std::string_view message, LogFields fields) const {
  write(LogLevel::error, message, fields);
}

void Log::write(LogLevel level, std::string_view message, LogFields fields) const {
  if (!sink_ || !sink_->logger.should_log(spdlog_level(level))) return;
  const std::string line = sink_->format == LogFormat::text
                               ? text_line(component_, message, fields)
                               : json_members(component_, message, fields);
  sink_->logger.log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace tally
