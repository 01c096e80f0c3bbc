#include "tests/channel_sim/served_chain.hpp"

#include <algorithm>

#include "modules/system/storage.hpp"

namespace tally::channel_sim {
namespace {

constexpr int kSettleBlocks = 20'000;

std::string name_of(const channels::Call& call) {
  return std::visit([](const auto& c) { return std::string(std::decay_t<decltype(c)>::kName); },
                    call);
}

}  // namespace

ServedChain::ServedChain(const std::vector<KeyPair>& accounts, Balance each) {
  TestChainOptions options;
  for (const KeyPair& key : accounts) options.accounts[key.account()] = each;
  chain_ = std::make_unique<TestChain>(options);
  chain_->block.genesis_hash = served_.genesis_hash();
  rpc::ServerConfig config;
  config.listen = "127.0.0.1:0";
  server_ = *rpc::Server::start(config, served_);
  served_.on_submit = [this](const Bytes& extrinsic) { on_submit(extrinsic); };
  served_.lie_in_state = [this](ports::StateRead&) { ++state_reads_; };
  served_.pooled_nonce = [this](const AccountId& account) -> std::optional<Nonce> {
    const std::lock_guard lock(mutex_);
    std::uint32_t next = nonces_[account];
    for (const Bytes& extrinsic : pool_) {
      const auto tx = runtime::decode_transaction(extrinsic);
      if (tx->signer == account) next = std::max(next, tx->extra.nonce.value.value + 1);
    }
    return Nonce(next);
  };
  publish({}, {});
}

std::unique_ptr<client::ChainClient> ServedChain::connect(std::uint32_t submit_deadline_ms) {
  auto connected = client::ChainClient::connect(
      {"127.0.0.1:" + std::to_string(server_->port()), 10'000, submit_deadline_ms},
      {served_.genesis_hash(), served_.genesis_state_root(), served_.epoch_blocks(),
       served_.validators()});
  TALLY_ASSERT(connected.ok());
  return *std::move(connected);
}

void ServedChain::hold_back() {
  const std::lock_guard lock(mutex_);
  held_back_ = true;
}

void ServedChain::release(bool include_them) {
  const std::lock_guard lock(mutex_);
  held_back_ = false;
  const auto waiting = std::exchange(pool_, {});
  if (!include_them) return;
  for (const Bytes& extrinsic : waiting) include(extrinsic);
}

void ServedChain::refuse(bool refused) {
  const std::lock_guard lock(mutex_);
  served_.refuse_submissions.reset();
  if (!refused) return;
  served_.refuse_submissions =
      ports::Rejection{ports::RejectCode::cannot_pay, "refused by the test"};
}

void ServedChain::show_up_to(std::optional<BlockNumber> newest) {
  served_.lie_in_header.reset();
  if (!newest) return;
  served_.lie_in_header = [this, last = *newest](Header& header) {
    if (header.number.value > last) header = served_.header(ports::BlockAt(last))->header;
  };
}

void ServedChain::garble_events(bool garbled) {
  const std::lock_guard lock(mutex_);
  garbled_ = garbled;
}

void ServedChain::on_submit(const Bytes& extrinsic) {
  const std::lock_guard lock(mutex_);
  if (!held_back_) return include(extrinsic);
  if (std::find(pool_.begin(), pool_.end(), extrinsic) == pool_.end()) pool_.push_back(extrinsic);
  served_.tell(extrinsic_hash(extrinsic), ports::TxReady{});
}

void ServedChain::include(const Bytes& extrinsic) {
  const Hash hash = extrinsic_hash(extrinsic);
  if (const auto place = served_.find_transaction(hash); place.ok()) {
    return served_.tell(hash, ports::TxFinalized{*place});
  }
  const auto refused = [&](ports::RejectCode code, const std::string& reason) {
    served_.tell(hash, ports::TxRejected{{code, reason}});
  };
  const auto tx = runtime::decode_transaction(extrinsic);
  if (!tx) return refused(ports::RejectCode::malformed, "malformed");
  const auto* call = std::get_if<runtime::ChannelsCall>(&tx->call);
  TALLY_ASSERT(call != nullptr);
  std::uint32_t& nonce = nonces_[tx->signer];
  if (tx->extra.nonce.value.value < nonce) {
    return refused(ports::RejectCode::stale_nonce, "stale nonce");
  }
  const BlockNumber head = served_.heads().finalized.number;
  if (const auto death = tx->extra.era.death(head); death && head.next() >= *death) {
    return served_.tell(hash, ports::TxExpired{*death});
  }
  nonce = tx->extra.nonce.value.value + 1;
  chain_->next_block();
  std::vector<runtime::EventRecord> records;
  for (const channels::Event& event : chain_->events()) {
    records.push_back({PhaseInitialization{}, runtime::ChannelsEvent{event}, {}});
    note(event);
  }
  const auto result = chain_->call(tx->signer, call->value);
  calls_.push_back((result.ok() ? "" : "!") + name_of(call->value));
  if (result.ok()) {
    for (const channels::Event& event : chain_->events()) {
      records.push_back({PhaseApply{0}, runtime::ChannelsEvent{event}, {}});
      note(event);
    }
    records.push_back(
        {PhaseApply{0}, runtime::SystemEvent{system::Event(system::ExtrinsicSuccess{})}, {}});
  } else {
    records.push_back(
        {PhaseApply{0},
         runtime::SystemEvent{system::Event(system::ExtrinsicFailed{result.error(), {}})},
         {}});
  }
  publish(std::move(records), {extrinsic});
  const auto place = served_.find_transaction(hash);
  served_.tell(hash, ports::TxReady{});
  served_.tell(hash, ports::TxFinalized{*place});
}

void ServedChain::note(const channels::Event& event) {
  if (const auto* closed = std::get_if<channels::ChannelClosed>(&event)) {
    closed_.push_back(*closed);
  }
}

void ServedChain::publish(std::vector<runtime::EventRecord> records,
                          const std::vector<Bytes>& extrinsics) {
  std::map<Bytes, Bytes> now = chain_->state().entries();
  for (const auto& [account, nonce] : nonces_) {
    const Bytes key = to_bytes(system::kAccount.key(account));
    system::AccountInfo info;
    if (const auto at = now.find(key); at != now.end()) {
      info = *decode<system::AccountInfo>(at->second);
    }
    info.nonce = Nonce(nonce);
    now[key] = encode(info);
  }
  testing::FakeChain::Changes changes;
  for (const auto& [key, value] : published_) {
    if (now.count(key) == 0) changes[key] = std::nullopt;
  }
  for (const auto& [key, value] : now) {
    const auto before = published_.find(key);
    if (before == published_.end() || before->second != value) changes[key] = value;
  }
  changes[to_bytes(runtime::kEvents.key())] = garbled_ ? Bytes(3, 0xff) : encode(records);
  published_ = std::move(now);
  served_.add_block(changes, extrinsics);
}

void ServedChain::open_behind_its_back(const KeyPair& opener, const AccountId& counterparty,
                                       Balance deposit) {
  const std::lock_guard lock(mutex_);
  chain_->next_block();
  const channels::Open call{.counterparty = counterparty,
                            .deposit = {deposit},
                            .counterparty_deposit = {},
                            .consent = std::nullopt,
                            .challenge_period = chain_->config().period_default};
  TALLY_ASSERT(chain_->call(opener.account(), call).ok());
  std::vector<runtime::EventRecord> records;
  for (const channels::Event& event : chain_->events()) {
    records.push_back({PhaseApply{0}, runtime::ChannelsEvent{event}, {}});
  }
  publish(std::move(records), {});
}

void ServedChain::blocks(int count, DurationMs each) {
  const std::lock_guard lock(mutex_);
  for (int i = 0; i < count; ++i) {
    chain_->next_block(each);
    std::vector<runtime::EventRecord> records;
    for (const channels::Event& event : chain_->events()) {
      records.push_back({PhaseInitialization{}, runtime::ChannelsEvent{event}, {}});
      note(event);
    }
    publish(std::move(records), {});
  }
}

bool ServedChain::settle(const ChannelId& id) {
  for (int i = 0; i < kSettleBlocks && channel(id); ++i) blocks(1, DurationMs(1'000));
  return !channel(id);
}

std::vector<std::string> ServedChain::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}
std::vector<channels::ChannelClosed> ServedChain::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}
std::optional<channels::Channel> ServedChain::channel(const ChannelId& id) const {
  const std::lock_guard lock(mutex_);
  return chain_->channel(id);
}
Balance ServedChain::wealth(const AccountId& account) const {
  const std::lock_guard lock(mutex_);
  return chain_->wealth(account);
}
Balance ServedChain::held(const AccountId& account) const {
  const std::lock_guard lock(mutex_);
  return chain_->held(account);
}

}  // namespace tally::channel_sim
