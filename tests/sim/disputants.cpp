#include "tests/sim/disputants.hpp"

#include "modules/channels/signing.hpp"
#include "modules/disputes/ballot.hpp"
#include "modules/disputes/storage.hpp"
#include "modules/system/storage.hpp"
#include "primitives/crypto/hash.hpp"
#include "tests/sim/fake_crypto.hpp"

namespace tally::sim {
namespace {

constexpr std::size_t kPeople = 12;
const Bytes kSpec = to_bytes(as_bytes("a task"));
constexpr DurationMs kPeriod(10'000);

Hash right_output() {
  return blake2_256(as_bytes("right"));
}

KeyPair key_of(std::size_t person) {
  const auto key = KeyPair::from_secret(KeyScheme::ed25519, sim_secret("sim-disputant", person));
  TALLY_ASSERT(key.has_value());
  return *key;
}

Bytes item_prefix(std::string_view item) {
  Bytes prefix = to_bytes(twox_128(as_bytes("Disputes")));
  append(prefix, twox_128(as_bytes(item)));
  return prefix;
}

}  // namespace

std::vector<AccountId> Disputants::account_list() {
  std::vector<AccountId> out;
  for (std::size_t i = 0; i < kPeople; ++i) out.push_back(key_of(i).account());
  return out;
}

Disputants::Disputants(const Hash& genesis_hash)
    : genesis_hash_(genesis_hash), accounts_(account_list()) {
  for (std::size_t i = 0; i < kPeople; ++i) keys_.push_back(key_of(i));
}

void Disputants::observe(const ports::Store& store) {
  if (const auto time = store.get(ports::Column::state, system::kHeaderTime.key())) {
    header_time_ = *decode<TimestampMs>(*time);
  }
  due_.clear();
  ended_ = 0;
  const Bytes prefix = item_prefix("Disputes");
  store.scan(ports::Column::state, prefix, [&](ByteView key, ByteView value) {
    if (key.size() < prefix.size() || !equal(key.first(prefix.size()), prefix)) return false;
    const auto dispute = decode<disputes::Dispute>(value);
    const auto number = decode<disputes::DisputeNumber>(key.subspan(key.size() - 8));
    TALLY_ASSERT(dispute.ok() && number.ok());
    ended_ += dispute->phase == disputes::Phase::ended ? 1 : 0;
    for (const disputes::Seat& seat : dispute->seats) {
      // One of five never says anything.
      if (seat.round != dispute->round || seat.verifier.bytes[0] % 5 == 0) continue;
      const disputes::Vote vote = disputes::OutputVote{right_output()};
      const disputes::Salt salt = blake2_256(seat.verifier.view()).bytes;
      const auto add = [&](disputes::Call call) {
        due_.push_back({seat.verifier, runtime::DisputesCall{std::move(call)}});
      };
      if (dispute->phase == disputes::Phase::commit) {
        add(disputes::Accept{*number});
        add(disputes::Commit{*number,
                             disputes::commitment_of({*number, seat.verifier, vote, salt})});
      }
      if (dispute->phase == disputes::Phase::reveal) add(disputes::Reveal{*number, vote, salt});
    }
    return true;
  });
}

std::optional<Disputants::Act> Disputants::next(Random& random) {
  for (const Act& act : due_) {
    if (done_.insert(blake2_256({act.who, encode(act.call)})).second) return act;
  }
  if (registered_ + 1 < kPeople) {
    workers::Profile profile;
    profile.endpoint = "127.0.0.1:9950";
    profile.environment = task::executor_environment();
    TALLY_ASSERT(profile.offers.push_back(
        {task::TaskType::prime_calculation, kCredit, 1'800'000'000'000, 1'000'000}));
    const Balance stake(u128{200} * kCredit.micro);
    return Act{accounts_[registered_++], runtime::WorkersCall{workers::Register{profile, {stake}}}};
  }
  if (header_time_.value == 0 || !random.chance(250)) return std::nullopt;
  return open(random);
}

Disputants::Act Disputants::open(Random& random) {
  const KeyPair& worker = keys_.front();
  const AccountId& requester = accounts_.back();
  task::Receipt receipt;
  receipt.genesis_hash = genesis_hash_;
  receipt.worker = worker.account();
  receipt.requester = requester;
  receipt.task_id = ++tasks_;
  receipt.channel_id =
      channels::channel_id_of({genesis_hash_, requester, worker.account(), 3, kPeriod});
  receipt.type = task::TaskType::prime_calculation;
  receipt.environment = task::executor_environment();
  receipt.spec_hash = blake2_256(kSpec);
  receipt.input_hash = blake2_256(ByteView{});
  receipt.output_hash = random.chance(500) ? right_output() : blake2_256(as_bytes("wrong"));
  receipt.price = kMilliCredit;
  receipt.metered_units = 1'000'000;
  receipt.started_ms = header_time_;
  receipt.finished_ms = header_time_;
  disputes::Challenge call;
  call.receipt = task::sign_receipt(worker, receipt);
  call.channel = {false, 3, kPeriod};
  call.spec = kSpec;
  call.input = disputes::InlineInput{};
  call.reason = "a spot check found another output";
  return {requester, runtime::DisputesCall{std::move(call)}};
}

}  // namespace tally::sim
