// The validators module's storage items.
#pragma once

#include "modules/support/storage.hpp"
#include "modules/validators/config.hpp"
#include "modules/validators/types.hpp"
#include "primitives/finality/validator_set.hpp"

namespace tally::validators {

inline constexpr StorageValue<ValidatorSet> kSet{"Validators", "Set", Modifier::with_default,
                                                 "Who validates, in every epoch: set at genesis."};
inline constexpr StorageValue<EpochInfo> kEpoch{"Validators", "Epoch", Modifier::with_default,
                                                "The epoch that the next block belongs to."};
inline constexpr StorageValue<Hash> kBeacon{"Validators", "Beacon", Modifier::with_default,
                                            "The VRF outputs of all blocks, folded."};
inline constexpr StorageValue<Config> kConfig{"Validators", "Config", Modifier::optional,
                                              "The parameters of epochs, fixed at genesis."};

}  // namespace tally::validators
