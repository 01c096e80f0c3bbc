#include "client-sdk/channel/party.hpp"

#include <algorithm>

#include "client-sdk/channel/party_handlers.hpp"
#include "client-sdk/channel/planted.hpp"
#include "primitives/assert.hpp"

namespace tally::channel {
namespace {

template <class T, std::size_t I = 0>
constexpr std::size_t event_index() {
  if constexpr (std::is_same_v<std::variant_alternative_t<I, Event>, T>) {
    return I;
  } else {
    return event_index<T, I + 1>();
  }
}

constexpr std::uint8_t to(Stage stage) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(stage));
}
template <class... S>
constexpr std::uint8_t to(Stage first, S... rest) {
  return static_cast<std::uint8_t>(to(first) | to(rest...));
}

using Table = std::array<std::array<Cell, kEvents>, kStages>;

template <class T>
constexpr void admit(Table& table, Stage from, std::uint8_t next) {
  table[static_cast<std::size_t>(from)][event_index<T>()] = {true, next};
}

// What may happen in every stage from the open to the end, and where it may lead.
constexpr void admit_common(Table& table, Stage stage) {
  // The peer may turn out to be ahead of my journal (rule 5).
  const std::uint8_t here = to(stage);
  const std::uint8_t or_restored =
      stage == Stage::ending ? here : static_cast<std::uint8_t>(here | to(Stage::restored));
  admit<Countersigned>(table, stage, or_restored);
  admit<Learn>(table, stage, or_restored);
  // A Hello may be the answer that a claim waits for.
  admit<Hello>(table, stage, stage == Stage::restored ? here : or_restored | to(Stage::ending));
  admit<Connected>(table, stage, here);
  admit<TurnEnded>(table, stage, here);
  admit<End>(table, stage, here);
  admit<TimerFired>(table, stage, stage == Stage::restored ? here : here | to(Stage::ending));
  admit<ChallengedOnChain>(table, stage, stage == Stage::restored ? here : to(Stage::ending));
  admit<SplicedOnChain>(table, stage,
                        stage == Stage::splicing ? to(Stage::ready, Stage::restored) : or_restored);
  admit<ClosedOnChain>(table, stage, to(Stage::closed));
  admit<FinalBlock>(table, stage,
                    stage == Stage::splicing ? to(Stage::splicing, Stage::ready) : here);
}

constexpr Table make_table() {
  Table table{};
  using S = Stage;
  admit<OpenedOnChain>(table, S::unopened, to(S::unopened, S::ready));
  admit<ClosedOnChain>(table, S::unopened, to(S::closed));
  admit<FinalBlock>(table, S::unopened, to(S::unopened));
  admit<TurnEnded>(table, S::unopened, to(S::unopened));

  for (const S stage : {S::ready, S::splicing, S::closing, S::ending, S::restored}) {
    admit_common(table, stage);
  }
  admit<Offer>(table, S::ready, to(S::ready));
  admit<Pay>(table, S::ready, to(S::ready));
  admit<CloseTogether>(table, S::ready, to(S::closing));
  admit<CloseOffer>(table, S::ready, to(S::closing));
  admit<SpliceTogether>(table, S::ready, to(S::splicing));
  admit<SpliceOffer>(table, S::ready, to(S::ready, S::splicing));
  admit<AcceptSplice>(table, S::ready, to(S::splicing));

  admit<SpliceAccepted>(table, S::splicing, to(S::splicing));

  for (const S stage : {S::ready, S::splicing, S::closing, S::ending, S::restored}) {
    admit<Issued>(table, stage, to(stage));
  }
  admit<CloseWanted>(table, S::ready, to(S::closing));
  admit<CloseWanted>(table, S::closing, to(S::closing));
  admit<CloseWanted>(table, S::ending, to(S::ending));
  admit<AskClose>(table, S::restored, to(S::restored));

  admit<CloseOffer>(table, S::closing, to(S::closing));
  admit<CloseAccepted>(table, S::closing, to(S::closing));

  admit<CloseTogether>(table, S::ending, to(S::ending));
  admit<CloseOffer>(table, S::ending, to(S::ending));
  admit<CloseAccepted>(table, S::ending, to(S::ending));

  admit<CloseOffer>(table, S::restored, to(S::restored));
  admit<AcceptClose>(table, S::restored, to(S::restored));

  admit<FinalBlock>(table, S::closed, to(S::closed));
  admit<TurnEnded>(table, S::closed, to(S::closed));
  admit<TimerFired>(table, S::closed, to(S::closed));
  return table;
}

constexpr Table kTable = make_table();

}  // namespace

Cell table(Stage stage, std::size_t event_index) {
  return kTable[static_cast<std::size_t>(stage)][event_index];
}

Party::Party(const Terms& terms, const KeyPair& key, const Policy& policy,
             std::optional<Opening> opening)
    : Party(
          [&] {
            Record record;
            record.terms = terms;
            record.opening = std::move(opening);
            record.floor = {ChannelVersion(0), terms.deposit_a, terms.deposit_b, 0};
            record.brought = BalanceDelta(static_cast<i128>(
                (terms.side == Side::a ? terms.deposit_a : terms.deposit_b).micro));
            return record;
          }(),
          key, policy) {}

Party::Party(const Record& record, const KeyPair& key, const Policy& policy)
    : record_(record), key_(key), policy_(policy), tip_receipts_(record.receipts) {
  TALLY_ASSERT(key.account() == record.terms.self());
  if (planted(Fault::forget_splice) && record_.stage == Stage::splicing) {
    record_.splice.reset();
    record_.stage = Stage::ready;
  }
  if (!record_.offer) return;
  for (const Hash& receipt : record_.offer->receipts) tip_receipts_.append(receipt);
}

