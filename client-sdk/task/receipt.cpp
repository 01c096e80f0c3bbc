#include "client-sdk/task/receipt.hpp"

namespace tally::task {

namespace {

template <class T>
std::string field_text(const T& value) {
  return to_hex_prefixed(encode(value));
}

bool near(TimestampMs a, TimestampMs b) {
  const std::uint64_t apart = a < b ? b.value - a.value : a.value - b.value;
  return apart <= kReceiptTolerance.value;
}

}  // namespace

Result<void, Error> check_receipt(const SignedReceipt& signed_receipt, const Receipt& agreed,
                                  TimestampMs now) {
  const Receipt& receipt = signed_receipt.receipt;
  Receipt expected = agreed;
  expected.started_ms = receipt.started_ms;
  expected.finished_ms = receipt.finished_ms;
  std::string difference;
  std::vector<std::string> values;
  for_each_field(expected, [&](std::string_view, const auto& value) {
    values.push_back(field_text(value));
    return true;
  });
  std::size_t at = 0;
  for_each_field(receipt, [&](std::string_view name, const auto& value) {
    const std::string& want = values[at++];
    if (field_text(value) == want) return true;
    difference =
        "the receipt's " + std::string(name) + " must be " + want + ", got " + field_text(value);
    return false;
  });
  if (!difference.empty()) return fail_with(difference);
  // A task may run for longer than the tolerance: its start is held against when it was sent.
  const bool too_early =
      receipt.started_ms < agreed.started_ms && !near(receipt.started_ms, agreed.started_ms);
  if (receipt.finished_ms < receipt.started_ms || too_early || !near(receipt.finished_ms, now)) {
    return fail_with("the receipt's times must be within " +
                     to_decimal(kReceiptTolerance.value / 1000) + " s of " +
                     to_decimal(agreed.started_ms.value) + " to " + to_decimal(now.value) +
                     ", got " + to_decimal(receipt.started_ms.value) + " to " +
                     to_decimal(receipt.finished_ms.value) + "; check both clocks");
  }
  if (!receipt_signature_is_valid(signed_receipt)) {
    return fail_with("the receipt's signature is not the worker's");
  }
  return {};
}

}  // namespace tally::task
