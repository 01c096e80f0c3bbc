// How a requester keeps workers honest without trusting any: doing a part of the work again, and
// asking two.
//
//   SpotChecker checker(vrf_seed, {.fraction_ppm = 100'000, .again = run_it_myself});
//   if (auto check = checker.check(request, reply)) …          // nothing: not chosen
//   auto agreed = run_redundant({&first, &second, &third}, request);
//
// Which tasks are checked is decided by the requester's VRF over the receipt: a worker cannot tell
// beforehand, and the requester can show afterwards that the choice was not made to hurt anyone.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "client-sdk/task/session.hpp"
#include "primitives/crypto/vrf.hpp"

namespace tally::task {

// Does a task again on this machine: the output's hash, or why it cannot.
using DoAgain = std::function<Result<Hash, Error>(TaskType, ByteView spec, ByteView input)>;

struct SpotCheckConfig {
  std::uint32_t fraction_ppm = 100'000;  // of tasks, in millionths: 10%
  DoAgain again;
};

struct SpotCheck {
  bool agrees{};
  Hash expected;   // ours
  VrfProof proof;  // of the choice, over choice_bytes(receipt)
};

// What the VRF is over: "tallystick/spot-check/v1" ‖ receipt hash.
Bytes choice_bytes(const Receipt& receipt);

class SpotChecker {
 public:
  SpotChecker(const Secret& vrf_seed, SpotCheckConfig config)
      : seed_(vrf_seed), config_(std::move(config)) {}

  bool chosen(const Receipt& receipt) const;
  // Nothing if the task was not chosen; an error if it could not be done again here.
  Result<std::optional<SpotCheck>, Error> check(const TaskRequest& request,
                                                const TaskReply& reply) const;

 private:
  Secret seed_;
  SpotCheckConfig config_;
};

// One of several workers, with the channel that the requester has with it.
struct Candidate {
  Session* session;
  ChannelId channel_id;
};
struct RedundantReply {
  TaskReply reply;                    // of the first worker that is in the majority
  std::vector<std::size_t> agreed;    // positions of the candidates with its output hash
  std::vector<std::size_t> differed;  // with another: their receipts are evidence, and are not paid
  std::vector<TaskReply> evidence;    // as `differed`
};

// Two workers; a third only when they differ or one fails. Two equal output hashes decide, those
// who gave them are paid, the others are not. Needs three candidates to survive one that is wrong.
Result<RedundantReply, TaskError> run_redundant(const std::vector<Candidate>& candidates,
                                                const TaskRequest& request);

}  // namespace tally::task
