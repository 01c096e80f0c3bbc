// The events of a block as the RPC shows them. Internal to rpc/.
#pragma once

#include "node/ports/query.hpp"
#include "rpc/proto/chain.pb.h"

namespace tally::rpc {

void fill(tallystick::v1::BlockEvents& out, const ports::BlockEvents& events);

}  // namespace tally::rpc