Party Party::from_backup(Record record, const KeyPair& key, const Policy& policy) {
  if (record.stage != Stage::closed) {
    record.stage = Stage::restored;
    record.restored = true;
  }
  return {record, key, policy};
}

Result<Actions, Rejection> Party::step(const Event& event) {
  Cell cell = table(record_.stage, event.index());
  const bool more = std::holds_alternative<Offer>(event) || std::holds_alternative<Pay>(event);
  if (planted(Fault::sign_after_claim) && record_.stage == Stage::ending && more) {
    cell = {true, to(Stage::ending)};
  }
  if (!cell.admitted) return fail(Rejection::not_in_this_stage);
  Handlers handlers(*this);
  TALLY_TRY(std::visit([&](const auto& e) { return handlers.on(e); }, event));
  TALLY_ASSERT((cell.next & to(record_.stage)) != 0);
  return std::move(handlers.out);
}

Balance Party::locked() const {
  const auto sum = checked_add(record_.floor.balance_a, record_.floor.balance_b);
  TALLY_ASSERT(sum.ok());
  return *sum;
}

Balance Party::own_balance() const {
  const Side side = record_.terms.side;
  return record_.offer ? record_.offer->state.balance(side) : record_.balance(side);
}

Balance Party::received() const {
  const i128 gain =
      static_cast<i128>(record_.balance(record_.terms.side).micro) - record_.brought.micro;
  return gain > 0 ? Balance(static_cast<u128>(gain)) : Balance{};
}

std::optional<Balance> Party::close_offered() const {
  if (!close_offered_) return std::nullopt;
  return close_offered_->state.balance(record_.terms.side);
}

std::optional<BalanceDelta> Party::splice_offered() const {
  if (!splice_offered_) return std::nullopt;
  return splice_offered_->splice.delta(record_.terms.side);
}

Balance Party::payable() const {
  if (record_.stage != Stage::ready && record_.stage != Stage::splicing) return {};
  constexpr u128 kReservePerCent = 100;
  // Rounded up, so that what is left is never below one percent.
  const Balance reserve((locked().micro + kReservePerCent - 1) / kReservePerCent);
  return checked_sub(own_balance(), reserve).value_or(Balance{});
}

// ---- What the handlers share

// Rule 1: a version is signed once, and the record that says so is persisted before the signature
// leaves, because every handler that signs persists before it sends.
MultiSignature Handlers::sign(ByteView message, ChannelVersion version) {
  TALLY_ASSERT(version > record().highest_signed || planted(Fault::stale_offer));
  record().highest_signed = version;
  return p.key_.sign(message);
}

bool Handlers::peer_signed(ByteView message, const MultiSignature& signature) const {
  return verify_offchain(record().terms.peer(), message, signature).ok();
}

CoSignedState Handlers::co_signed(const ChannelState& state, const MultiSignature& mine,
                                  const MultiSignature& peers) const {
  CoSignedState both{state, mine, peers};
  if (me() == Side::b) std::swap(both.signature_a, both.signature_b);
  return both;
}

ChannelState Handlers::base_state() const {
  if (record().newest) return record().newest->state;
  const channels::Position& floor = record().floor;
  return {record().terms.channel_id, floor.version,           floor.balance_a,  floor.balance_b,
          record().receipts.root(),  record().receipts.count, ChannelVersion(0)};
}

ChannelState Handlers::tip_state() const {
  return record().offer ? record().offer->state : base_state();
}

ChannelVersion Handlers::acked() const {
  return record().newest ? record().newest->state.version : ChannelVersion(0);
}

ChannelVersion Handlers::next_version() const {
  std::uint64_t base = std::max(record().highest_signed, record().newest_version()).value;
  const bool countersigned_last = record().newest && record().newest->state.proposer() == peer() &&
                                  base == record().newest->state.version.value;
  if (countersigned_last) base += 2 * std::uint64_t{p.policy_.window} + 2;
  const std::uint64_t parity = me() == Side::a ? 1 : 0;
  return ChannelVersion(base + 1 + ((base + 1) % 2 == parity ? 0 : 1));
}

bool Handlers::sums_to_locked(const ChannelState& state) const {
  const auto sum = checked_add(state.balance_a, state.balance_b);
  return sum.ok() && *sum == p.locked();
}

bool Handlers::below_reserve(Balance balance) const {
  const auto hundredfold = checked_mul(balance, 100);
  return hundredfold.ok() && *hundredfold < p.locked();
}

Balance Handlers::floor_of_own_balance() const {
  if (p.pending_) return p.pending_->offer.state.balance(me());
  return p.own_balance();
}

void Handlers::become_restored() {
  record().restored = true;
  if (record().stage != Stage::ending) record().stage = Stage::restored;
  p.pending_.reset();
  p.in_flight_.clear();
}

std::optional<CoSignedState> Handlers::complete_close() const {
  const auto& close = record().close;
  if (!close || !close->mine || !close->peers) return std::nullopt;
  // A splice that a restored party did not know of has become final since: the chain refuses this.
  const bool below_floor = close->state.version <= record().floor.version;
  if (below_floor || !sums_to_locked(close->state)) return std::nullopt;
  return co_signed(close->state, *close->mine, *close->peers);
}

}  // namespace tally::channel
