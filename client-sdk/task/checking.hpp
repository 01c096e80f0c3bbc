// How a requester keeps workers honest without trusting any: doing a part of the work again, and
// asking two.
//
//   SpotChecker checker(vrf_seed, {.fraction_ppm = 100'000, .again = run_it_myself});
//   if (auto check = checker.check(request, reply)) …          // nothing: not chosen
//   auto agreed = run_redundant({&first, &second, &third}, request);
//
// Which tasks are checked is decided by the requester's VRF over the receipt: a worker cannot tell
// beforehand, and the requester can show afterwards that the choice was not made to hurt anyone.
// client-sdk/dispute/buyer.hpp puts this together with receipts on disk and audit bands.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "client-sdk/task/session.hpp"
#include "primitives/crypto/vrf.hpp"

namespace tally::task {

// Does a task again on this machine: the output's hash, or why it cannot.
using DoAgain = std::function<Result<Hash, Error>(TaskType, ByteView spec, ByteView input)>;

constexpr std::uint32_t kEveryTask = 1'000'000;  // a fraction of all, in millionths

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
// The seed of an account's choices: nobody without the account's secret can foresee them.
Secret spot_check_seed(const KeyPair& requester);
// Whether this proof, by this key, chooses the receipt where `fraction_ppm` of all are checked.
bool choice_is_valid(const VrfKey& key, const Receipt& receipt, const VrfProof& proof,
                     std::uint32_t fraction_ppm);

class SpotChecker {
 public:
  SpotChecker(const Secret& vrf_seed, SpotCheckConfig config)
      : seed_(vrf_seed), config_(std::move(config)) {}

  // `at_least_ppm` raises the configured fraction for this one worker, never lowers it.
  bool chosen(const Receipt& receipt, std::uint32_t at_least_ppm = 0) const;
  // Nothing if the task was not chosen; an error if it could not be done again here.
  Result<std::optional<SpotCheck>, Error> check(const TaskRequest& request, const TaskReply& reply,
                                                std::uint32_t at_least_ppm = 0) const;
  std::uint32_t fraction_ppm(std::uint32_t at_least_ppm = 0) const;
  VrfKey key() const { return vrf_public(seed_); }

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

// Told of every answer before anybody is paid: where receipts are kept. An error ends it unpaid.
using OnAnswer = std::function<Result<void, TaskError>(std::size_t candidate, const TaskReply&)>;

// Two workers; a third only when they differ or one fails. Two equal output hashes decide, those
// who gave them are paid, the others are not. Needs three candidates to survive one that is wrong.
// Candidates must be of different operators: two answers of one liar agree.
Result<RedundantReply, TaskError> run_redundant(const std::vector<Candidate>& candidates,
                                                const TaskRequest& request,
                                                const OnAnswer& on_answer = {});

// The input of a request, its pieces one after another.
Bytes whole_input(const TaskRequest& request);

}  // namespace tally::task
