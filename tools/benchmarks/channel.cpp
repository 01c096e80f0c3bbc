// Channel updates a second between two parties: real drivers, each with its journal in a folder of
// its own; the payer makes a window of offers, both sync before they answer. Both sides run on one
// thread, one after the other.
#include <deque>
#include <stdexcept>

#include "client-sdk/channel/driver.hpp"
#include "primitives/crypto/hash.hpp"
#include "tests/support/process.hpp"
#include "tools/benchmarks/measure.hpp"

namespace tally::bench {
namespace {

using channels::Side;

constexpr std::uint32_t kWindow = 64;
constexpr double kSeconds = 3.0;

// Keeps what leaves until the other side takes it. Nothing here ends a channel.
class Line final : public channel::Effects {
 public:
  void send(const ChannelId&, const AccountId&, Bytes message) override {
    messages.push_back(std::move(message));
  }
  void submit(const ChannelId&, const channels::Call&, bool) override {
    throw std::runtime_error("a channel that only pays went to the chain");
  }
  void set_timer(const ChannelId&, channel::TimerKind, DurationMs) override {}
  void tell(const ChannelId&, const channel::Tell&) override {}

  std::deque<Bytes> messages;
};

struct Pair {
  KeyPair a = KeyPair::generate(KeyScheme::ecdsa);
  KeyPair b = KeyPair::generate(KeyScheme::ecdsa);
  ChannelId id = *ChannelId::from(blake2_256(as_bytes("a channel")).view());
};

class End {
 public:
  End(const Pair& pair, Side side, const std::filesystem::path& folder)
      : id_(pair.id),
        peer_(side == Side::a ? pair.b.account() : pair.a.account()),
        driver_(*channel::Journal::open(*channel::open_journal_file(folder)),
                side == Side::a ? pair.a : pair.b, {.window = kWindow}, line_) {
    const Balance deposit(1'000'000 * kCredit.micro);
    const DurationMs period(60'000);
    const AccountId a = pair.a.account();
    const AccountId b = pair.b.account();
    if (!driver_.open({pair.id, a, b, deposit, {}, period, side})) {
      throw std::runtime_error("the channel was not opened");
    }
    driver_.on_event(channels::ChannelOpened{pair.id, a, b, deposit, {}, period, false});
    driver_.finish_turn();
  }

  void pay(const Hash& receipt) {
    if (!driver_.step(id_, channel::Pay{Balance(1), {receipt}})) {
      throw std::runtime_error("a payment was refused");
    }
  }
  void finish_turn() { driver_.finish_turn(); }
  // Everything that waits on the line; then one sync and the answers.
  void take(End& from) {
    for (const Bytes& message : from.line_.messages) {
      if (!driver_.on_message(peer_, message)) throw std::runtime_error("a message was refused");
    }
    from.line_.messages.clear();
    driver_.finish_turn();
  }
  const channel::Record& record() const { return driver_.find(id_)->record(); }

 private:
  ChannelId id_;
  AccountId peer_;
  Line line_;
  channel::ChannelDriver driver_;
};

}  // namespace

std::vector<Row> channel_rows() {
  const double limit = 1 / (1 / signs_per_second() + 1 / checks_per_second());
  const tests::TempFolder folder;
  const Pair pair;
  End payer(pair, Side::a, folder.path() / "payer");
  End payee(pair, Side::b, folder.path() / "payee");
  std::uint64_t paid = 0;
  const double updates = rate(kSeconds, kWindow, [&] {
    for (std::uint32_t i = 0; i < kWindow; ++i) payer.pay(blake2_256(encode(paid++)));
    payer.finish_turn();
    payee.take(payer);
    payer.take(payee);
  });
  const Balance brought = payee.record().balance(Side::b);
  if (brought != Balance(paid) || payer.record().balance(Side::b) != brought) {
    throw std::runtime_error("the two journals differ, or a payment is missing");
  }
  return {{.name = "channel updates, one pair, durable at both ends, window 64",
           .value = updates,
           .unit = "/s",
           .limit = limit,
           .limit_text = "1 / (1 ECDSA sign + 1 check), one thread for both sides",
           .target = 0.7}};
}

}  // namespace tally::bench
