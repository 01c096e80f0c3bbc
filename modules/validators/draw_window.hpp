// Private to the module: which blocks a draw still waits for.
#pragma once

#include "modules/validators/api.hpp"

namespace tally::validators {

// The window with one more block. `window` is the parent's, `views` counts over all epochs.
struct WindowStep {
  WindowBlock block;
  const ValidatorSet& set;  // of the block's epoch
};
DrawWindow advance(const DrawWindow& window, const WindowStep& step);

// Of a block on this state.
DrawWindow next_window(const StateReader& parent, const NewBlock& block);

}  // namespace tally::validators
