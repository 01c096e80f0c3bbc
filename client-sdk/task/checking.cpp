#include "client-sdk/task/checking.hpp"

#include <algorithm>

#include "primitives/crypto/hash.hpp"

namespace tally::task {

namespace {

bool chooses(const VrfOutput& output, std::uint32_t fraction_ppm) {
  std::uint64_t number = 0;
  std::memcpy(&number, output.bytes.data(), sizeof(number));
  return number % kEveryTask < fraction_ppm;
}

struct Answer {
  std::size_t candidate;
  TaskReply reply;
  const Hash& hash() const { return reply.receipt.receipt.output_hash; }
};

// The answers that share an output hash with at least one other.
std::vector<std::size_t> majority(const std::vector<Answer>& answers) {
  for (const Answer& first : answers) {
    std::vector<std::size_t> same;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (answers[i].hash() == first.hash()) same.push_back(i);
    }
    if (same.size() >= 2) return same;
  }
  return {};
}

}  // namespace

Bytes choice_bytes(const Receipt& receipt) {
  Bytes out = domain_tag("spot-check");
  append(out, receipt_hash(receipt));
  return out;
}

Secret spot_check_seed(const KeyPair& requester) {
  Bytes seed = domain_tag("spot-check-seed");
  append(seed, requester.secret().view());
  return *Secret::from(blake2_256(seed));
}

bool choice_is_valid(const VrfKey& key, const Receipt& receipt, const VrfProof& proof,
                     std::uint32_t fraction_ppm) {
  const auto output = vrf_verify(key, choice_bytes(receipt), proof);
  return output && chooses(*output, fraction_ppm);
}

Bytes whole_input(const TaskRequest& request) {
  Bytes input;
  for (const InputPiece& piece : request.input) append(input, piece.bytes);
  return input;
}

std::uint32_t SpotChecker::fraction_ppm(std::uint32_t at_least_ppm) const {
  return std::max(config_.fraction_ppm, at_least_ppm);
}

bool SpotChecker::chosen(const Receipt& receipt, std::uint32_t at_least_ppm) const {
  const auto output = vrf_proof_to_hash(vrf_prove(seed_, choice_bytes(receipt)));
  TALLY_ASSERT(output.has_value());
  return chooses(*output, fraction_ppm(at_least_ppm));
}

Result<std::optional<SpotCheck>, Error> SpotChecker::check(const TaskRequest& request,
                                                           const TaskReply& reply,
                                                           std::uint32_t at_least_ppm) const {
  const Receipt& receipt = reply.receipt.receipt;
  if (!chosen(receipt, at_least_ppm)) return std::optional<SpotCheck>();
  const Hash expected = TALLY_TRY(config_.again(request.type, request.spec, whole_input(request)));
  return std::optional<SpotCheck>(SpotCheck{.agrees = expected == receipt.output_hash,
                                            .expected = expected,
                                            .proof = vrf_prove(seed_, choice_bytes(receipt))});
}

Result<RedundantReply, TaskError> run_redundant(const std::vector<Candidate>& candidates,
                                                const TaskRequest& request,
                                                const OnAnswer& on_answer) {
  std::vector<Answer> answers;
  TaskError last{
      TaskErrorKind::invalid, "candidates", "redundancy needs at least two workers", {}, {}};
  std::vector<std::size_t> agreed;
  for (std::size_t i = 0; i < candidates.size() && agreed.empty(); ++i) {
    TaskRequest own = request;
    own.channel_id = candidates[i].channel_id;
    auto reply = candidates[i].session->run_unpaid(own);
    if (reply) {
      if (on_answer) TALLY_TRY(on_answer(i, *reply));
      answers.push_back({i, *std::move(reply)});
    } else {
      last = reply.error();
    }
    agreed = majority(answers);
  }
  if (agreed.empty()) {
    if (answers.empty()) return fail(std::move(last));
    return fail(TaskError{TaskErrorKind::bad_receipt,
                          "no_majority",
                          "no two of " + to_decimal(candidates.size()) +
                              " workers gave the same output; nobody was paid",
                          {},
                          {}});
  }
  RedundantReply out{
      .reply = answers[agreed.front()].reply, .agreed = {}, .differed = {}, .evidence = {}};
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Answer& answer = answers[i];
    if (answer.hash() != out.reply.receipt.receipt.output_hash) {
      out.differed.push_back(answer.candidate);
      out.evidence.push_back(answer.reply);
      continue;
    }
    out.agreed.push_back(answer.candidate);
    TALLY_TRY(candidates[answer.candidate].session->pay(answer.reply));
  }
  return out;
}

}  // namespace tally::task
