// The validators module's storage items.
#pragma once

#include "modules/support/storage.hpp"
#include "modules/validators/config.hpp"
#include "modules/validators/types.hpp"

namespace tally::validators {

inline constexpr StorageValue<EpochInfo> kEpoch{"Validators", "Epoch", Modifier::with_default,
                                                "The epoch that the next block belongs to."};
inline constexpr StorageValue<Hash> kBeacon{"Validators", "Beacon", Modifier::with_default,
                                            "The VRF outputs of all blocks, folded."};
inline constexpr StorageMap<Twox64Concat, Epoch, EpochSet> kSets{
    "Validators", "Sets", Modifier::optional,
    "Who validates in the current and the next epoch, and in past ones while evidence counts."};
inline constexpr StorageValue<Epoch> kOldestSet{"Validators", "OldestSet", Modifier::with_default,
                                                "The first epoch whose set is kept."};
inline constexpr StorageMap<Blake2_128Concat, AccountId, Candidate> kCandidates{
    "Validators", "Candidates", Modifier::optional, "Who has a bond, or something of one."};
inline constexpr StorageValue<BoundedVec<AccountId, kMaxCandidates>> kCandidateList{
    "Validators", "CandidateList", Modifier::with_default, "Whose bond is not nothing, ascending."};
inline constexpr StorageDoubleMap<Blake2_128Concat, AccountId, Blake2_128Concat, AccountId,
                                  Delegation>
    kDelegations{"Validators", "Delegations", Modifier::optional,
                 "By validator and delegator: what is bonded or on its way out."};
inline constexpr StorageMap<Blake2_128Concat, AccountId, BoundedVec<AccountId, kMaxDelegators>>
    kDelegators{"Validators", "Delegators", Modifier::with_default,
                "Who has a delegation with a validator, ascending."};
inline constexpr StorageMap<Blake2_128Concat, Ed25519Key, AccountId> kConsensusKeys{
    "Validators", "ConsensusKeys", Modifier::optional,
    "Whose consensus key it is; a convicted validator's stays for ever."};
inline constexpr StorageMap<Blake2_128Concat, VrfKey, AccountId> kVrfKeys{
    "Validators", "VrfKeys", Modifier::optional,
    "Whose VRF key it is; a convicted validator's stays for ever."};
inline constexpr StorageValue<Balance> kBound{"Validators", "Bound", Modifier::with_default,
                                              "What is held of all accounts for validators."};
inline constexpr StorageMap<Twox64Concat, Epoch, Offences> kOffences{
    "Validators", "Offences", Modifier::with_default,
    "What was proved of an epoch's members; goes with the epoch's set."};
inline constexpr StorageMap<Twox64Concat, std::uint16_t, std::uint32_t> kProduced{
    "Validators", "Produced", Modifier::with_default,
    "Blocks of each member of the current set in this epoch."};
inline constexpr StorageValue<std::uint64_t> kViewsBefore{
    "Validators", "ViewsBefore", Modifier::with_default, "Views of all epochs that have ended."};
inline constexpr StorageValue<DrawWindow> kDrawWindow{
    "Validators", "DrawWindow", Modifier::with_default,
    "The blocks whose outputs a draw still waits for."};
inline constexpr StorageValue<Config> kConfig{"Validators", "Config", Modifier::optional,
                                              "The parameters of validators, fixed at genesis."};

}  // namespace tally::validators
