#include "tools/benchmarks/transfers.hpp"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "genesis/build.hpp"
#include "runtime/runtime.hpp"
#include "runtime/version.hpp"

namespace tally::bench {

namespace proto = tallystick::v1;

namespace {

constexpr std::uint32_t kAccounts = 10'000;  // that the bench chain gives something to

}  // namespace

Transfers::Transfers() {
  const auto genesis = genesis::build_genesis(*genesis::preset("bench"));
  additional_ = {runtime::kSpecVersion, runtime::kTransactionVersion, genesis.hash, genesis.hash};
  const genesis::BenchKeys keys;
  for (std::uint32_t i = 0; i < kAccounts; ++i) keys_.push_back(keys.key(i));
}

std::string Transfers::sign(const KeyPair& key, const AccountId& to, std::uint32_t nonce) const {
  const runtime::RuntimeCall call =
      runtime::CreditsCall{credits::Transfer{AddressId{to}, {kCredit}}};
  const Bytes bytes =
      sign_extrinsic(key, encode(call), {Era::immortal(), {Nonce(nonce)}, {}}, additional_);
  return std::string(as_text(bytes));
}

std::string Transfers::sign(const Of& of) const {
  return sign(keys_.at(of.from), keys_.at((of.from + 1) % kAccounts).account(), of.nonce);
}

std::string Transfers::sign_unpaid() const {
  return sign(KeyPair::generate(KeyScheme::ecdsa), keys_[0].account(), 0);
}

double lone_finality_ms(proto::Author::Stub& author, const std::string& extrinsic) {
  using Clock = std::chrono::steady_clock;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  proto::SubmitRequest request;
  request.set_extrinsic(extrinsic);
  const auto start = Clock::now();
  const auto reader = author.SubmitAndWatch(&context, request);
  proto::TransactionStatus status;
  while (reader->Read(&status)) {
    if (!status.has_finalized()) continue;
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  }
  throw std::runtime_error("a lone transfer was not finalized: " + status.ShortDebugString() + " " +
                           reader->Finish().error_message());
}

double median(std::vector<double> values) {
  if (values.empty()) throw std::runtime_error("there is nothing to take the median of");
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace tally::bench
