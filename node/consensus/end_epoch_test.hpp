// The end of an epoch, for tests of what the next one begins with.
#pragma once

#include <catch2/catch.hpp>

#include "tests/sim/bench.hpp"

namespace tally::consensus {

// Of the first epoch, where epochs have two blocks.
inline void end_first_epoch(sim::Bench& bench) {
  Hash below = bench.root();
  for (std::uint64_t view = 1; view <= 3; ++view) {
    const Proposal made = bench.propose(View(view), below);
    below = bench.hash_of(made);
    bench.receive(bench.leader(View(view)), made);
    bench.receive(bench.others()[0],
                  CertificateMessage{bench.certificate(VoteKind::notarize, View(view), below)});
  }
  bench.receive(bench.others()[0],
                CertificateMessage{bench.certificate(VoteKind::finalize, View(3), below)});
  REQUIRE(bench.engine().epoch() == Epoch(2));
}

}  // namespace tally::consensus
