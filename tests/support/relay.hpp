// A TCP relay between two processes of a test, for delay and loss where the kernel offers neither.
// Every connection to its port is passed on to the target.
//
// Delay holds each piece of data back for so long in each direction. Loss is what TCP makes of a
// lost packet: a piece, and all behind it, is held back for a retransmission time more. cut() ends
// all connections and refuses new ones until heal().
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace tally::tests {

struct RelayQuality {
  std::uint32_t delay_ms = 0;  // one way
  std::uint32_t loss_per_mille = 0;
  std::uint32_t retransmission_ms = 200;
  std::string from = "127.0.0.1";  // the address that the target sees
};

class Relay {
 public:
  Relay(std::uint16_t target_port, const RelayQuality& quality);
  ~Relay();
  std::uint16_t port() const;
  void cut();
  void heal();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tally::tests
