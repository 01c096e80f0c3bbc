// The mark against a model that remembers every signature: whatever is asked for, in whatever
// order, over restarts with a crash at any write, no two signatures are given that "Never" of
// consensus forbids together.
#include "node/signer/mark.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <set>

using namespace tally;
using namespace tally::signer;

namespace {

struct Crash {};

// A file that outlives its users, and a machine that stops before or after any write of it.
struct Disk {
  std::optional<Bytes> content;
  std::optional<std::size_t> crash_in;  // writes from now on
  bool before = false;
  std::size_t writes = 0;
};

class MemoryFile final : public store::DurableFile {
 public:
  explicit MemoryFile(Disk& disk) : disk_(disk) {}
  std::optional<Bytes> read() override { return disk_.content; }
  void append(ByteView) override { FAIL("the mark is replaced, never appended to"); }
  void write_at(std::size_t, ByteView) override { FAIL("the mark is replaced as a whole"); }
  void truncate(std::size_t) override { FAIL("the mark is replaced as a whole"); }
  void sync() override {}
  void replace(ByteView bytes) override {
    ++disk_.writes;
    const bool crash = disk_.crash_in && (*disk_.crash_in)-- == 0;
    if (crash) disk_.crash_in.reset();
    if (crash && disk_.before) throw Crash();
    disk_.content = to_bytes(bytes);
    if (crash) throw Crash();
  }

 private:
  Disk& disk_;
};

const Ed25519Key kKey{{1}};
const Hash kGenesis{{2}};

Hash block(std::uint8_t number) {
  return number == 0 ? Hash{} : Hash{{number}};
}

Result<std::unique_ptr<SigningMark>, Error> open(Disk& disk, bool may_begin = true) {
  return SigningMark::open(std::make_unique<MemoryFile>(disk), {kKey, may_begin});
}

// "Never", written down anew.
bool forbidden_together(const Statement& a, const Statement& b) {
  if (a.epoch != b.epoch || a.view != b.view) return false;
  if (a.kind == b.kind) return a.hash != b.hash;
  const auto is = [&](VoteKind x, VoteKind y) { return a.kind == x && b.kind == y; };
  return is(VoteKind::nullify, VoteKind::finalize) || is(VoteKind::finalize, VoteKind::nullify);
}

}  // namespace

TEST_CASE(
    "no two signatures that may not be together are ever given, over crashes at every write") {
  const std::uint64_t seed = GENERATE(range(0, 300));
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  Disk disk;
  auto mark = open(disk);
  std::vector<Statement> given;
  std::size_t refused = 0;
  std::size_t crashes = 0;
  std::uint64_t epoch = 1;
  std::uint64_t view = 1;
  for (int step = 0; step < 300; ++step) {
    if (below(20) == 0) disk.crash_in = below(6), disk.before = below(2) == 0;
    if (below(60) == 0) epoch += 1, view = 1;
    view += below(3) == 0 ? below(5) : 0;
    if (below(150) == 0) view += 100;
    const VoteKind kind = static_cast<VoteKind>(below(3));
    Statement wanted{Epoch(epoch - (below(30) == 0 && epoch > 1 ? 1 : 0)),
                     kind,
                     View(view - std::min(view, below(10) == 0 ? below(90) : below(3))),
                     {}};
    if (kind != VoteKind::nullify) wanted.hash = block(static_cast<std::uint8_t>(1 + below(2)));
    try {
      if ((*mark)->admit(kGenesis, wanted)) {
        ++refused;
        continue;
      }
    } catch (const Crash&) {
      ++crashes;
      mark = open(disk, false);
      REQUIRE(mark.ok());
      continue;  // the signature never left
    }
    for (const Statement& one : given) REQUIRE_FALSE(forbidden_together(one, wanted));
    given.push_back(wanted);
    if (below(40) == 0) mark = open(disk, false);
    REQUIRE(mark.ok());
  }
  CHECK(given.size() > 50);
  CHECK(refused > 5);
}

