// A chain for channel tests: the real modules over a state in memory, without blocks' headers,
// signatures of extrinsics or fees. The fixture itself checks, after every call,
//   - that a refused call left the state byte for byte as it was;
//   - the invariants of credits and channels;
//   - that what all accounts own and the total issuance moved alike.
// A breach throws std::logic_error.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "modules/channels/dispatch.hpp"
#include "modules/channels/storage.hpp"
#include "modules/credits/api.hpp"
#include "primitives/crypto/sign.hpp"

namespace tally::channel_sim {

// A key by name, the same in every run.
KeyPair key_of(std::string_view name, KeyScheme scheme = KeyScheme::ed25519);

struct TestChainOptions {
  channels::Config channels = channels::local_config();
  std::map<AccountId, Balance> accounts;
  bool invariants = true;  // the modules' own are checked after every call
};

class TestChain {
 public:
  explicit TestChain(const TestChainOptions& options);

  DispatchResult call(const AccountId& signer, const channels::Call& call);
  // The rejection of a call that must fail; nothing if it was applied.
  std::optional<DispatchError> refusal(const AccountId& signer, const channels::Call& call);
  // As the runtime does it for a refuter without free credits.
  DispatchResult call_owing(const AccountId& signer, const channels::Call& call, Balance fee);

  // Starts the next block, `by` later; its start hook may settle.
  void next_block(DurationMs by = DurationMs(100));
  void pass(DurationMs time);  // blocks until that much time went by

  // Outside of the module: an account's free credits go up or down, issuance with them.
  void set_free(const AccountId& account, Balance free);

  std::optional<channels::Channel> channel(const ChannelId& id) const;
  Balance free(const AccountId& account) const;
  Balance held(const AccountId& account) const;
  Balance wealth(const AccountId& account) const;  // free and held
  ChannelId id_of_next(const AccountId& opener, const AccountId& counterparty,
                       DurationMs period) const;
  const MapState& state() const { return state_; }
  const channels::Config& config() const { return options_.channels; }
  // Events of the last call or block start, in order.
  const std::vector<channels::Event>& events() const { return events_; }

  BlockContext block;

 private:
  template <class Run>
  DispatchResult run(Run&& run);
  void check_invariants(const Overlay& after, const StateChanges& changes) const;

  TestChainOptions options_;
  credits::Config credits_;
  ConfigSet configs_;
  MapState state_;
  std::vector<channels::Event> events_;
};

}  // namespace tally::channel_sim
