#include "client-sdk/chain/grpc_log.hpp"

#include <grpc/support/log.h>

#include <cstdlib>

namespace tally::client {

void silence_grpc_log() {
  if (std::getenv("GRPC_VERBOSITY") == nullptr) gpr_set_log_function([](gpr_log_func_args*) {});
}

}  // namespace tally::client
