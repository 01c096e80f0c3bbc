// The events of a block. Each module's Event is a std::variant of described structs with kIndex and
// kName; they are written straight into the bytes of System.Events:
//
//   Compact count ‖ (phase ‖ module index ‖ event index ‖ fields ‖ no topics)…
//
// A failed call takes its events back through mark() and cut_to().
#pragma once

#include <cstdint>
#include <variant>

#include "modules/support/module.hpp"
#include "primitives/codec/scale.hpp"

namespace tally {

struct PhaseApply {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "ApplyExtrinsic";
  std::uint32_t extrinsic{};
  friend bool operator==(const PhaseApply&, const PhaseApply&) = default;
};
TALLY_DESCRIBE(PhaseApply, extrinsic);
struct PhaseFinalization {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "Finalization";
  friend bool operator==(const PhaseFinalization&, const PhaseFinalization&) = default;
};
TALLY_DESCRIBE(PhaseFinalization);
struct PhaseInitialization {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "Initialization";
  friend bool operator==(const PhaseInitialization&, const PhaseInitialization&) = default;
};
TALLY_DESCRIBE(PhaseInitialization);
using Phase = std::variant<PhaseApply, PhaseFinalization, PhaseInitialization>;

class EventSink {
 public:
  struct Mark {
    std::size_t size;
    std::uint32_t count;
  };

  void set_phase(Phase phase) { phase_ = phase; }

  template <class Event>
  void emit(ModuleIndex module, const Event& event) {
    encode_to(out_, phase_);
    out_.byte(static_cast<std::uint8_t>(module));
    out_.byte(Event::kIndex);
    encode_to(out_, event);
    out_.byte(0);
    ++count_;
  }

  Mark mark() const { return {out_.bytes().size(), count_}; }
  void cut_to(Mark mark) {
    out_.cut_to(mark.size);
    count_ = mark.count;
  }
  std::uint32_t count() const { return count_; }
  // The value of System.Events.
  Bytes encoded() const {
    Encoder all;
    all.reserve(out_.bytes().size() + 4);
    all.compact(count_);
    all.raw(out_.bytes());
    return std::move(all).take();
  }

 private:
  Phase phase_ = PhaseInitialization{};
  Encoder out_;
  std::uint32_t count_ = 0;
};

}  // namespace tally