TEST_CASE("what an honest validator asks for is signed, and again when asked again") {
  Disk disk;
  auto mark = *open(disk);
  for (std::uint64_t view = 1; view < 200; ++view) {
    const Statement notarize{Epoch(1), VoteKind::notarize, View(view), block(3)};
    const Statement nullify{Epoch(1), VoteKind::nullify, View(view), {}};
    const Statement finalize{Epoch(1), VoteKind::finalize, View(view), block(3)};
    CHECK_FALSE(mark->admit(kGenesis, notarize));
    CHECK_FALSE(mark->admit(kGenesis, view % 3 == 0 ? nullify : finalize));
    CHECK_FALSE(mark->admit(kGenesis, notarize));
    // A Finalize that comes many views late.
    const Statement late{Epoch(1), VoteKind::finalize,
                         View(view - std::min<std::uint64_t>(view - 1, 40)), block(3)};
    if (late.view.value % 3 != 0) CHECK_FALSE(mark->admit(kGenesis, late));
  }
  CHECK(mark->admit(kGenesis, {Epoch(1), VoteKind::nullify, View(3), {}}));  // closed
  CHECK_FALSE(mark->admit(kGenesis, {Epoch(2), VoteKind::nullify, View(1), {}}));
  CHECK(mark->admit(kGenesis, {Epoch(1), VoteKind::nullify, View(500), {}}));
  CHECK(mark->admit(block(9), {Epoch(3), VoteKind::nullify, View(1), {}}));  // another chain
}

TEST_CASE("a mark that is missing, damaged at any byte or of another key is no start") {
  Disk disk;
  const auto missing = open(disk, false);
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().message.find("--new-mark") != std::string::npos);
  {
    auto mark = *open(disk);
    REQUIRE_FALSE(mark->admit(kGenesis, {Epoch(1), VoteKind::nullify, View(1), {}}));
  }
  REQUIRE(open(disk, false).ok());
  const Bytes whole = *disk.content;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    disk.content = whole;
    (*disk.content)[at] ^= 0x10;
    for (const bool may_begin : {true, false}) CHECK_FALSE(open(disk, may_begin).ok());
    disk.content = Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(at));
    for (const bool may_begin : {true, false}) CHECK_FALSE(open(disk, may_begin).ok());
  }
  disk.content = whole;
  for (const bool may_begin : {true, false}) {
    CHECK_FALSE(
        SigningMark::open(std::make_unique<MemoryFile>(disk), {Ed25519Key{{7}}, may_begin}).ok());
  }
}

// In a standing command it would begin anew where the mark was lost. Shown to fail where the mark
// that is there is opened all the same.
TEST_CASE("a new mark is not begun where there is one, and that one stays as it is") {
  Disk disk;
  REQUIRE_FALSE((*open(disk))->admit(kGenesis, {Epoch(1), VoteKind::notarize, View(4), block(1)}));
  const Bytes whole = *disk.content;
  const auto again = open(disk);
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().message.find("without --new-mark") != std::string::npos);
  CHECK(disk.content == whole);
  const auto mark = open(disk, false);
  REQUIRE(mark.ok());
  CHECK((*mark)->admit(kGenesis, {Epoch(1), VoteKind::notarize, View(4), block(2)}));
}

// A node does not wait for as long as a slow disk takes, and asks again. Shown to fail where every
// answer is written first, and where the first of a process is not.
TEST_CASE("what the mark holds is not written again, but once by each process") {
  Disk disk;
  const Statement vote{Epoch(1), VoteKind::notarize, View(4), block(1)};
  const Statement other{Epoch(1), VoteKind::nullify, View(4), {}};
  for (const bool first : {true, false}) {
    auto mark = *open(disk, first);
    const std::size_t before = disk.writes;
    CHECK_FALSE(mark->admit(kGenesis, vote));
    CHECK(disk.writes == before + 1);
    for (int i = 0; i < 3; ++i) CHECK_FALSE(mark->admit(kGenesis, vote));
    CHECK(disk.writes == before + 1);
    if (first) continue;
    CHECK_FALSE(mark->admit(kGenesis, other));
    CHECK_FALSE(mark->admit(kGenesis, other));
    CHECK_FALSE(mark->admit(kGenesis, vote));
    CHECK(disk.writes == before + 2);
    CHECK(mark->admit(kGenesis, {Epoch(1), VoteKind::notarize, View(4), block(2)}));
  }
}
