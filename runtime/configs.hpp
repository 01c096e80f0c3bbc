// The modules' parameters as a state holds them, decoded once for a block or for the pool's checks.
#pragma once

#include "modules/channels/config.hpp"
#include "modules/credits/config.hpp"
#include "modules/disputes/config.hpp"
#include "modules/storage_registry/config.hpp"
#include "modules/support/context.hpp"
#include "modules/system/config.hpp"
#include "modules/validators/config.hpp"
#include "modules/workers/config.hpp"

namespace tally::runtime {

struct Configs {
  system::Config system;
  credits::Config credits;
  channels::Config channels;
  workers::Config workers;
  disputes::Config disputes;
  storage_registry::Config storage_registry;
  validators::Config validators;

  static Configs read(const StateReader& state);
  // Points into *this.
  ConfigSet set() const;
};

}  // namespace tally::runtime
