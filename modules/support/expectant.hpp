// A state that can be told which keys will be read soon, so that it asks for their memory and the
// reads do not wait for one after another. Being told changes no answer.
#pragma once

#include <span>

#include "modules/support/state.hpp"

namespace tally {

class ExpectantReader : public StateReader {
 public:
  virtual void expect(std::span<const ByteView> keys) const = 0;
};

// Tells a state that can be told.
inline void expect(const StateReader& state, std::span<const ByteView> keys) {
  if (const auto* expectant = dynamic_cast<const ExpectantReader*>(&state)) expectant->expect(keys);
}

}  // namespace tally
