#include "node/core/evidence_reports.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "modules/support/overlay.hpp"
#include "modules/system/storage.hpp"
#include "modules/validators/storage.hpp"
#include "node/store/sim_disk.hpp"
#include "primitives/crypto/hash.hpp"
#include "runtime/runtime.hpp"

namespace tally::core {
namespace {

const Hash kGenesis = blake2_256(as_bytes("a chain"));
constexpr Epoch kEpoch{5};

// A chain at block 100, in epoch 5, of four validators.
class Chain final : public ports::FinalizedView {
 public:
  Chain() {
    change([](Overlay& state) {
      system::kNumber.put(state, BlockNumber(100));
      system::kBlockHash.put(state, BlockNumber(64), blake2_256(as_bytes("birth")));
      validators::kEpoch.put(state, {kEpoch, BlockNumber(97), Hash{}});
      validators::EpochSet set;
      for (std::uint8_t i = 0; i < 4; ++i) {
        const Validator member{*Ed25519Key::from(Bytes(32, i)), *VrfKey::from(Bytes(32, i)),
                               account(i), 1};
        REQUIRE(set.set.members.push_back(member));
        validators::kCandidates.put(state, account(i), {});
      }
      validators::kSets.put(state, kEpoch, set);
    });
  }
  template <class Change>
  void change(Change make) {
    Overlay overlay(state_);
    make(overlay);
    state_.apply(overlay.changes());
  }
  static AccountId account(std::uint8_t i) { return *AccountId::from(Bytes(32, 0x40 + i)); }
  ports::ChainHead head() const override {
    return {blake2_256(as_bytes("head")), BlockNumber(100)};
  }
  system::Parent finalized() const override { return {state_, head().hash}; }

 private:
  MapState state_;
};

class NoPool final : public ports::Pool {
 public:
  std::set<Hash> waiting;
  ports::PoolAnswer offer(Bytes, ports::PoolSource) override { return {}; }
  ports::PoolAnswer settle(const Hash&, bool) override { return {}; }
  std::optional<Bytes> find(const Hash&) const override { return std::nullopt; }
  bool contains(const Hash& hash) const override { return waiting.contains(hash); }
  std::size_t size() const override { return waiting.size(); }
  std::vector<Bytes> local(std::size_t) const override { return {}; }
  void on_final(const std::vector<Hash>&) override {}
};

Evidence evidence(std::uint16_t signer, View view = View(3)) {
  const Vote first{{kEpoch, VoteKind::notarize, view, kGenesis}, ValidatorIndex(signer), {}};
  Vote second = first;
  second.statement.hash = blake2_256(as_bytes("another"));
  return {first, second};
}

struct Fixture {
  store::SimDisk disk;
  std::unique_ptr<ports::Store> store = disk.store();
  Chain chain;
  NoPool pool;
  Reporter reporter{Chain::account(9), [](ByteView) -> MultiSignature { return SignedEd25519{}; }};
  ports::PeerId self;
  ports::Instant now{1'000'000};

