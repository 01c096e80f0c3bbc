// TALLY_CLONES("avx2", "default") before a function: it is compiled once for each kind of machine,
// and the loader chooses. Not under the thread sanitizer, which is not awake when the loader asks.
#pragma once

#ifdef __SANITIZE_THREAD__
#define TALLY_CLONES(...)
#else
#define TALLY_CLONES(...) __attribute__((target_clones(__VA_ARGS__)))
#endif
