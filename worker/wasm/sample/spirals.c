// A guest for custom_wasm: a cyclic cellular automaton on a torus of 512 × 512 cells, a state of 256
// KiB in which spirals grow out of noise. Integers only, so every machine gives the same result.
//
// Arguments, as text: "SEED GENERATIONS". A step computes four rows, so that the machine can be
// stopped in the middle of a generation. The result is text: what was computed, a checksum of the
// grid, and how many cells there are of each colour.
//
// Source: Griffeath, "Cyclic random competition: a case history in experimental mathematics", 1988.

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define EXPORT(name) __attribute__((export_name(name)))

enum { kSide = 512, kRowsPerStep = 4, kColours = 12, kMaxText = 1024 };

static u8 grid[kSide][kSide];
// A row is written while the next one still reads it: the old values of three rows are kept.
static u8 above[kSide], here[kSide], first[kSide];
static u32 row, generation, generations;
static u64 seed;
static char text[kMaxText];
static u32 text_size;

static u64 next_random(u64* state) {
  *state += 0x9e3779b97f4a7c15ull;
  u64 z = *state;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ z >> 27) * 0x94d049bb133111ebull;
  return z ^ z >> 31;
}

static void copy_row(u8* to, const u8* from) {
  for (u32 x = 0; x < kSide; ++x) to[x] = from[x];
}

static u64 read_number(const char** at, const char* end) {
  u64 value = 0;
  while (*at < end && **at == ' ') ++*at;
  if (*at == end || **at < '0' || **at > '9') __builtin_trap();
  while (*at < end && **at >= '0' && **at <= '9') value = value * 10 + (u64)(*(*at)++ - '0');
  return value;
}

EXPORT("tally_buffer") char* tally_buffer(u32 size) {
  if (size > kMaxText) __builtin_trap();
  return text;
}

EXPORT("tally_init") void tally_init(const char* arguments, u32 size) {
  const char* at = arguments;
  seed = read_number(&at, arguments + size);
  generations = (u32)read_number(&at, arguments + size);
  u64 state = seed;
  for (u32 y = 0; y < kSide; ++y) {
    for (u32 x = 0; x < kSide; ++x) grid[y][x] = (u8)(next_random(&state) % kColours);
  }
}

static void compute_row(u32 y) {
  if (y == 0) {
    copy_row(above, grid[kSide - 1]);
    copy_row(first, grid[0]);
  }
  copy_row(here, grid[y]);
  const u8* below = y + 1 == kSide ? first : grid[y + 1];
  for (u32 x = 0; x < kSide; ++x) {
    const u8 wanted = here[x] + 1 == kColours ? 0 : (u8)(here[x] + 1);
    const u32 left = (x + kSide - 1) % kSide;
    const u32 right = (x + 1) % kSide;
    const int eaten = here[left] == wanted || here[right] == wanted || above[x] == wanted ||
                      below[x] == wanted;
    grid[y][x] = eaten ? wanted : here[x];
  }
  copy_row(above, here);
}

static void put_text(const char* word) {
  while (*word) text[text_size++] = *word++;
}

static void put_number(u64 value) {
  char digits[20];
  u32 n = 0;
  do digits[n++] = (char)('0' + value % 10);
  while ((value /= 10) != 0);
  while (n > 0) text[text_size++] = digits[--n];
}

static void put_hex(u64 value) {
  for (int shift = 60; shift >= 0; shift -= 4) {
    text[text_size++] = "0123456789abcdef"[value >> shift & 15];
  }
}

static void write_result(void) {
  u32 count[kColours] = {0};
  u64 checksum = 0xcbf29ce484222325ull;  // FNV-1a
  for (u32 y = 0; y < kSide; ++y) {
    for (u32 x = 0; x < kSide; ++x) {
      checksum = (checksum ^ grid[y][x]) * 0x100000001b3ull;
      ++count[grid[y][x]];
    }
  }
  text_size = 0;
  put_text("seed ");
  put_number(seed);
  put_text(", generations ");
  put_number(generations);
  put_text(", checksum ");
  put_hex(checksum);
  put_text(", cells");
  for (u32 i = 0; i < kColours; ++i) {
    put_text(" ");
    put_number(count[i]);
  }
  put_text("\n");
}

EXPORT("tally_step") int tally_step(void) {
  if (generation < generations) {
    for (u32 i = 0; i < kRowsPerStep; ++i) compute_row(row + i);
    row += kRowsPerStep;
    if (row == kSide) {
      row = 0;
      ++generation;
    }
  }
  if (generation < generations) return 0;
  write_result();
  return 1;
}

EXPORT("tally_result") const char* tally_result(void) { return text; }
EXPORT("tally_result_size") u32 tally_result_size(void) { return text_size; }
