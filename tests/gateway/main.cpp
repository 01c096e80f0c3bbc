// test-gateway [PORT]: the gateway as a program. Says where it listens, and ends at the end of its
// standard input.
#include <cstdio>
#include <cstdlib>

#include "tests/gateway/gateway.hpp"

int main(int argc, char** argv) {
  const long port = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 0;
  const tally::gateway::Gateway gateway(static_cast<std::uint16_t>(port));
  std::printf("%s\n", gateway.url().c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}
