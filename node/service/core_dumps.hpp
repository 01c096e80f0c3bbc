// A process that holds keys leaves none in a core dump, and no other process of its user may read
// its memory (ptrace, /proc/PID/mem).
#pragma once

namespace tally::service {

// For good; call before keys or a password are read. Where the system refuses, nothing changes.
void forbid_core_dumps();

}  // namespace tally::service
