// The real thing above consensus: execution with the runtime, the state tree and the pool. Clients
// transfer credits between sixteen accounts whose keys are fake, and record and remove checkpoints;
// wallets sign what dies soon by what a node tells them. Where there are candidates, they and the
// validators bond and unbond, and clients delegate, so that sets follow from extrinsics, and
// receipts are disputed.
#include <algorithm>
#include <map>
#include <set>

#include "genesis/build.hpp"
#include "node/execution/application.hpp"
#include "node/execution/snapshots.hpp"
#include "node/txpool/pool.hpp"
#include "primitives/crypto/hash.hpp"
#include "runtime/events.hpp"
#include "tests/sim/checkpoints.hpp"
#include "tests/sim/disputants.hpp"
#include "tests/sim/fake_crypto.hpp"
#include "tests/sim/machine.hpp"

namespace tally::sim {
namespace {

constexpr std::size_t kClients = 16;

AccountId client(std::size_t index) {
  return *AccountId::from(blake2_256({as_bytes("sim-client"), encode(std::uint64_t{index})}));
}

constexpr std::uint64_t kBond = 10'000;   // CC; all alike, so that one is never a third
constexpr std::size_t kSeats = 7;         // of a set
constexpr std::size_t kBondedFewest = 6;  // with less nobody takes its bond back
constexpr Balance kEndowment(u128{1'000'000} * kCredit.micro);

AccountId account_of(std::size_t node) {
  return *AccountId::from(FakeSigner(node).consensus_key());
}

AccountId reporter_of(std::size_t node) {
  return *AccountId::from(blake2_256({as_bytes("sim-reporter"), encode(std::uint64_t{node})}));
}

genesis::ChainSpec make_spec(const WorldSetup& setup) {
  auto preset = genesis::preset("local4");
  TALLY_ASSERT(preset.ok());
  genesis::ChainSpec spec = *std::move(preset);
  spec.chain_id = "tallystick-sim";
  spec.genesis_time = TimestampMs(1'600'000'000'000);
  spec.consensus.epoch_length = setup.epoch_length;
  spec.validators.clear();
  spec.accounts.clear();
  for (std::size_t i = 0; i < setup.validators; ++i) {
    const FakeSigner signer(i);
    spec.validators.push_back({signer.consensus_key(), signer.vrf_key(), account_of(i), kBond});
  }
  spec.consensus.validators_max =
      static_cast<std::uint32_t>(setup.candidates > 0 ? kSeats : setup.validators);
  spec.consensus.downtime_views_min = setup.downtime_views_min;
  for (std::size_t i = 0; i < setup.validators + setup.candidates; ++i) {
    spec.accounts.push_back({account_of(i), kEndowment});
    spec.accounts.push_back({reporter_of(i), kEndowment});
  }
  if (setup.candidates > 0) {
    for (const AccountId& one : Disputants::account_list())
      spec.accounts.push_back({one, kEndowment});
  }
  for (std::size_t i = 0; i < kClients; ++i) {
    spec.accounts.push_back({client(i), Balance(1'000'000'000)});
  }
  for (const AccountId& one : Wallets::account_list()) {
    spec.accounts.push_back({one, Balance(1'000'000'000)});
  }
  return spec;
}

class RealMachine final : public Machine {
 public:
  RealMachine(ports::Store& store, const genesis::Genesis& genesis, const ports::Verifier& verifier,
              const WorldSetup& setup)
      : installed_(execution::install_genesis(store, {&genesis.state, &genesis.header})),
        final_state_(store),
        pool_(final_state_, txpool::Limits{}),
        application_({store, final_state_, pool_, verifier},
                     execution::Options{.retention = {.states = 16,
                                                      .blocks = setup.snapshots ? 16u : 0u,
                                                      .epoch_length = setup.epoch_length},
                                        .invariants = runtime::InvariantChecks::sampled,
                                        .executor = nullptr}),
        snapshots_(store, [this] { application_.reload(); }),
        serves_(setup.snapshots) {}
  ports::Application& application() override { return application_; }
  ports::Pool& pool() override { return pool_; }
  const ports::FinalizedView* chain() override { return &final_state_; }
  ports::Snapshots* snapshots() override { return serves_ ? &snapshots_ : nullptr; }

 private:
  execution::GenesisResult installed_;
  execution::FinalState final_state_;
  txpool::TxPool pool_;
  execution::ChainApplication application_;
  execution::Snapshots snapshots_;
  bool serves_;
};

class RealFactory final : public MachineFactory {
 public:
  explicit RealFactory(const WorldSetup& setup)
      : setup_(setup),
        spec_(make_spec(setup)),
        genesis_(genesis::build_genesis(spec_)),
        disputants_(genesis_.hash),
        wallets_(genesis_.hash) {
    for (std::size_t i = 0; i < setup.validators; ++i) {
      bonded_.insert(i);
      bonds_[i] = Balance(u128{kBond} * kCredit.micro);
    }
    known_ = bonded_;
    chain_.genesis = genesis_.header;
    chain_.genesis_hash = genesis_.hash;
    chain_.genesis_time = spec_.genesis_time;
    for (const Validator& validator : spec_.validators) {
      TALLY_ASSERT(chain_.first.members.push_back(validator));
    }
    chain_.second = chain_.first;
    chain_.parameters = {spec_.consensus.delta,           spec_.blocks.min_block_interval,
                         spec_.blocks.idle_interval,      spec_.consensus.max_drift,
                         spec_.consensus.epoch_length,    spec_.blocks.block_bytes_max + 64 * 1024,
                         spec_.blocks.extrinsic_bytes_max};
  }
  consensus::ChainSetup chain() const override { return chain_; }

  std::unique_ptr<Machine> make(ports::Store& store, const ports::Verifier& verifier) override {
    return std::make_unique<RealMachine>(store, genesis_, verifier, setup_);
  }

  Bytes transaction(Random& random) override {
    if (!out_.empty() && random.chance(300)) return rejoin(random);
    if (setup_.candidates > 0 && random.chance(200)) return stake_transaction(random);
    if (setup_.candidates > 0 && random.chance(400)) {
      if (const auto act = disputants_.next(random)) return sign(act->who, act->call);
    }
    const std::size_t from = random.below(kClients);
    if (random.chance(150)) return sign(client(from), checkpoint_call(random));
    const std::size_t to = random.below(kClients);
    return sign(client(from), runtime::CreditsCall{credits::Transfer{
                                  AddressId{client(to)}, {Balance(random.between(1, 100'000))}}});
  }

  Wallets* wallets() override { return &wallets_; }

  bool real_votes() const override { return true; }
  std::optional<core::Reporter> reporter(std::size_t node) const override {
    if (node >= setup_.validators + setup_.candidates) return std::nullopt;
    const AccountId account = reporter_of(node);
    return core::Reporter{account, [account](ByteView payload) -> MultiSignature {
                            return SignedEd25519{fake_sign(account, payload)};
                          }};
  }

  // Adds the accounts up by themselves: total issuance must be their sum, and never above genesis,
  // since fees are burned and nothing is minted here.
  std::optional<std::string> audit(const ports::Store& store) const override {
    const u128 sum = sum_of_accounts(store);
    Bytes key = to_bytes(twox_128(as_bytes("Credits")));
    append(key, twox_128(as_bytes("TotalIssuance")));
    const auto bytes = store.get(ports::Column::state, key);
    if (!bytes) return "there is no total issuance";
    const auto issuance = decode<Balance>(*bytes);
    if (!issuance.ok() || issuance->micro != sum)
      return "the accounts do not add up to the issuance";
    u128 granted = 0;
    for (const auto& [at, value] : genesis_.state) {
      if (at == key) granted = decode<Balance>(value)->micro;
    }
    if (sum > granted) return "credits came out of nothing";
    return audit_checkpoints(store);
  }

  std::optional<std::string> judge_end(const ports::Store& store, const EpochEnd& end) override {
    auto wrong = judge_set(store, end.epoch.next().next(), end.named);
    if (!wrong) wrong = judge_absence(store, end);
    return wrong;
  }

  std::size_t disputes_ended() const override { return disputants_.ended(); }
  std::size_t times_out(std::size_t node) const override {
    const auto found = absences_.find(node);
    return found == absences_.end() ? 0 : found->second.size();
  }

  bool is_convicted(const ports::Store& store, std::size_t node) const override {
    return known_.contains(node) && !candidates_in(store).contains(account_of(node));
  }

 private:
  // The highest stakes among those with a bond, each whole CC a vote.
  std::optional<std::string> judge_set(const ports::Store& store, Epoch epoch,
                                       const ValidatorSet& named) {
    const auto stakes = read_stakes(store);
    disputants_.observe(store);
    std::vector<std::uint64_t> expected;
    for (const auto& [key, stake] : stakes) expected.push_back(stake);
    std::sort(expected.rbegin(), expected.rend());
    expected.resize(std::min<std::size_t>(expected.size(), spec_.consensus.validators_max));
    std::vector<std::uint64_t> weights;
    for (const Validator& member : named.members) {
      const auto found = stakes.find(member.consensus_key);
      if (found == stakes.end() || found->second != member.weight) {
        return "the set of epoch " + std::to_string(epoch.value) + " has a member of weight " +
               std::to_string(member.weight) + " that the bonds do not give it";
      }
      weights.push_back(member.weight);
    }
    std::sort(weights.rbegin(), weights.rend());
    if (weights == expected) return std::nullopt;
    return "the set of epoch " + std::to_string(epoch.value) + " has " +
           std::to_string(weights.size()) + " members; expected the " +
           std::to_string(expected.size()) + " highest stakes";
  }

  // Who was put out, by the block's events: at most a third less one of those who served, each of
  // them for most of its views, for a thousandth of its bond, and not in the set that is named.
  std::optional<std::string> judge_absence(const ports::Store& store, const EpochEnd& end) {
    const std::string where = "the end of epoch " + std::to_string(end.epoch.value) + " ";
    const auto serves = [](const ValidatorSet& set, const AccountId& account) {
      return std::any_of(set.members.begin(), set.members.end(),
                         [&](const Validator& member) { return member.account == account; });
    };
    std::size_t count = 0;
    const auto candidates = candidates_in(store);
    for (const validators::WentDown& down : went_down(store)) {
      const auto found = candidates.find(down.validator);
      if (found == candidates.end() || found->second.standing != validators::Standing::out) {
        return where + "fines a validator that is not out";
      }
      const u128 bond = found->second.bonded.micro + down.burned.micro;
      if (!serves(end.served, down.validator) || serves(end.named, down.validator)) {
        return where + "puts out who did not serve, or names who is out";
      }
      if (down.led < setup_.downtime_views_min || 2 * down.missed <= down.led ||
          down.burned.micro != bond / 1'000) {
        return where + "puts out a validator that missed " + std::to_string(down.missed) + " of " +
               std::to_string(down.led) + " views, or fines it wrongly";
      }
      for (std::size_t i = 0; i < setup_.validators + setup_.candidates; ++i) {
        if (account_of(i) == down.validator) absences_[i].insert(end.epoch);
      }
      ++count;
    }
    if (count > (end.served.size() - 1) / 3) {
      return where + "puts out " + std::to_string(count) + " of " +
             std::to_string(end.served.size());
    }
    return std::nullopt;
  }

  static std::vector<validators::WentDown> went_down(const ports::Store& store) {
    Bytes key = to_bytes(twox_128(as_bytes("System")));
    append(key, twox_128(as_bytes("Events")));
    const auto bytes = store.get(ports::Column::state, key);
    TALLY_ASSERT(bytes.has_value());
    const auto records = decode<std::vector<runtime::EventRecord>>(*bytes);
    TALLY_ASSERT(records.ok());
    std::vector<validators::WentDown> out;
    for (const runtime::EventRecord& record : *records) {
      const auto* event = std::get_if<runtime::ValidatorsEvent>(&record.event);
      if (event == nullptr) continue;
      if (const auto* down = std::get_if<validators::WentDown>(&event->value)) out.push_back(*down);
    }
    return out;
  }

  // Of the consensus keys with a bond, in whole CC; and remembers whose they are.
  std::map<Ed25519Key, std::uint64_t> read_stakes(const ports::Store& store) {
    std::map<Ed25519Key, std::uint64_t> stakes;
    const auto candidates = candidates_in(store);
    bonded_.clear();
    out_.clear();
    for (std::size_t i = 0; i < setup_.validators + setup_.candidates; ++i) {
      const auto found = candidates.find(account_of(i));
      if (found == candidates.end()) continue;
      known_.insert(i);
      const validators::Candidate& one = found->second;
      bonds_[i] = one.bonded;
      if (one.standing == validators::Standing::out) out_.insert(i);
      if (one.standing != validators::Standing::bonded) continue;
      bonded_.insert(i);
      stakes[one.consensus_key] =
          static_cast<std::uint64_t>((one.bonded.micro + one.delegated.micro) / kCredit.micro);
    }
    std::erase_if(leaving_, [&](std::size_t node) { return !bonded_.contains(node); });
    std::erase_if(joining_, [&](std::size_t node) { return bonded_.contains(node); });
    return stakes;
  }

  Bytes sign(const AccountId& from, const runtime::RuntimeCall& call) {
    const SignedExtra extra{Era::immortal(), {Nonce(nonces_[from]++)}, {Balance(0)}};
    return sign_call(from, call, extra, genesis_.hash, genesis_.hash);
  }

  // One of those that are out.
  Bytes rejoin(Random& random) {
    auto which = out_.begin();
    std::advance(which, static_cast<long>(random.below(out_.size())));
    const std::size_t node = *which;
    out_.erase(which);
    return sign(account_of(node), runtime::ValidatorsCall{validators::Rejoin{}});
  }

  // Bonds come and go by what the newest judged set showed, so that five at least always stay.
  Bytes stake_transaction(Random& random) {
    const std::size_t node = random.below(setup_.validators + setup_.candidates);
    const AccountId account = account_of(node);
    if (out_.contains(node)) return rejoin(random);
    const Compact<Balance> bond{Balance(u128{kBond} * kCredit.micro)};
    const bool stays = bonded_.contains(node) && !leaving_.contains(node);
    if (stays && bonded_.size() >= kBondedFewest + leaving_.size()) {
      leaving_.insert(node);
      return sign(account, runtime::ValidatorsCall{validators::Unbond{{bonds_[node]}}});
    }
    if (!bonded_.contains(node) && joining_.insert(node).second) {
      if (known_.contains(node)) {
        return sign(account, runtime::ValidatorsCall{validators::BondMore{bond}});
      }
      const FakeSigner signer(node);
      const validators::Keys keys = validators::prove_keys(
          {genesis_.hash, account}, {signer.consensus_secret(), signer.vrf_secret()});
      return sign(account, runtime::ValidatorsCall{validators::Bond{keys, bond}});
    }
    const Compact<Balance> some{Balance(u128{random.between(10, 20)} * kCredit.micro)};
    return sign(client(random.below(kClients)),
                runtime::ValidatorsCall{validators::Delegate{account, some}});
  }

  static std::map<AccountId, validators::Candidate> candidates_in(const ports::Store& store) {
    Bytes prefix = to_bytes(twox_128(as_bytes("Validators")));
    append(prefix, twox_128(as_bytes("Candidates")));
    std::map<AccountId, validators::Candidate> out;
    store.scan(ports::Column::state, prefix, [&](ByteView key, ByteView value) {
      if (key.size() < prefix.size() || !equal(key.first(prefix.size()), prefix)) return false;
      const auto account = AccountId::from(key.subspan(key.size() - 32));
      const auto candidate = decode<validators::Candidate>(value);
      TALLY_ASSERT(account && candidate.ok());
      out.emplace(*account, *candidate);
      return true;
    });
    return out;
  }

  static u128 sum_of_accounts(const ports::Store& store) {
    Bytes prefix = to_bytes(twox_128(as_bytes("System")));
    append(prefix, twox_128(as_bytes("Account")));
    u128 sum = 0;
    store.scan(ports::Column::state, prefix, [&](ByteView key, ByteView value) {
      if (key.size() < prefix.size() || !equal(key.first(prefix.size()), prefix)) return false;
      // nonce, consumers, providers, sufficients: u32 each; then free and reserved, u128 each.
      TALLY_ASSERT(value.size() >= 48);
      for (const std::size_t offset : {16u, 32u}) {
        sum += *decode<u128>(value.subspan(offset, 16));
      }
      return true;
    });
    return sum;
  }

  WorldSetup setup_;
  genesis::ChainSpec spec_;
  genesis::Genesis genesis_;
  consensus::ChainSetup chain_;
  Disputants disputants_;
  Wallets wallets_;
  std::map<AccountId, std::uint32_t> nonces_;
  // Nodes, as of the newest judged set: with a bond, ever seen with one; and asked since.
  std::set<std::size_t> bonded_;
  std::set<std::size_t> known_;
  std::set<std::size_t> out_;  // and not asked to rejoin since
  std::map<std::size_t, Balance> bonds_;
  std::map<std::size_t, std::set<Epoch>> absences_;
  std::set<std::size_t> leaving_;
  std::set<std::size_t> joining_;
};

}  // namespace

std::unique_ptr<MachineFactory> real_machines(const WorldSetup& setup) {
  return std::make_unique<RealFactory>(setup);
}

}  // namespace tally::sim
