#include "primitives/task/price.hpp"

#include "primitives/crypto/hash.hpp"

namespace tally::task {

std::string_view to_text(TaskType type) {
  return enumerator_name(type);
}

Exactness exactness_of(TaskType type) {
  switch (type) {
    case TaskType::prime_calculation:
    case TaskType::vector_search:
    case TaskType::image_resize:
    case TaskType::custom_wasm:
      return Exactness::exact;
  }
  return Exactness::tolerant;
}

Hash executor_environment() {
  return blake2_256(domain_tag("executors"));
}

std::vector<TaskPrice> reference_prices() {
  return {reference_price(TaskType::prime_calculation), reference_price(TaskType::vector_search),
          reference_price(TaskType::image_resize), reference_price(TaskType::custom_wasm)};
}

TaskPrice reference_price(TaskType type) {
  switch (type) {
    case TaskType::prime_calculation:
      return {type, kCredit, 1'800'000'000'000};
    case TaskType::vector_search:
      return {type, kMicro, 10'000'000};
    case TaskType::image_resize:
      return {type, Balance(40), 1'000'000};
    case TaskType::custom_wasm:
      return {type, kMicro, 50'000};
  }
  return {};
}

Result<Balance, Error> price_of(const TaskPrice& price, std::uint64_t units, Priority priority) {
  if (price.per_units == 0) return fail_with("a price is for at least 1 unit, got 0");
  const std::uint64_t factor = priority == Priority::high ? 2 : 1;
  const auto scaled = checked_mul(price.price, factor);
  if (!scaled) return fail_with("the price of a unit is too large");
  const auto floor = mul_div(*scaled, units, price.per_units);
  if (!floor) return fail_with("the price of the task is too large");
  // Rounded up, so that splitting a task never makes it cheaper.
  const auto back = mul_div(*floor, price.per_units, 1);
  const auto exact = mul_div(*scaled, units, 1);
  if (!back || !exact) return fail_with("the price of the task is too large");
  const Balance rounded = *back == *exact ? *floor : Balance(floor->micro + 1);
  return max(rounded, kMicro);
}

}  // namespace tally::task
