#include "node/service/core_dumps.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace tally::service {

void forbid_core_dumps() {
  const rlimit none{0, 0};
  (void)::setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__)  // its look for leaks reads the memory from beside the process
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

}  // namespace tally::service
