// The storage registry's items. Each is provable to a light client by its key.
#pragma once

#include <string>

#include "modules/storage_registry/config.hpp"
#include "modules/storage_registry/types.hpp"
#include "modules/support/storage.hpp"

namespace tally::storage_registry {

inline constexpr StorageDoubleMap<Blake2_128Concat, AccountId, Twox64Concat, CheckpointIndex,
                                  Checkpoint>
    kCheckpoints{"StorageRegistry", "Checkpoints", Modifier::optional,
                 "The live checkpoints of an account, by index."};
inline constexpr StorageDoubleMap<Blake2_128Concat, AccountId, Blake2_128Concat, std::string,
                                  CheckpointIndex>
    kLatest{"StorageRegistry", "Latest", Modifier::optional,
            "The newest live checkpoint of an account with a label; no entry for none."};
inline constexpr StorageMap<Blake2_128Concat, AccountId, Owner> kOwners{
    "StorageRegistry", "Owners", Modifier::with_default,
    "Which checkpoints an account has, and the index of its next."};
inline constexpr StorageValue<Balance> kDeposits{
    "StorageRegistry", "Deposits", Modifier::with_default,
    "All deposits: what is held with reason storage_deposit."};
inline constexpr StorageValue<Attesters> kAttesters{
    "StorageRegistry", "Attesters", Modifier::with_default, "Who may attest, fixed at genesis."};
inline constexpr StorageValue<Config> kConfig{"StorageRegistry", "Config", Modifier::optional,
                                              "The parameters of the registry, fixed at genesis."};

}  // namespace tally::storage_registry
