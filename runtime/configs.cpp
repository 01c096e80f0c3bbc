#include "runtime/configs.hpp"

#include "modules/channels/storage.hpp"
#include "modules/credits/storage.hpp"
#include "modules/disputes/storage.hpp"
#include "modules/storage_registry/storage.hpp"
#include "modules/system/storage.hpp"
#include "modules/validators/storage.hpp"
#include "modules/workers/storage.hpp"

namespace tally::runtime {

namespace {

template <class Item>
typename Item::Value required(const Item& item, const StateReader& state) {
  auto config = item.find(state);
  TALLY_ASSERT(config.has_value());  // genesis writes every module's parameters
  return *std::move(config);
}

}  // namespace

Configs Configs::read(const StateReader& state) {
  return {required(system::kConfig, state),    required(credits::kConfig, state),
          required(channels::kConfig, state),  required(workers::kConfig, state),
          required(disputes::kConfig, state),  required(storage_registry::kConfig, state),
          required(validators::kConfig, state)};
}

ConfigSet Configs::set() const {
  ConfigSet out;
  out.set(system);
  out.set(credits);
  out.set(channels);
  out.set(workers);
  out.set(disputes);
  out.set(storage_registry);
  out.set(validators);
  return out;
}

}  // namespace tally::runtime
