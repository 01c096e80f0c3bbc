// Errors of below as errors of checkpoints. Internal to client-sdk/checkpoint.
#pragma once

#include "client-sdk/checkpoint/checkpoint.hpp"

namespace tally::checkpoint {

inline Failure<CheckpointError> failure(Fault fault, std::string message) {
  return {CheckpointError{{std::move(message)}, fault}};
}
inline Failure<CheckpointError> local_failure(const Error& error) {
  return failure(Fault::local, error.message);
}
inline Failure<CheckpointError> stopped(const std::string& what) {
  return failure(Fault::interrupted, "stopped " + what);
}
inline Failure<CheckpointError> chain_failure(const client::ClientError& error) {
  const bool cancelled = error.kind == client::ClientErrorKind::cancelled;
  auto out = failure(cancelled ? Fault::interrupted : Fault::chain, error.message);
  out.error.chain_error = error;
  return out;
}
inline Failure<CheckpointError> store_failure(const storage::StoreError& error) {
  const auto fault = [&] {
    switch (error.fault) {
      case storage::StoreFault::not_found:
        return Fault::unavailable;
      case storage::StoreFault::mismatch:
      case storage::StoreFault::too_large:
        return Fault::mismatch;
      case storage::StoreFault::interrupted:
        return Fault::interrupted;
      case storage::StoreFault::local:
        return Fault::local;
      case storage::StoreFault::unreachable:
      case storage::StoreFault::refused:
      case storage::StoreFault::unsupported:
        return Fault::store;
    }
    return Fault::store;
  };
  auto out = failure(fault(), error.message);
  out.error.store_fault = error.fault;
  return out;
}

template <class T>
CheckpointResult<T> of_chain(client::ClientResult<T> result) {
  if (!result.ok()) return chain_failure(result.error());
  return *std::move(result);
}

}  // namespace tally::checkpoint
