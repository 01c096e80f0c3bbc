// What has come in over a TCP connection, as the kernel counts it: whatever becomes of it above. In
// a file of its own, since the C library's description of what the kernel tells is older than this
// number and excludes the kernel's. Internal to rpc/.
#pragma once

#include <cstdint>

namespace tally::rpc {

// Since it was opened; 0 for what is no TCP connection.
std::uint64_t bytes_received(int fd);

}  // namespace tally::rpc
