// What other modules may know of channels: how a channel's id follows from its parties, so that a
// receipt can be told to belong to a channel of these two without looking at any state.
#pragma once

#include "modules/channels/signing.hpp"
