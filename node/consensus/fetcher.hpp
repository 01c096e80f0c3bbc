// What consensus needs from others and has asked for: blocks by hash, certificates by view and
// kind.
//
// Wants are declared anew in every step; one that is no longer declared is forgotten. The first
// request goes to the preferred peer (the proposal's leader), later ones, a retry interval apart,
// to two others each time, until the thing is here.
#pragma once

#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "node/consensus/peers.hpp"

namespace tally::consensus {

struct WantedCertificate {
  View view;
  VoteKind kind{};
  friend auto operator<=>(const WantedCertificate&, const WantedCertificate&) = default;
};
using Want = std::variant<Hash, WantedCertificate>;

struct Asking {
  Want want;
  std::vector<PeerId> peers;
};

class Fetcher {
 public:
  explicit Fetcher(DurationMs retry) : retry_(retry) {}

  void begin();  // of a step: nothing is wanted yet
  void want(const Want& want, std::vector<PeerId> preferred);
  bool wants(const Want& want) const { return open_.contains(want); }
  // The requests to make now; forgets what was not declared since begin().
  std::vector<Asking> due(const Peers& peers, Instant now);
  std::optional<Instant> next() const;

 private:
  struct Open {
    std::vector<PeerId> preferred;
    std::uint32_t asked = 0;  // times
    Instant at;               // of the next request
    bool declared = false;
  };

  DurationMs retry_;
  std::map<Want, Open> open_;
};

}  // namespace tally::consensus
