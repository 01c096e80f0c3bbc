// Calls as the bytes that are signed: module index ‖ call index ‖ arguments.
//
//   client.submit(key, call_bytes(credits::Transfer{AddressId{bob}, {amount}}));
#pragma once

#include "runtime/call.hpp"

namespace tally::client {

inline Bytes call_bytes(const credits::Call& call) {
  return encode(runtime::RuntimeCall(runtime::CreditsCall{call}));
}
inline Bytes call_bytes(const channels::Call& call) {
  return encode(runtime::RuntimeCall(runtime::ChannelsCall{call}));
}
inline Bytes call_bytes(const workers::Call& call) {
  return encode(runtime::RuntimeCall(runtime::WorkersCall{call}));
}
inline Bytes call_bytes(const disputes::Call& call) {
  return encode(runtime::RuntimeCall(runtime::DisputesCall{call}));
}
inline Bytes call_bytes(const storage_registry::Call& call) {
  return encode(runtime::RuntimeCall(runtime::StorageRegistryCall{call}));
}
inline Bytes call_bytes(const validators::Call& call) {
  return encode(runtime::RuntimeCall(runtime::ValidatorsCall{call}));
}

}  // namespace tally::client
