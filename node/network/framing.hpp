// How frames travel inside a TLS stream, as plain state machines.
//
// A frame is cut into fragments, so that a vote does not wait behind a block of four megabytes:
//
//   lane u8 ‖ last u8 (0 or 1) ‖ length u32 little endian (<= 32 KiB) ‖ bytes
//
// Fragments of one lane are in order; lanes interleave. Every fragment of a frame but the last is
// full, so that a byte of header buys at least that much work. Lane 255 is the transport's own;
// lanes 0 to kLanes - 1 are the channels of the Network port, the lower the more urgent.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string_view>

#include "node/ports/network.hpp"
#include "primitives/bytes.hpp"

namespace tally::network {

using Lane = std::uint8_t;
constexpr Lane kLanes = 3;
constexpr Lane kControlLane = 255;
constexpr std::size_t kFragmentBytesMax = 32 * 1024;
constexpr std::size_t kFragmentHeaderBytes = 6;
constexpr std::size_t kControlBytesMax = 1024;
constexpr std::size_t kControlFramesMax = 64;

enum class FrameError : std::uint8_t {
  unknown_lane,
  bad_flag,
  fragment_too_long,
  fragment_too_short,
  frame_too_long
};
std::string_view to_text(FrameError error);

// Puts received bytes together. Memory grows with what has arrived, never with what a length field
// promises.
class FrameAssembler {
 public:
  using Visit = std::function<bool(Lane, Bytes)>;  // false: stop, the rest is not wanted

  // Calls visit for every frame that became whole. After an error the stream is unusable.
  std::optional<FrameError> consume(ByteView bytes, const Visit& visit);
  // Before the peer has said who it is, only the control lane is accepted.
  void open_channels() { open_ = true; }
  // Held of frames that are not whole yet.
  std::size_t bytes() const;

 private:
  std::optional<FrameError> read_header();
  Bytes& partial(Lane lane) { return lane == kControlLane ? parts_[kLanes] : parts_[lane]; }

  std::array<std::uint8_t, kFragmentHeaderBytes> header_{};
  std::size_t header_bytes_ = 0;
  std::size_t missing_ = 0;  // of the fragment's body
  Lane lane_ = 0;
  bool last_ = false;
  bool open_ = false;
  std::array<Bytes, kLanes + 1> parts_;
};

// What waits to be sent to one peer. Its memory is bounded by `bytes_max`; when a frame does not
// fit, the newest frames of the least urgent lane below it are dropped, and if that is not enough
// the frame itself. A frame of which a part was sent is never dropped. Control frames do not count;
// at most 64 of them wait.
class SendQueue {
 public:
  explicit SendQueue(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  bool push(Lane lane, Bytes frame);  // false: the frame was dropped
  // Appends the most urgent fragments until `out` holds at least `bytes_max` or nothing is left.
  // Returns how many frames are now gone whole.
  std::size_t take(Bytes& out, std::size_t bytes_max);
  bool empty() const { return frames_ == 0; }
  std::size_t bytes() const { return bytes_; }
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Queue {
    std::deque<Bytes> frames;
    std::size_t sent = 0;  // bytes of the first frame that are gone
  };
  bool drop_below(std::size_t queue);

  std::array<Queue, kLanes + 1> queues_;  // control first
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::size_t frames_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace tally::network
