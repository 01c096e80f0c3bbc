#include "worker/duty/submitter.hpp"

namespace tally::worker {

client::ClientResult<client::TxOutcome> Submitter::submit(const Bytes& call,
                                                          const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const Bytes extrinsic = TALLY_TRY(chain_.sign(key_, call));
  client::SubmitOptions options;
  options.stop = stop;
  options.on_progress = [&lock](const Hash&, const client::TxProgress&) {
    if (lock.owns_lock()) lock.unlock();
  };
  return chain_.submit_signed(extrinsic, options);
}

}  // namespace tally::worker
