#include "client-sdk/dispute/buyer.hpp"

namespace tally::dispute {

namespace {

using task::TaskError;
using task::TaskErrorKind;
namespace fs = std::filesystem;

constexpr std::uint32_t kOneInTen = task::kEveryTask / 10;

TaskError error(TaskErrorKind kind, std::string code, std::string message) {
  return {kind, std::move(code), std::move(message), {}, {}};
}

BuyError with_file(TaskError task, const fs::path& path) {
  return {std::move(task), path};
}

}  // namespace

std::uint32_t audit_duty_ppm(workers::AuditBand band) {
  switch (band) {
    case workers::AuditBand::every_task:
      return task::kEveryTask;
    case workers::AuditBand::one_in_ten:
      return kOneInTen;
    case workers::AuditBand::none:
      return 0;
  }
  return task::kEveryTask;
}

Seller seller_of(task::SteadySession& session, std::string endpoint, DurationMs challenge_period) {
  return {.run_unpaid = [&session](const task::TaskRequest& r) { return session.run_unpaid(r); },
          .pay = [&session](const task::TaskReply& reply) { return session.pay(reply); },
          .endpoint = std::move(endpoint),
          .challenge_period = challenge_period};
}

Buyer::Buyer(BuyerConfig config)
    : config_(std::move(config)),
      checker_(config_.vrf_seed, {.fraction_ppm = config_.check_ppm, .again = config_.again}) {}

// The session has compared the receipt's price with the one that the worker's signed offer gives.
Result<fs::path, TaskError> Buyer::keep(const task::TaskRequest& request,
                                        const task::TaskReply& reply, const Where& where) const {
  auto path = config_.receipts.keep({.receipt = reply.receipt,
                                     .spec = request.spec,
                                     .input = task::whole_input(request),
                                     .agreed_price = reply.receipt.receipt.price,
                                     .endpoint = where.endpoint,
                                     .challenge_period = where.challenge_period,
                                     .kept_at = config_.clock()});
  if (path) return *std::move(path);
  return fail(
      error(TaskErrorKind::payment, "receipt_not_kept",
            "the receipt could not be kept, so the task was not paid: " + path.error().message));
}

Result<bool, TaskError> Buyer::check(const task::TaskRequest& request, const task::TaskReply& reply,
                                     const fs::path& path, std::uint32_t duty_ppm) const {
  const auto done = checker_.check(request, reply, duty_ppm);
  if (!done) {
    return fail(error(TaskErrorKind::invalid, "check",
                      "the task was to be done again here before it is paid, and that failed: " +
                          done.error().message));
  }
  if (!done->has_value()) return false;
  const task::SpotCheck& check = **done;
  const auto kept = config_.receipts.add_check(
      path, {.expected = check.expected,
             .choice = Choice{.fraction_ppm = checker_.fraction_ppm(duty_ppm),
                              .key = checker_.key(),
                              .proof = check.proof}});
  if (!kept) return fail(error(TaskErrorKind::payment, "receipt_not_kept", kept.error().message));
  if (check.agrees) return true;
  const task::Receipt& receipt = reply.receipt.receipt;
  TaskError wrong = error(TaskErrorKind::bad_receipt, "wrong_result",
                          "task " + to_decimal(receipt.task_id) + ": this machine gets output " +
                              to_hex_prefixed(check.expected) + ", the worker signed " +
                              to_hex_prefixed(receipt.output_hash) +
                              "; it was not paid, and its receipt is kept in " + path.string());
  wrong.expected = to_hex_prefixed(check.expected);
  wrong.got = to_hex_prefixed(receipt.output_hash);
  return fail(std::move(wrong));
}

Result<Bought, BuyError> Buyer::run(const Seller& seller, const task::TaskRequest& request,
                                    std::uint32_t duty_ppm) const {
  auto reply = seller.run_unpaid(request);
  if (!reply) return fail(BuyError{std::move(reply).error(), std::nullopt});
  auto path = keep(request, *reply, {seller.endpoint, seller.challenge_period});
  if (!path) return fail(BuyError{std::move(path).error(), std::nullopt});
  auto checked = check(request, *reply, *path, duty_ppm);
  if (!checked) return fail(with_file(std::move(checked).error(), *path));
  if (auto paid = seller.pay(*reply); !paid) return fail(with_file(std::move(paid).error(), *path));
  return Bought{.reply = *std::move(reply), .receipt_file = *std::move(path), .checked = *checked};
}

Result<BoughtTwice, BuyError> Buyer::run_redundant(const std::vector<RedundantSeller>& sellers,
                                                   const task::TaskRequest& request) const {
  BoughtTwice out;
  std::vector<task::Candidate> candidates;
  for (const RedundantSeller& seller : sellers) candidates.push_back(seller.candidate);
  const auto keep_answer = [&](std::size_t at,
                               const task::TaskReply& reply) -> Result<void, TaskError> {
    out.receipt_files.push_back(
        TALLY_TRY(keep(request, reply, {sellers[at].endpoint, sellers[at].challenge_period})));
    return {};
  };
  auto agreed = task::run_redundant(candidates, request, keep_answer);
  if (!agreed) {
    const auto last =
        out.receipt_files.empty() ? std::nullopt : std::optional(out.receipt_files.back());
    return fail(BuyError{std::move(agreed).error(), last});
  }
  out.reply = *std::move(agreed);
  const Hash& expected = out.reply.reply.receipt.receipt.output_hash;
  for (const task::TaskReply& wrong : out.reply.evidence) {
    const fs::path path = config_.receipts.path_of(wrong.receipt.receipt);
    const auto kept =
        config_.receipts.add_check(path, {.expected = expected, .choice = std::nullopt});
    if (!kept) {
      return fail(
          with_file(error(TaskErrorKind::payment, "receipt_not_kept", kept.error().message), path));
    }
    out.bad_receipts.push_back(path);
  }
  return out;
}

}  // namespace tally::dispute
