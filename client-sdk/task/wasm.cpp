#include "client-sdk/task/wasm.hpp"

#include <algorithm>

#include "primitives/crypto/hash.hpp"

namespace tally::task {

namespace {

constexpr std::uint32_t kBlocksPerPage = kWasmPage / kSnapshotBlock;
constexpr std::size_t kHashBytes = Hash::kSize;
constexpr std::uint32_t kMinModule = 8;

Failure<Error> bad_snapshot(const std::string& why) {
  return fail_with("this is no snapshot of a Wasm machine: " + why);
}

Result<void, Error> check_range(std::string_view what, std::uint64_t value, std::uint64_t most) {
  if (value >= 1 && value <= most) return {};
  return fail_with("expected " + std::string(what) + " of 1 to " + to_decimal(most) + ", got " +
                   to_decimal(value));
}

Result<void, Error> check_blocks(const Snapshot& snapshot) {
  const std::uint64_t end = std::uint64_t{snapshot.pages} * kBlocksPerPage;
  std::optional<std::uint32_t> last;
  for (const SnapshotBlock& block : snapshot.blocks) {
    if (last && block.index <= *last) return bad_snapshot("its blocks are not ascending");
    if (block.index >= end) {
      return bad_snapshot("block " + to_decimal(block.index) + " is outside its memory of " +
                          to_decimal(snapshot.pages) + " pages");
    }
    const auto zero = [](std::uint8_t byte) { return byte == 0; };
    if (std::all_of(block.bytes.begin(), block.bytes.end(), zero)) {
      return bad_snapshot("block " + to_decimal(block.index) + " is all zero");
    }
    last = block.index;
  }
  return {};
}

}  // namespace

Result<void, Error> check(const WasmSpec& spec, std::size_t input_size) {
  if (spec.module_bytes < kMinModule || spec.module_bytes > kMaxWasmModule) {
    return fail_with("expected a module of " + to_decimal(kMinModule) + " to " +
                     to_decimal(kMaxWasmModule) + " bytes, got " + to_decimal(spec.module_bytes));
  }
  if (input_size < spec.module_bytes) {
    return fail_with("expected an input that begins with a module of " +
                     to_decimal(spec.module_bytes) + " bytes, got " + to_decimal(input_size) +
                     " bytes");
  }
  const std::size_t rest = input_size - spec.module_bytes;
  const bool start = spec.begin == WasmBegin::start;
  const std::size_t most = start ? kMaxWasmArguments : kMaxSnapshotBytes;
  if (rest > most) {
    return fail_with(std::string(start ? "arguments" : "a snapshot") + " of at most " +
                     to_decimal(most) + " bytes may follow the module, got " + to_decimal(rest));
  }
  TALLY_TRY(check_range("fuel", spec.fuel, kMaxWasmFuel));
  TALLY_TRY(check_range("fuel of a step", spec.step_fuel, kMaxWasmFuel));
  return check_range("steps", spec.steps, ~std::uint32_t{0});
}

std::uint64_t load_fuel(const WasmSpec& spec, std::size_t input_size) {
  return kModuleByteFuel * spec.module_bytes + (input_size - spec.module_bytes);
}

std::uint64_t max_fuel(const WasmSpec& spec, std::size_t input_size) {
  return load_fuel(spec, input_size) + spec.fuel + spec.step_fuel;
}

Result<WasmOutput, Error> read_wasm_output(const WasmSpec& spec, std::size_t input_size,
                                           ByteView bytes) {
  auto output = decode<WasmOutput>(bytes);
  if (!output) return fail_with("the output is malformed: " + to_text(output.error()));
  const std::uint64_t least = load_fuel(spec, input_size);
  const std::uint64_t most = max_fuel(spec, input_size);
  if (output->fuel < least || output->fuel > most) {
    return fail_with("expected " + to_decimal(least) + " to " + to_decimal(most) +
                     " of fuel to be used, got " + to_decimal(output->fuel));
  }
  if (output->steps > spec.steps || output->steps > output->total_steps) {
    return fail_with("expected at most " + to_decimal(spec.steps) + " steps, got " +
                     to_decimal(output->steps));
  }
  if (output->state == WasmState::done) {
    if (output->data.size() <= kMaxWasmResult) return *std::move(output);
    return fail_with("expected a result of at most " + to_decimal(kMaxWasmResult) + " bytes, got " +
                     to_decimal(output->data.size()));
  }
  const auto snapshot = TALLY_TRY(decode_snapshot(output->data));
  if (snapshot.module_hash != spec.module_hash) {
    return fail_with("the snapshot is of another module: expected " +
                     to_hex_prefixed(spec.module_hash) + ", got " +
                     to_hex_prefixed(snapshot.module_hash));
  }
  if (snapshot.steps != output->total_steps || snapshot.fuel != output->total_fuel) {
    return fail_with("the output and its snapshot differ in steps or fuel");
  }
  return *std::move(output);
}

Bytes encode_snapshot(Snapshot snapshot) {
  snapshot.hash = {};
  Bytes bytes = encode(snapshot);
  const ByteView body = ByteView(bytes).first(bytes.size() - kHashBytes);
  const Hash hash = blake2_256(body);
  std::copy(hash.bytes.begin(), hash.bytes.end(), bytes.end() - kHashBytes);
  return bytes;
}

Result<Snapshot, Error> decode_snapshot(ByteView bytes) {
  if (bytes.size() > kMaxSnapshotBytes) {
    return bad_snapshot("expected at most " + to_decimal(kMaxSnapshotBytes) + " bytes, got " +
                        to_decimal(bytes.size()));
  }
  const bool magic = bytes.size() > kSnapshotMagic.size() &&
                     std::equal(kSnapshotMagic.begin(), kSnapshotMagic.end(), bytes.begin());
  if (!magic) return bad_snapshot("it does not begin with \"TWSM\"");
  if (bytes[kSnapshotMagic.size()] != kSnapshotVersion) {
    return bad_snapshot("expected version " + to_decimal(kSnapshotVersion) + ", got " +
                        to_decimal(bytes[kSnapshotMagic.size()]));
  }
  auto snapshot = decode<Snapshot>(bytes);
  if (!snapshot) return bad_snapshot(to_text(snapshot.error()));
  if (blake2_256(bytes.first(bytes.size() - kHashBytes)) != snapshot->hash) {
    return bad_snapshot("its hash does not hold; it was damaged or altered");
  }
  if (snapshot->pages > kMaxWasmPages) {
    return bad_snapshot("expected at most " + to_decimal(kMaxWasmPages) + " pages, got " +
                        to_decimal(snapshot->pages));
  }
  for (const SnapshotGlobal& global : snapshot->globals) {
    if (global.type == WasmType::i32 && global.bits >> 32 != 0) {
      return bad_snapshot("a global of 32 bits holds more");
    }
  }
  TALLY_TRY(check_blocks(*snapshot));
  return *std::move(snapshot);
}

}  // namespace tally::task
