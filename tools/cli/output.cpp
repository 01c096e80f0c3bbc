// How `tally` speaks and listens: tables, JSON, progress, and secrets from the terminal.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <iterator>

#include "tools/cli/session.hpp"

namespace tally::cli {

namespace {

constexpr int kPollMs = 200;

// Columns that a text takes: code points, since names and amounts have nothing wider.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t width) {
  const std::size_t have = width_of(text);
  return have < width ? text + std::string(width - have, ' ') : text;
}

void print_row(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const bool last = i + 1 == cells.size();
    line += last ? cells[i] : padded(cells[i], widths[i]) + "  ";
  }
  fmt::print("{}\n", line);
}

// Switches the terminal's echo off while it lives.
class NoEcho {
 public:
  explicit NoEcho(int fd) : fd_(fd), changed_(tcgetattr(fd, &before_) == 0) {
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (changed_) tcsetattr(fd_, TCSAFLUSH, &silent);
  }
  ~NoEcho() {
    if (changed_) tcsetattr(fd_, TCSAFLUSH, &before_);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  int fd_;
  termios before_{};
  bool changed_;
};

}  // namespace

void Session::show(const Json& json, const Sheet& sheet) const {
  if (options.json) {
    fmt::print("{}\n", json.dump(2));
    return;
  }
  std::size_t width = 0;
  for (const auto& [name, value] : sheet) width = std::max(width, width_of(name));
  for (const auto& [name, value] : sheet) fmt::print("{}  {}\n", padded(name, width), value);
}

void Session::show(const Json& json, const Table& table) const {
  if (options.json) {
    fmt::print("{}\n", json.dump(2));
    return;
  }
  std::vector<std::size_t> widths;
  for (const std::string& heading : table.headings) widths.push_back(width_of(heading));
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  print_row(table.headings, widths);
  for (const auto& row : table.rows) print_row(row, widths);
}

void Session::say(const std::string& line) const {
  if (!options.json) fmt::print("{}\n", line);
}

void Session::progress(const std::string& line) const {
  fmt::print(stderr, "{}\n", line);
}

std::string time_text(std::uint64_t ms_since_1970) {
  const std::time_t seconds = static_cast<std::time_t>(ms_since_1970 / 1'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
  return fmt::format("{}.{:03} UTC", text, ms_since_1970 % 1'000);
}

CliResult<std::string> read_secret(const std::string& prompt, const std::stop_token& stop) {
  const int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    return fail(Fault{Exit::keys, "keys",
                      "a password is needed and there is no terminal to ask at: give it with "
                      "--password-file or TALLY_PASSWORD"});
  }
  std::string typed;
  bool done = false;
  {
    const NoEcho quiet(fd);
    dprintf(fd, "%s: ", prompt.c_str());
    pollfd wait{fd, POLLIN, 0};
    char c = 0;
    while (!done && !stop.stop_requested()) {
      if (poll(&wait, 1, kPollMs) <= 0) continue;
      if (read(fd, &c, 1) != 1) break;
      if (c == '\n') done = true;
      if (!done) typed.push_back(c);
    }
    dprintf(fd, "\n");
  }
  close(fd);
  if (!done) return fail(Fault{Exit::interrupted, "interrupted", "no password was given"});
  return typed;
}

std::string read_stdin() {
  std::string text(std::istreambuf_iterator<char>(std::cin), {});
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

}  // namespace tally::cli
