#include <algorithm>
#include <charconv>

#include "client-sdk/http/http.hpp"

namespace tally::http {

namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;
constexpr std::size_t kMaxUrl = 2048;

// What may stand in a URL, so that nothing in it can end the request's line.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

bool take_scheme(std::string_view& rest, Endpoint& endpoint) {
  for (const auto& [name, tls] : {std::pair{std::string_view("http://"), false},
                                  std::pair{std::string_view("https://"), true}}) {
    if (!rest.starts_with(name)) continue;
    rest = rest.substr(name.size());
    endpoint.tls = tls;
    return true;
  }
  return false;
}

bool parse_port(std::string_view text, std::uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

}  // namespace

Result<Endpoint, Error> Endpoint::parse(std::string_view url) {
  const auto wrong = [&] {
    return fail_with("expected http://host[:port][/path] or https://…, got \"" +
                     std::string(url.substr(0, 100)) + "\"");
  };
  Endpoint out;
  std::string_view rest = url;
  if (url.size() > kMaxUrl || !is_plain(url) || !take_scheme(rest, out)) return wrong();
  const auto slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  if (slash != std::string_view::npos) out.path = rest.substr(slash);
  while (out.path.ends_with('/')) out.path.pop_back();
  if (out.path.find_first_of("?#") != std::string::npos) return wrong();
  out.port = out.tls ? kHttpsPort : kHttpPort;
  const auto bracket = authority.find(']');
  const auto colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    if (!parse_port(authority.substr(colon + 1), out.port)) return wrong();
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) {
    authority = authority.substr(1, authority.size() - 2);
  } else if (authority.find(':') != std::string_view::npos) {
    return wrong();
  }
  if (authority.empty() || authority.find_first_of("@[]?#") != std::string_view::npos) {
    return wrong();
  }
  out.host = authority;
  return out;
}

std::string Endpoint::to_text() const {
  const bool default_port = port == (tls ? kHttpsPort : kHttpPort);
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return (tls ? "https://" : "http://") + name + (default_port ? "" : ":" + std::to_string(port)) +
         path;
}

}  // namespace tally::http
