#include "client-sdk/chain/submitter.hpp"

namespace tally::client {

ClientResult<TxOutcome> Submitter::submit(const Bytes& call, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const SignedExtrinsic made = TALLY_TRY(chain_.sign(key_, call));
  SubmitOptions options;
  options.above = made.above;
  options.stop = stop;
  options.on_progress = [&lock](const Hash&, const TxProgress&) {
    if (lock.owns_lock()) lock.unlock();
  };
  return chain_.submit_signed(made.bytes, options);
}

}  // namespace tally::client
