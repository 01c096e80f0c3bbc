// The types of tasks and what they cost: shared by whoever buys work, whoever does it, and the
// chain, which judges it.
//
// A task is (type, spec, input); what a spec of each type says is in client-sdk/task/specs.hpp. The
// work in it is metered in units of the type: integers sieved (prime_calculation), int8
// multiply-adds (vector_search), pixels read and written (image_resize), fuel (custom_wasm).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "primitives/balance.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/ids.hpp"
#include "primitives/result.hpp"

namespace tally::task {

// Numbers are never reused: they stand in signed receipts.
enum class TaskType : std::uint8_t {
  prime_calculation = 0,
  vector_search = 1,
  image_resize = 2,
  custom_wasm = 3
};
TALLY_DESCRIBE_ENUM(TaskType, prime_calculation, vector_search, image_resize, custom_wasm);

std::string_view to_text(TaskType type);

// exact: any correct machine of one environment gives the same output, bit for bit, so a wrong one
// can be proved. tolerant: outputs of correct machines may differ; nobody can be slashed for one.
enum class Exactness : std::uint8_t { exact = 0, tolerant = 1 };
TALLY_DESCRIBE_ENUM(Exactness, exact, tolerant);

Exactness exactness_of(TaskType type);

// blake2_256("tallystick/executors/v1"): what "exact" means for these types. A change of any
// output's bits is a new environment.
Hash executor_environment();

// The price of one type of task: `price` for every `per_units` metered units.
struct TaskPrice {
  TaskType type{};
  Balance price;
  std::uint64_t per_units{};
  friend bool operator==(const TaskPrice&, const TaskPrice&) = default;
};
TALLY_DESCRIBE(TaskPrice, type, price, per_units);

// The reference prices, one a type: 1 CC for 1.8·10¹² integers, 1 µCC for 10⁷ multiply-adds, 40
// µCC a megapixel, 1 µCC for 50,000 of fuel (a core that sieves 2.9·10⁹ integers a second burns
// some 8·10⁷ of fuel in it).
std::vector<TaskPrice> reference_prices();
TaskPrice reference_price(TaskType type);

enum class Priority : std::uint8_t { low = 0, normal = 1, high = 2 };
TALLY_DESCRIBE_ENUM(Priority, low, normal, high);

// price · units / per_units rounded up, at least 1 µCC, doubled for high priority.
Result<Balance, Error> price_of(const TaskPrice& price, std::uint64_t units, Priority priority);

}  // namespace tally::task
