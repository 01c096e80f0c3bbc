#include "node/network/framing.hpp"

#include <catch2/catch.hpp>

#include "primitives/codec/scale.hpp"

using namespace tally;
using namespace tally::network;

namespace {

struct Got {
  Lane lane;
  Bytes bytes;
  friend bool operator==(const Got&, const Got&) = default;
};

std::optional<FrameError> feed(FrameAssembler& assembler, ByteView bytes, std::vector<Got>& out) {
  return assembler.consume(bytes, [&](Lane lane, Bytes frame) {
    out.push_back({lane, std::move(frame)});
    return true;
  });
}

Bytes header(Lane lane, std::uint8_t last, std::uint32_t length) {
  return encode(std::tuple{std::uint8_t{lane}, last, length});
}

FrameAssembler open_assembler() {
  FrameAssembler out;
  out.open_channels();
  return out;
}

}  // namespace

TEST_CASE("frames of every size survive, however the stream is cut") {
  for (const std::size_t size : {0u, 1u, 32768u, 32769u, 100'000u}) {
    for (const std::size_t cut : {1u, 5u, 7u, 4096u}) {
      SendQueue queue(1 << 20);
      Bytes frame(size);
      for (std::size_t i = 0; i < size; ++i) frame[i] = static_cast<std::uint8_t>(i * 31);
      REQUIRE(queue.push(2, frame));
      REQUIRE(queue.push(kControlLane, {7}));
      Bytes stream;
      CHECK(queue.take(stream, ~std::size_t{0}) == 2);
      CHECK(queue.empty());
      CHECK(queue.bytes() == 0);
      FrameAssembler assembler = open_assembler();
      std::vector<Got> got;
      for (std::size_t at = 0; at < stream.size(); at += cut) {
        const auto part = ByteView(stream).subspan(at, std::min(cut, stream.size() - at));
        REQUIRE_FALSE(feed(assembler, part, got));
      }
      CHECK(got == std::vector<Got>{{kControlLane, {7}}, {2, frame}});
    }
  }
}

TEST_CASE("an urgent frame overtakes a long one that is half sent") {
  SendQueue queue(1 << 20);
  REQUIRE(queue.push(2, Bytes(100'000, 1)));
  Bytes stream;
  queue.take(stream, 1);  // the first fragment
  REQUIRE(queue.push(0, {9}));
  queue.take(stream, ~std::size_t{0});
  FrameAssembler assembler = open_assembler();
  std::vector<Got> got;
  REQUIRE_FALSE(feed(assembler, stream, got));
  REQUIRE(got.size() == 2);
  CHECK(got[0] == Got{0, {9}});
  CHECK(got[1].bytes == Bytes(100'000, 1));
}

TEST_CASE("a full queue drops the newest of the least urgent, then the new frame") {
  SendQueue queue(100);
  REQUIRE(queue.push(2, Bytes(40, 1)));
  REQUIRE(queue.push(2, Bytes(40, 2)));
  REQUIRE(queue.push(1, Bytes(20, 3)));
  CHECK_FALSE(queue.push(2, Bytes(1, 4)));  // nothing is less urgent
  REQUIRE(queue.push(0, Bytes(40, 5)));     // the second frame of lane 2 goes
  CHECK(queue.dropped() == 2);
  CHECK(queue.bytes() == 100);
  CHECK_FALSE(queue.push(0, Bytes(101, 6)));  // can never fit
  Bytes stream;
  queue.take(stream, ~std::size_t{0});
  FrameAssembler assembler = open_assembler();
  std::vector<Got> got;
  REQUIRE_FALSE(feed(assembler, stream, got));
  CHECK(got == std::vector<Got>{{0, Bytes(40, 5)}});
}

TEST_CASE("a frame that is half sent is never dropped") {
  SendQueue queue(50'000);
  REQUIRE(queue.push(2, Bytes(40'000, 1)));
  Bytes stream;
  queue.take(stream, 1);
  CHECK_FALSE(queue.push(0, Bytes(20'000, 2)));
  queue.take(stream, ~std::size_t{0});
  FrameAssembler assembler = open_assembler();
  std::vector<Got> got;
  REQUIRE_FALSE(feed(assembler, stream, got));
  CHECK(got == std::vector<Got>{{2, Bytes(40'000, 1)}});
}

TEST_CASE("control frames wait in a bounded number") {
  SendQueue queue(10);
  for (std::size_t i = 0; i < kControlFramesMax; ++i) REQUIRE(queue.push(kControlLane, Bytes(9)));
  CHECK_FALSE(queue.push(kControlLane, Bytes(9)));
}

TEST_CASE("what no sender of ours makes is refused by name") {
  std::vector<Got> got;
  SECTION("unknown lane") {
    FrameAssembler assembler = open_assembler();
    CHECK(feed(assembler, header(kLanes, 1, 0), got) == FrameError::unknown_lane);
  }
  SECTION("a channel before the peer said who it is") {
    FrameAssembler assembler;
    CHECK(feed(assembler, header(0, 1, 0), got) == FrameError::unknown_lane);
  }
  SECTION("flag") {
    FrameAssembler assembler = open_assembler();
    CHECK(feed(assembler, header(0, 2, 0), got) == FrameError::bad_flag);
  }
  SECTION("fragment") {
    FrameAssembler assembler = open_assembler();
    CHECK(feed(assembler, header(0, 1, kFragmentBytesMax + 1), got) ==
          FrameError::fragment_too_long);
  }
  SECTION("control frame") {
    FrameAssembler assembler;
    CHECK(feed(assembler, header(kControlLane, 1, kControlBytesMax + 1), got) ==
          FrameError::frame_too_long);
  }
  SECTION("a frame of one byte too much, whatever its parts are") {
    FrameAssembler assembler = open_assembler();
    const Bytes body(kFragmentBytesMax, 1);
    for (std::size_t i = 0; i < ports::kMaxFrameBytes / kFragmentBytesMax; ++i) {
      REQUIRE_FALSE(feed(assembler, header(1, 0, kFragmentBytesMax), got));
      REQUIRE_FALSE(feed(assembler, body, got));
    }
    CHECK(feed(assembler, header(1, 1, 1), got) == FrameError::frame_too_long);
  }
  CHECK(got.empty());
}
