#include "tests/support/served_runtime.hpp"

#include "runtime/events.hpp"

namespace tally::tests {

namespace {

// Calls in one block of apply().
constexpr std::size_t kBatch = 16;
constexpr std::uint32_t kEpochBlocks = 100'000;

}  // namespace

ServedRuntime::ServedRuntime(const genesis::ChainSpec& spec)
    : served_(1, kEpochBlocks), chain_(spec) {
  for (const auto& [key, value] : chain_.state().entries()) waiting_[key] = value;
  rpc::ServerConfig config;
  config.listen = "127.0.0.1:0";
  server_ = *rpc::Server::start(config, served_);
  served_.on_submit = [this](const Bytes& extrinsic) { on_submit(extrinsic); };
  blocks(1);
}

std::unique_ptr<client::ChainClient> ServedRuntime::connect() {
  auto connected =
      client::ChainClient::connect({"127.0.0.1:" + std::to_string(server_->port()), 10'000, 10'000},
                                   {served_.genesis_hash(), served_.genesis_state_root(),
                                    served_.epoch_blocks(), served_.validators()});
  TALLY_ASSERT(connected.ok());
  return *std::move(connected);
}

std::size_t ServedRuntime::included() const {
  const std::lock_guard lock(mutex_);
  return included_;
}

runtime::BlockOutcome ServedRuntime::execute(const std::vector<Bytes>& extrinsics) {
  std::vector<runtime::CheckedTransaction> checked;
  for (const Bytes& bytes : extrinsics) {
    auto tx = runtime::decode_transaction(bytes);
    TALLY_ASSERT(tx.ok());
    // The server's genesis and block hashes are not the runtime's, so signatures do not match here.
    const auto additional = runtime::TransactionValidator(chain_.parent()).additional(*tx);
    TALLY_ASSERT(additional.ok());
    checked.push_back(runtime::CheckedTransaction::already_verified(*std::move(tx), *additional));
  }
  auto outcome = chain_.add(checked);
  TALLY_ASSERT(outcome.ok());
  for (const auto& [key, value] : outcome->changes) waiting_[key] = value;
  return *std::move(outcome);
}

void ServedRuntime::publish(const runtime::BlockOutcome& outcome,
                            const std::vector<Bytes>& extrinsics) {
  waiting_[to_bytes(runtime::kEvents.key())] = outcome.events;
  served_.add_block(waiting_, extrinsics);
  waiting_.clear();
}

void ServedRuntime::blocks(int count) {
  const std::lock_guard lock(mutex_);
  for (int i = 0; i < count; ++i) publish(execute({}), {});
}

void ServedRuntime::apply(const KeyPair& key, const std::vector<runtime::RuntimeCall>& calls) {
  const std::lock_guard lock(mutex_);
  std::uint32_t nonce = system::kAccount.get(chain_.state(), key.account()).nonce.value;
  for (std::size_t begin = 0; begin < calls.size(); begin += kBatch) {
    std::vector<Bytes> extrinsics;
    for (std::size_t i = begin; i < std::min(begin + kBatch, calls.size()); ++i) {
      extrinsics.push_back(chain_.sign(key, calls[i], {Nonce(nonce++), {}, Era::immortal()}));
    }
    const auto outcome = execute(extrinsics);
    for (const auto& result : outcome.results) TALLY_ASSERT(!result.error);
    // Heights stay in step: what the block changed is told with the last one.
    if (begin + kBatch < calls.size()) {
      served_.add_block();
    } else {
      publish(outcome, {});
    }
  }
}

void ServedRuntime::on_submit(const Bytes& extrinsic) {
  const std::lock_guard lock(mutex_);
  include(extrinsic);
}

void ServedRuntime::include(const Bytes& extrinsic) {
  const Hash hash = extrinsic_hash(extrinsic);
  if (const auto place = served_.find_transaction(hash); place.ok()) {
    return served_.tell(hash, ports::TxFinalized{*place});
  }
  const auto refuse = [&](ports::RejectCode code, const std::string& reason) {
    served_.tell(hash, ports::TxRejected{{code, reason}});
  };
  const auto tx = runtime::decode_transaction(extrinsic);
  if (!tx.ok()) return refuse(ports::RejectCode::malformed, "malformed");
  const Nonce next = system::kAccount.get(chain_.state(), tx->signer).nonce;
  if (tx->extra.nonce.value < next) return refuse(ports::RejectCode::stale_nonce, "stale nonce");
  const BlockNumber head = chain_.number();
  if (const auto death = tx->extra.era.death(head); death && head.next() >= *death) {
    return served_.tell(hash, ports::TxExpired{*death});
  }
  TALLY_ASSERT(tx->extra.nonce.value == next);
  publish(execute({extrinsic}), {extrinsic});
  ++included_;
  served_.tell(hash, ports::TxReady{});
  served_.tell(hash, ports::TxFinalized{*served_.find_transaction(hash)});
}

}  // namespace tally::tests