  EvidenceReports make(bool with_key = true) {
    return EvidenceReports({store.get(), &pool, &chain, with_key ? &reporter : nullptr}, kGenesis,
                           self);
  }
  // What it reports within so much time, asked twice a second.
  std::vector<Bytes> run(EvidenceReports& reports, std::uint64_t ms) {
    std::vector<Bytes> out;
    for (const auto until = now + DurationMs(ms); now < until; now = now + DurationMs(500)) {
      if (auto report = reports.next_report(now)) out.push_back(*std::move(report));
    }
    return out;
  }
  void convict(std::uint16_t signer) {
    chain.change([&](Overlay& state) {
      auto known = validators::kOffences.get(state, kEpoch);
      REQUIRE(known.push_back({Chain::account(static_cast<std::uint8_t>(signer)), View(1),
                               EvidenceKind::two_finalize}));
      validators::kOffences.put(state, kEpoch, known);
    });
  }
};

}  // namespace

TEST_CASE("reports: evidence becomes an extrinsic of the reporter that names it") {
  Fixture f;
  EvidenceReports reports = f.make();
  CHECK(reports.keep(evidence(2), f.now));
  CHECK_FALSE(reports.keep(evidence(2, View(8)), f.now));  // one an offender and epoch
  const auto made = f.run(reports, 9'000);
  REQUIRE_FALSE(made.empty());
  const auto extrinsic = decode_extrinsic(made.front());
  REQUIRE(extrinsic.ok());
  CHECK(lookup(extrinsic->signature->signer) == f.reporter.account);
  const auto call = decode<runtime::RuntimeCall>(extrinsic->call);
  REQUIRE(call.ok());
  const auto& inner = std::get<runtime::ValidatorsCall>(*call).value;
  CHECK(std::get<validators::ReportEquivocation>(inner).evidence == evidence(2));
}

TEST_CASE("reports: made again until the chain has convicted, by whoever's report") {
  Fixture f;
  EvidenceReports reports = f.make();
  reports.keep(evidence(1), f.now);
  const auto first = f.run(reports, 9'000);
  REQUIRE_FALSE(first.empty());
  f.pool.waiting.insert(extrinsic_hash(first.back()));
  CHECK(f.run(reports, 60'000).empty());  // it waits for its block
  f.pool.waiting.clear();                 // and is lost
  CHECK_FALSE(f.run(reports, 6'000).empty());
  f.convict(1);
  CHECK(f.run(reports, 60'000).empty());
  CHECK(reports.open() == 0);
  CHECK_FALSE(reports.keep(evidence(1), f.now));
  CHECK(f.make().open() == 0);
}

// Shown to fail when keep() does not write, or not synced.
TEST_CASE("reports: what is open survives a crash, and is reported once there is a key") {
  for (std::uint64_t seed = 1; seed <= 16; ++seed) {  // of what a crash loses
    Fixture f;
    {
      EvidenceReports reports = f.make(false);
      reports.keep(evidence(1), f.now);
      reports.keep(evidence(3), f.now);
      CHECK(f.run(reports, 60'000).empty());
      const auto news = reports.take_news();
      REQUIRE(news.size() == 2);
      CHECK(news[0].find("--reporter-key") != std::string::npos);
    }
    f.store.reset();
    f.disk.crash(seed);
    f.store = f.disk.store();
    EvidenceReports reports = f.make();
    CHECK(reports.open() == 2);
    CHECK_FALSE(f.run(reports, 9'000).empty());
  }
}

TEST_CASE("reports: one after the other, since they share a nonce") {
  Fixture f;
  EvidenceReports reports = f.make();
  reports.keep(evidence(1), f.now);
  reports.keep(evidence(3), f.now);
  const auto made = f.run(reports, 1'000);
  for (const Bytes& report : made) f.pool.waiting.insert(extrinsic_hash(report));
  for (int i = 0; i < 100 && f.pool.waiting.empty(); ++i) {
    for (const Bytes& report : f.run(reports, 500)) f.pool.waiting.insert(extrinsic_hash(report));
  }
  CHECK(f.pool.waiting.size() == 1);
  CHECK(f.run(reports, 30'000).empty());
  f.convict(1);
  f.convict(3);
  f.run(reports, 1'000);
  CHECK(reports.open() == 0);
}

TEST_CASE("reports: given up when nothing is bound, and not before the epoch is known") {
  Fixture f;
  EvidenceReports reports = f.make();
  Evidence later = evidence(1);
  later.first.statement.epoch = later.second.statement.epoch = Epoch(6);
  reports.keep(later, f.now);
  CHECK(f.run(reports, 60'000).empty());
  CHECK(reports.open() == 1);
  reports.keep(evidence(0), f.now);
  f.chain.change([](Overlay& state) { validators::kCandidates.erase(state, Chain::account(0)); });
  CHECK(f.run(reports, 60'000).empty());
  CHECK(reports.open() == 1);
  Evidence before = evidence(2);  // of an epoch whose set is no longer kept
  before.first.statement.epoch = before.second.statement.epoch = Epoch(1);
  reports.keep(before, f.now);
  CHECK(f.run(reports, 60'000).empty());
  CHECK(reports.open() == 1);
}

// Shown to fail with a wait that is the same for all.
TEST_CASE("reports: nodes that have the same evidence do not all report at once") {
  std::set<std::uint64_t> waits;
  for (std::uint8_t node = 0; node < 32; ++node) {
    Fixture f;
    f.self = *ports::PeerId::from(Bytes(32, node));
    EvidenceReports reports = f.make();
    reports.keep(evidence(2), f.now);
    const auto begun = f.now;
    while (f.run(reports, 500).empty()) REQUIRE(elapsed(begun, f.now) < DurationMs(10'000));
    waits.insert(elapsed(begun, f.now).value / 1'000);
  }
  CHECK(waits.size() >= 6);
}

}  // namespace tally::core
