// Opens a channel with Bob on the dev chain, pays him twice and closes: two transactions in all.
//
//   tallyd --chain dev --validator //Alice --base-path /tmp/node
//   tally channel serve --as //Bob
//   pay_over_channel
#include <cstdio>

#include "client-sdk/chain/trust_root.hpp"
#include "client-sdk/host/channel_host.hpp"
#include "client-sdk/task/session.hpp"
#include "primitives/derivation.hpp"

using namespace tally;
using std::chrono::seconds;

static Result<void, Error> pay_bob() {
  const KeyPair alice = dev_key(KeyScheme::ecdsa, "Alice");
  const AccountId bob = dev_key(KeyScheme::ecdsa, "Bob").account();
  const genesis::ChainSpec spec = TALLY_TRY(genesis::preset("dev"));

  // Nothing that the node says is believed without proof.
  auto chain = client::ChainClient::connect({"127.0.0.1:9943"}, client::trust_root(spec));
  if (!chain.ok()) return fail_with(chain.error().message);
  client::HostConfig config;
  config.journal_folder = "/tmp/pay-over-channel";
  config.key = alice;
  auto host = TALLY_TRY(client::ChannelHost::start(config, **chain));
  const ChannelId id =
      TALLY_TRY(host->open({bob, Balance(10 * kCredit.micro), spec.channels.period_default}));

  auto session = TALLY_TRY(
      task::Session::connect({"127.0.0.1:9950", bob, alice, (*chain)->root().genesis_hash}, *host));
  for (int i = 0; i < 2; ++i) {
    TALLY_TRY(host->step(id, channel::Pay{kCredit, {}}));
    const auto countersigned = [](const client::ChannelView& view) { return !view.record.offer; };
    TALLY_TRY(host->wait(id, countersigned, seconds(10)));
  }
  TALLY_TRY(host->close(id, seconds(60)));
  const auto view = host->find(id);
  std::printf("closed at version %llu; mine: %s\n",
              static_cast<unsigned long long>(view->record.newest_version().value),
              to_text(view->record.balance(channels::Side::a)).c_str());
  return {};
}

int main() {
  const auto done = pay_bob();
  if (!done.ok()) std::fprintf(stderr, "%s\n", done.error().message.c_str());
  return done.ok() ? 0 : 1;
}
