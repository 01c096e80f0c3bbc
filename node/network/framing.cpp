#include "node/network/framing.hpp"

#include <algorithm>
#include <utility>

#include "primitives/assert.hpp"

namespace tally::network {

std::string_view to_text(FrameError error) {
  switch (error) {
    case FrameError::unknown_lane:
      return "a channel that does not exist or is not open yet";
    case FrameError::bad_flag:
      return "a fragment flag other than 0 and 1";
    case FrameError::fragment_too_long:
      return "a fragment of more than 32 KiB";
    case FrameError::fragment_too_short:
      return "a fragment of less than 32 KiB that is not its frame's last";
    case FrameError::frame_too_long:
      return "a frame of more than 4 MiB";
  }
  return "unknown";
}

std::optional<FrameError> FrameAssembler::read_header() {
  lane_ = header_[0];
  if (lane_ != kControlLane && (lane_ >= kLanes || !open_)) return FrameError::unknown_lane;
  if (header_[1] > 1) return FrameError::bad_flag;
  last_ = header_[1] == 1;
  std::uint32_t length = 0;
  std::memcpy(&length, header_.data() + 2, sizeof length);
  if (length > kFragmentBytesMax) return FrameError::fragment_too_long;
  if (!last_ && length < kFragmentBytesMax) return FrameError::fragment_too_short;
  const std::size_t max = lane_ == kControlLane ? kControlBytesMax : ports::kMaxFrameBytes;
  if (partial(lane_).size() + length > max) return FrameError::frame_too_long;
  missing_ = length;
  return std::nullopt;
}

std::size_t FrameAssembler::bytes() const {
  std::size_t out = 0;
  for (const Bytes& part : parts_) out += part.size();
  return out;
}

std::optional<FrameError> FrameAssembler::consume(ByteView bytes, const Visit& visit) {
  while (!bytes.empty()) {
    if (header_bytes_ < kFragmentHeaderBytes) {
      const std::size_t n = std::min(kFragmentHeaderBytes - header_bytes_, bytes.size());
      std::memcpy(header_.data() + header_bytes_, bytes.data(), n);
      header_bytes_ += n;
      bytes = bytes.subspan(n);
      if (header_bytes_ < kFragmentHeaderBytes) return std::nullopt;
      if (const auto error = read_header()) return error;
    }
    const std::size_t n = std::min(missing_, bytes.size());
    append(partial(lane_), bytes.first(n));
    missing_ -= n;
    bytes = bytes.subspan(n);
    if (missing_ > 0) return std::nullopt;
    header_bytes_ = 0;
    if (last_ && !visit(lane_, std::exchange(partial(lane_), {}))) return std::nullopt;
  }
  return std::nullopt;
}

bool SendQueue::drop_below(std::size_t queue) {
  for (std::size_t i = queues_.size() - 1; i > queue; --i) {
    Queue& victim = queues_[i];
    const std::size_t kept = victim.sent > 0 ? 1 : 0;
    if (victim.frames.size() <= kept) continue;
    bytes_ -= victim.frames.back().size();
    victim.frames.pop_back();
    --frames_;
    ++dropped_;
    return true;
  }
  return false;
}

bool SendQueue::push(Lane lane, Bytes frame) {
  TALLY_ASSERT(lane == kControlLane || lane < kLanes);
  const std::size_t queue = lane == kControlLane ? 0 : lane + std::size_t{1};
  if (lane == kControlLane && queues_[0].frames.size() >= kControlFramesMax) return false;
  while (lane != kControlLane && bytes_ + frame.size() > bytes_max_) {
    if (!drop_below(queue)) {
      ++dropped_;
      return false;
    }
  }
  bytes_ += frame.size();
  ++frames_;
  queues_[queue].frames.push_back(std::move(frame));
  return true;
}

std::size_t SendQueue::take(Bytes& out, std::size_t bytes_max) {
  std::size_t whole = 0;
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    Queue& queue = queues_[i];
    while (!queue.frames.empty() && out.size() < bytes_max) {
      const Bytes& frame = queue.frames.front();
      const std::size_t n = std::min(frame.size() - queue.sent, kFragmentBytesMax);
      const bool last = queue.sent + n == frame.size();
      const auto length = static_cast<std::uint32_t>(n);
      out.push_back(i == 0 ? kControlLane : static_cast<Lane>(i - 1));
      out.push_back(last ? 1 : 0);
      append(out, {reinterpret_cast<const std::uint8_t*>(&length), sizeof length});
      append(out, ByteView(frame).subspan(queue.sent, n));
      queue.sent += n;
      if (!last) continue;
      bytes_ -= frame.size();
      --frames_;
      ++whole;
      queue.frames.pop_front();
      queue.sent = 0;
    }
  }
  return whole;
}

}  // namespace tally::network
