// Fetches bytes by their hash from several places, none of them trusted: what comes is checked.
//
//   auto bytes = fetch_content({.hash = hash, .locations = {"203.0.113.7:9951"}}, stop);
//
// One round: every place is asked once, in order, until one gives the right bytes. A place that
// sends too much, too slowly or something else costs its share of the time and no more. Whoever
// wants to try for longer calls again.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "client-sdk/content/folder.hpp"

namespace tally::content {

constexpr std::size_t kMaxLocations = 4;

struct FetchRequest {
  Hash hash;
  std::vector<std::string> locations;  // host:port
  std::uint64_t max_bytes = kMaxContentBytes;
  std::chrono::milliseconds patience{30'000};  // for one place
};

// The error names every place and what it answered.
Result<Bytes, Error> fetch_content(const FetchRequest& request, const std::stop_token& stop);

// Whether it reads "host:port" or "[ipv6]:port" with a port from 1 to 65535. Nothing else is ever
// dialled: gRPC knows other schemes (unix:/path), which a stranger must not choose.
bool location_is_valid(std::string_view location);

}  // namespace tally::content
