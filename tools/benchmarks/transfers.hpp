// Transfers between the accounts of the bench chain, signed before the clock starts, and how long
// one takes to become final.
#pragma once

#include <string>
#include <vector>

#include "genesis/dev_keys.hpp"
#include "primitives/extrinsic.hpp"
#include "rpc/proto/author.grpc.pb.h"

namespace tally::bench {

class Transfers {
 public:
  Transfers();
  const Hash& genesis_hash() const { return additional_.genesis_hash; }
  struct Of {
    std::uint32_t from{};  // which of the chain's accounts
    std::uint32_t nonce{};
  };
  std::string sign(const Of& of) const;
  // Of an account that the chain does not know: valid but for the fee, which nobody pays.
  std::string sign_unpaid() const;

 private:
  std::string sign(const KeyPair& key, const AccountId& to, std::uint32_t nonce) const;

  std::vector<KeyPair> keys_;
  SignedAdditional additional_;
};

// From the call to the node's word that it is final. Throws std::runtime_error if it is not.
double lone_finality_ms(tallystick::v1::Author::Stub& author, const std::string& extrinsic);

double median(std::vector<double> values);

}  // namespace tally::bench
