// Genesis: block 0 and its state, from a chain spec.
#pragma once

#include <map>

#include "genesis/chain_spec.hpp"
#include "primitives/header.hpp"

namespace tally::genesis {

struct Genesis {
  std::map<Bytes, Bytes> state;
  Header header;  // number 0, no parent, no digest
  Hash hash;
};

// The spec is one that check_chain_spec accepts.
Genesis build_genesis(const ChainSpec& spec);

// The state alone.
std::map<Bytes, Bytes> genesis_state(const ChainSpec& spec);

}  // namespace tally::genesis
