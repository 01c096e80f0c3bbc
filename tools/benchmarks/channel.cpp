// Channel updates a second between two parties: real drivers, each with its journal in a folder of
// its own; the payer makes a window of offers, both sync before they answer. Both sides run on one
// thread, one after the other. Then the same with many channels, whose offers take turns, and what
// a final block and a start cost a party that has so many.
#include <unistd.h>

#include <deque>
#include <fstream>
#include <memory>
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
constexpr std::size_t kMany[] = {100, 10'000};
constexpr int kFinalBlocks = 20;

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
  explicit Pair(std::size_t channels) {
    for (std::size_t i = 0; i < channels; ++i) {
      ids.push_back(*ChannelId::from(blake2_256(encode(std::uint64_t{i})).view()));
    }
  }
  KeyPair a = KeyPair::generate(KeyScheme::ecdsa);
  KeyPair b = KeyPair::generate(KeyScheme::ecdsa);
  std::vector<ChannelId> ids;
};

class End {
 public:
  End(const Pair& pair, Side side, const std::filesystem::path& folder)
      : peer_(side == Side::a ? pair.b.account() : pair.a.account()),
        driver_(*channel::Journal::open(*channel::open_journal_file(folder)),
                side == Side::a ? pair.a : pair.b, {.window = kWindow}, line_) {
    if (!driver_.parties().empty()) return;  // taken up from the journal
    const Balance deposit(1'000'000 * kCredit.micro);
    const DurationMs period(60'000);
    const AccountId a = pair.a.account();
    const AccountId b = pair.b.account();
    for (const ChannelId& id : pair.ids) {
      if (!driver_.open({id, a, b, deposit, {}, period, side})) {
        throw std::runtime_error("the channel was not opened");
      }
      driver_.on_event(channels::ChannelOpened{id, a, b, deposit, {}, period, false});
    }
    driver_.finish_turn();
  }

  void pay(const ChannelId& id, const Hash& receipt) {
    if (!driver_.step(id, channel::Pay{Balance(1), {receipt}})) {
      throw std::runtime_error("a payment was refused");
    }
  }
  void finish_turn() { driver_.finish_turn(); }
  void final_block(BlockNumber number) {
    driver_.on_final_block(number);
    driver_.finish_turn();
  }
  // Everything that waits on the line; then one sync and the answers.
  void take(End& from) {
    for (const Bytes& message : from.line_.messages) {
      if (!driver_.on_message(peer_, message)) throw std::runtime_error("a message was refused");
    }
    from.line_.messages.clear();
    driver_.finish_turn();
  }
  // What all channels together have brought the payee.
  Balance brought() const {
    Balance sum;
    for (const auto& [id, party] : driver_.parties()) {
      sum = *checked_add(sum, party.record().balance(Side::b));
    }
    return sum;
  }
  std::size_t channels() const { return driver_.parties().size(); }

 private:
  AccountId peer_;
  Line line_;
  channel::ChannelDriver driver_;
};

double resident_mib() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  statm >> all >> resident;
  return static_cast<double>(resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE))) /
         (1 << 20);
}

double elapsed_ms(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

std::string with(std::size_t channels) {
  if (channels == 1) return "one pair, durable at both ends, window 64";
  return std::to_string(channels) + " channels in turn";
}

Row update_row(const Pair& pair, End& payer, End& payee, double limit) {
  std::uint64_t paid = 0;
  const double updates = rate(kSeconds, kWindow, [&] {
    for (std::uint32_t i = 0; i < kWindow; ++i, ++paid) {
      payer.pay(pair.ids[paid % pair.ids.size()], blake2_256(encode(paid)));
    }
    payer.finish_turn();
    payee.take(payer);
    payer.take(payee);
  });
  if (payee.brought() != Balance(paid) || payer.brought() != Balance(paid)) {
    throw std::runtime_error("the two journals differ, or a payment is missing");
  }
  // One signature covers all offers of a channel that have come, and none of another's.
  const bool one = pair.ids.size() == 1;
  return {.name = "channel updates, " + with(pair.ids.size()),
          .value = updates,
          .unit = "/s",
          .limit = one ? limit : limit / 2,
          .limit_text = std::string("1 / ") + (one ? "(1 ECDSA sign + 1 check)" : "(2 + 2)") +
                        ", one thread for both sides",
          .target = 0.7};
}

// What so many channels cost one who has them.
void add_rows(std::size_t channels, double limit, std::vector<Row>& rows) {
  const tests::TempFolder folder;
  const Pair pair(channels);
  const double before = resident_mib();
  End payer(pair, Side::a, folder.path() / "payer");
  auto payee = std::make_unique<End>(pair, Side::b, folder.path() / "payee");
  rows.push_back(update_row(pair, payer, *payee, limit));
  if (channels == 1) return;
  const double memory = (resident_mib() - before) * 1'024 / 2 / static_cast<double>(channels);
  int height = 0;
  const double block = elapsed_ms([&] {
                         while (height < kFinalBlocks) payee->final_block(BlockNumber(++height));
                       }) /
                       kFinalBlocks;
  const std::string of = " with " + std::to_string(channels) + " channels";
  rows.push_back({.name = "a final block, for a party" + of, .value = block, .unit = "ms"});
  payee.reset();
  rows.push_back({.name = "start from the journal" + of,
                  .value = elapsed_ms([&] {
                    const End again(pair, Side::b, folder.path() / "payee");
                    if (again.channels() != channels) throw std::runtime_error("channels are lost");
                  }),
                  .unit = "ms"});
  rows.push_back({.name = "memory of a channel" + of, .value = memory, .unit = "KiB"});
}

}  // namespace

std::vector<Row> channel_rows() {
  const double limit = 1 / (1 / signs_per_second() + 1 / checks_per_second());
  std::vector<Row> rows;
  add_rows(1, limit, rows);
  for (const std::size_t channels : kMany) add_rows(channels, limit, rows);
  return rows;
}

}  // namespace tally::bench
