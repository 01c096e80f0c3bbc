// Calls on their way to the chain, several at a time.
#include "client-sdk/chain/calls.hpp"
#include "client-sdk/host/host_state.hpp"

namespace tally::client {

namespace {

using std::chrono::milliseconds;

// How long a call that is final counts as under way until the driver has taken its block.
constexpr milliseconds kTakenPatience{10'000};

std::string call_name(const channels::Call& call) {
  return std::visit([](const auto& c) { return std::string(std::decay_t<decltype(c)>::kName); },
                    call);
}

}  // namespace

void ChannelHost::State::submit(const ChannelId& channel, const channels::Call& call,
                                bool by_third_party) {
  {
    const std::lock_guard lock(mutex);
    to_submit.put({channel, call, by_third_party, driver->deadline(channel)});
  }
  submit_changed.notify_all();
}

void ChannelHost::State::tell_submitted(const Submission& done) {
  const std::lock_guard lock(telling);
  if (config.on_submitted) config.on_submitted(done);
}

// The pool counts the nonces: from the signature until it has the call no other is signed.
ClientResult<TxOutcome> ChannelHost::State::submit_call(const KeyPair& key,
                                                        const channels::Call& call,
                                                        const std::stop_token& stop) {
  std::unique_lock turn(one_nonce);
  if (stop.stop_requested()) {
    return fail(
        ClientError{ClientErrorKind::cancelled, "cancelled", "stopped before it was sent", {}});
  }
  SubmitOptions options;
  options.stop = stop;
  options.on_progress = [&turn](const Hash&, const TxProgress&) {
    if (turn.owns_lock()) turn.unlock();
  };
  const SignedExtrinsic made = TALLY_TRY(chain.sign(key, call_bytes(call), options));
  options.above = made.above;
  return chain.submit_signed(made.bytes, options);
}

void ChannelHost::State::submit_one(const ToSubmit& next, const std::stop_token& stop) {
  bool due = false;
  loop.call([&] { due = driver->still_due(next.channel, next.call); });
  if (!due) return;
  if (next.by_third_party && !config.tower_key) {
    log("channel " + to_hex_prefixed(next.channel) + " needs " + call_name(next.call) +
        " from another account: show the chain what `tally channel appoint` writes with "
        "`tally channel refute`, as somebody else");
    return;
  }
  const KeyPair& key = next.by_third_party ? *config.tower_key : config.key;
  const Submission done{next.channel, call_name(next.call), submit_call(key, next.call, stop)};
  if (!done.outcome) log("submitting " + done.call + ": " + done.outcome.error().message);
  tell_submitted(done);
  if (!done.outcome) return;
  // Whether the next one like it is due is seen only then.
  std::unique_lock lock(mutex);
  changed.wait_for(lock, kTakenPatience, [&] {
    return stop.stop_requested() || taken_by_driver >= done.outcome->at.number;
  });
}

void ChannelHost::State::submit_all(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    { const std::lock_guard lock(mutex); }
    changed.notify_all();
    submit_changed.notify_all();
  });
  while (true) {
    std::optional<ToSubmit> next;
    {
      std::unique_lock lock(mutex);
      submit_changed.wait(lock, [&] {
        if (stop.stop_requested()) return true;
        next = to_submit.take();
        return next.has_value();
      });
    }
    if (stop.stop_requested()) return;
    submit_one(*next, stop);
    {
      const std::lock_guard lock(mutex);
      to_submit.done(*next);
    }
    submit_changed.notify_all();
  }
}

}  // namespace tally::client
