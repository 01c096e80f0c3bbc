// gRPC writes its own log to the standard error, where only we should write: what matters reaches
// the caller as a result. Silent unless the environment variable GRPC_VERBOSITY is set.
#pragma once

namespace tally::client {

void silence_grpc_log();

}  // namespace tally::client
