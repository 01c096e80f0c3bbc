// tally-pitfalls-faulty FAULT [Catch2's arguments]: the tests of the known pitfalls of consensus,
// with one of them put back. ctest expects each to fail then.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include <cstdio>

#include "node/consensus/planted.hpp"

int main(int argc, char** argv) {
  if (argc < 2 || !tally::consensus::plant(argv[1])) {
    std::fprintf(stderr, "usage: tally-pitfalls-faulty FAULT [test filter]\n");
    return 2;
  }
  argv[1] = argv[0];
  return Catch::Session().run(argc - 1, argv + 1);
}
