#include "modules/storage_registry/invariants.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "modules/credits/api.hpp"
#include "modules/storage_registry/storage.hpp"
#include "primitives/content_id.hpp"

namespace tally::storage_registry {

namespace {

// Differences are taken modulo 2^128 and 2^64: they are equal there exactly when they are equal.
struct Seen {
  std::map<AccountId, u128> deposits;       // by owner
  std::map<AccountId, std::uint64_t> live;  // by owner
  std::set<AccountId> owners;               // whose checkpoints changed
  std::set<std::pair<AccountId, std::string>> labels;
};

bool well_formed(const Checkpoint& checkpoint) {
  return label_is_valid(checkpoint.label) &&
         content_id_is_valid(checkpoint.store, checkpoint.content_id);
}

// 3: a record's own words stay; links and the attestation may change.
bool same_words(Checkpoint was, const Checkpoint& is) {
  was.attestation = is.attestation;
  was.older = is.older;
  was.newer = is.newer;
  return was == is;
}

// 4: the neighbours of a live checkpoint are live, of its label, and name it back.
Violation links_violation(const StateReader& after, const AccountId& owner, CheckpointIndex index,
                          const Checkpoint& checkpoint) {
  if (checkpoint.older) {
    const auto older = kCheckpoints.find(after, owner, *checkpoint.older);
    if (!older || older->label != checkpoint.label || older->newer != index ||
        *checkpoint.older >= index) {
      return "an older neighbour is live, of the same label, and names its newer one";
    }
  }
  if (checkpoint.newer) {
    const auto newer = kCheckpoints.find(after, owner, *checkpoint.newer);
    if (!newer || newer->label != checkpoint.label || newer->older != index ||
        *checkpoint.newer <= index) {
      return "a newer neighbour is live, of the same label, and names its older one";
    }
  }
  const auto latest = kLatest.find(after, owner, checkpoint.label);
  if (!latest || checkpoint.newer.has_value() == (latest == index)) {
    return "latest is the checkpoint of its label that has no newer one";
  }
  return std::nullopt;
}

Violation checkpoints_violation(const ChangeView& view, const StateReader& after, Seen& seen) {
  Violation found;
  view.for_each(kCheckpoints, [&](const auto& keys, const auto& was, const auto& is) {
    const auto& [owner, index] = keys;
    seen.owners.insert(owner);
    if (was) {
      seen.deposits[owner] -= was->deposit.micro;
      --seen.live[owner];
      seen.labels.insert({owner, was->label});
    }
    if (!is) return;
    seen.deposits[owner] += is->deposit.micro;
    ++seen.live[owner];
    seen.labels.insert({owner, is->label});
    if (!well_formed(*is)) found = "a label and a content id have their forms";
    if (was && !same_words(*was, *is)) found = "what is recorded stays as it is";
    if (was && was->attestation &&
        (!is->attestation || is->attestation->availability < was->attestation->availability)) {
      found = "an attestation never goes back";
    }
    if (auto broken = links_violation(after, owner, index, *is)) found = broken;
  });
  return found;
}

// 2: the list of an owner is its live checkpoints, in order, below its next index.
Violation owners_violation(const ChangeView& view, const StateReader& after, const Config& config,
                           Seen& seen) {
  Violation found;
  view.for_each(kOwners, [&](const auto& keys, const auto& was, const auto& is) {
    const AccountId& owner = std::get<0>(keys);
    const Owner before = was.value_or(Owner{});
    if (!is || is->next < before.next) {
      found = "an owner's record stays, and its next index never falls";
      return;
    }
    seen.live[owner] -= is->live.size() - before.live.size();
    if (is->live.size() > config.checkpoints_max) found = "an account has at most its number";
    if (!std::is_sorted(is->live.begin(), is->live.end()) ||
        std::adjacent_find(is->live.begin(), is->live.end()) != is->live.end()) {
      found = "live checkpoints ascend";
    }
    for (const CheckpointIndex index : is->live) {
      if (index >= is->next || !kCheckpoints.contains(after, owner, index)) {
        found = "every listed checkpoint is live and below the next index";
      }
    }
  });
  for (const auto& [owner, difference] : seen.live) {
    if (difference != 0) found = "an owner's list counts its live checkpoints";
  }
  return found;
}

// 4: latest names a live checkpoint of its label that nothing follows, or stands for none.
Violation latest_violation(const ChangeView& view, const StateReader& after, Seen& seen) {
  Violation found;
  view.for_each(kLatest, [&](const auto& keys, const auto& was, const auto& is) {
    const auto& [owner, label] = keys;
    seen.labels.insert({owner, label});
    if (was && !is && kCheckpoints.contains(after, owner, *was)) {
      found = "latest goes with the last checkpoint of its label";
    }
  });
  if (found) return found;
  for (const auto& [owner, label] : seen.labels) {
    const auto latest = kLatest.find(after, owner, label);
    if (!latest) continue;
    const auto checkpoint = kCheckpoints.find(after, owner, *latest);
    if (!checkpoint || checkpoint->label != label || checkpoint->newer) {
      return "latest is a live checkpoint of its label, and nothing is newer";
    }
  }
  return std::nullopt;
}

// 1: deposits are the holds.
Violation deposits_violation(const ChangeView& view, const StateReader& after, const Seen& seen) {
  u128 sum = 0;
  for (const auto& [owner, change] : seen.deposits) {
    constexpr auto kReason = credits::HoldReason::storage_deposit;
    const u128 held = credits::held_balance(after, owner, kReason).micro -
                      credits::held_balance(view.before_state(), owner, kReason).micro;
    if (held != change) return "an account's deposits are what is held of it as storage deposit";
    sum += change;
  }
  const u128 total = view.after(kDeposits).value_or(Balance{}).micro -
                     view.before(kDeposits).value_or(Balance{}).micro;
  if (sum != total) return "Deposits is the sum of all deposits";
  if (view.after(kDeposits).value_or(Balance{}) !=
      credits::held_total(after, credits::HoldReason::storage_deposit)) {
    return "Deposits is what is held with reason storage_deposit";
  }
  return std::nullopt;
}

}  // namespace

Violation find_violation(const ChangeView& view, const StateReader& after, const Config& config) {
  Seen seen;
  if (auto found = checkpoints_violation(view, after, seen)) return found;
  if (auto found = owners_violation(view, after, config, seen)) return found;
  if (auto found = latest_violation(view, after, seen)) return found;
  return deposits_violation(view, after, seen);
}

}  // namespace tally::storage_registry
