#include "tools/cli/task_wasm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "primitives/crypto/hash.hpp"
#include "worker/wasm/module.hpp"

namespace tally::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using task::WasmChain;

constexpr std::uint64_t kMaxFile = 16 << 20;  // what is larger fits no limit of a guest
constexpr std::size_t kShownResult = 4'096;   // bytes of a text result that are shown

CliResult<Bytes> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file || std::filesystem::is_directory(path))
    return fail(file_fault({"cannot read " + path + "; give a readable file"}));
  const auto size = static_cast<std::uint64_t>(file.tellg());
  if (size > kMaxFile) {
    return fail(
        file_fault({fmt::format("{} has {} bytes; expected at most {}", path, size, kMaxFile)}));
  }
  Bytes out(size);
  file.seekg(0);
  file.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(size));
  if (!file) return fail(file_fault({"reading " + path + " broke off"}));
  return out;
}

CliResult<milliseconds> interval_of(const std::string& text) {
  const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
  const std::string unit = text.substr(digits.size());
  const auto number = parse_decimal(digits);
  const std::int64_t factor = unit == "s"     ? 1'000
                              : unit == "min" ? 60'000
                              : unit == "h"   ? 3'600'000
                                              : 0;
  if (number && *number >= 1 && *number <= 1'000'000 && factor != 0) {
    return milliseconds(static_cast<std::int64_t>(*number) * factor);
  }
  return fail(
      usage_fault("--checkpoint-every is written like 60s, 10min or 1h; \"" + text + "\" came"));
}

bool is_text(ByteView bytes) {
  return bytes.size() <= kShownResult &&
         std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) {
           return b == '\n' || b == '\t' || (b >= ' ' && b < 0x7f);
         });
}

class WasmRun {
 public:
  WasmRun(Session& session, const WasmJob& job) : session_(session), job_(job) {}

  CliResult<void> begin(const std::string& module);
  CliResult<void> resume();

 private:
  bool checkpoints() const { return !job_.options.label.empty(); }
  CliResult<void> prepare();
  CliResult<void> take_place();
  CliResult<void> work();
  CliResult<void> buy_segment();
  CliResult<void> checkpoint(std::string_view why);
  std::string_view why_checkpoint() const;
  CliResult<void> give_up(Fault fault);
  CliResult<void> finish();
  Json summary() const;

  Session& session_;
  const WasmJob& job_;
  WasmChain chain_;
  milliseconds every_{};
  std::optional<Stores> stores_;  // with a label, as owner_
  AccountId owner_;
  std::optional<checkpoint::CheckpointIndex> parent_;
  std::optional<Requester> requester_;
  std::uint64_t saved_segments_ = 0;  // of the chain, in the last checkpoint
  Clock::time_point saved_at_ = Clock::now();
  Clock::time_point started_ = Clock::now();
  std::uint64_t checked_ = 0;
  Json checkpoints_ = Json::array();
};

// Mistakes in the command line come first, while they cost nothing.
CliResult<void> WasmRun::prepare() {
  every_ = TALLY_TRY(interval_of(job_.options.every));
  if (!checkpoints()) return {};
  if (!storage_registry::label_is_valid(job_.options.label)) {
    return fail(usage_fault("a label has 1 to 64 printable characters and no space; got \"" +
                            job_.options.label + "\""));
  }
  const KeyPair key = TALLY_TRY(session_.signer(job_.requester.seat.as));
  owner_ = key.account();
  stores_.emplace(TALLY_TRY(Stores::open(session_, job_.options.store, &key)));
  return {};
}

CliResult<void> WasmRun::take_place() {
  requester_.emplace(session_, job_.requester);
  return requester_->start();
}

CliResult<void> WasmRun::begin(const std::string& module) {
  TALLY_TRY(prepare());
  const WasmOptions& options = job_.options;
  Bytes arguments = to_bytes(as_bytes(options.argument));
  if (!options.input.empty()) arguments = TALLY_TRY(read_file(options.input));
  Bytes code = TALLY_TRY(read_file(module));
  auto chain = task::begin_chain(std::move(code), std::move(arguments));
  if (!chain.ok()) return fail(usage_fault(chain.error().message));
  chain_ = *std::move(chain);
  if (const auto fits = wasm::load_module(chain_.state.module); !fits.ok()) {
    return fail(
        usage_fault(module + " is no guest that a worker would run: " + fits.error().message));
  }
  TALLY_TRY(take_place());
  return work();
}

CliResult<void> WasmRun::resume() {
  TALLY_TRY(prepare());
  client::ChainClient* chain = TALLY_TRY(session_.client());
  const checkpoint::StoreFinder finder = stores_->finder();
  const auto pulled = checkpoint::pull(
      {owner_, job_.options.label}, {.folder = checkpoint_folder(session_), .stop = session_.stop},
      {finder, *chain});
  if (!pulled.ok()) return fail(to_fault(pulled.error()));
  auto decoded = task::decode_chain(pulled->state);
  if (!decoded.ok()) return fail(Fault{Exit::failure, "no_computation", decoded.error().message});
  chain_ = *std::move(decoded);
  parent_ = pulled->entry.index;
  saved_segments_ = chain_.state.segments;
  session_.progress(fmt::format(
      "checkpoint {} of \"{}\", from {}: {} steps done, {} paid so far", parent_->value,
      job_.options.label,
      pulled->source == checkpoint::Source::cache ? "this machine's cache" : "the store",
      chain_.state.steps, to_text(chain_.state.paid)));
  TALLY_TRY(take_place());
  return work();
}

CliResult<void> WasmRun::work() {
  while (!chain_.result) {
    if (const auto why = why_checkpoint(); !why.empty() && checkpoints()) {
      TALLY_TRY(checkpoint(why));
    }
    if (session_.stop.stop_requested()) break;
    if (const auto bought = buy_segment(); !bought.ok()) return give_up(bought.error());
  }
  return finish();
}

std::string_view WasmRun::why_checkpoint() const {
  if (session_.stop.stop_requested()) return "stopping";
  if (session_.asked->exchange(false)) return "asked for";
  return Clock::now() - saved_at_ >= every_ ? "its time has come" : "";
}

CliResult<void> WasmRun::buy_segment() {
  const task::WasmSpec spec = task::segment(
      chain_, {.fuel = job_.options.segment_fuel, .step_fuel = job_.options.step_fuel});
  PreparedTask task;
  task.type = task::TaskType::custom_wasm;
  task.label = job_.options.label;
  task.spec = encode(spec);
  task.module = chain_.state.module;
  task.input = chain_.state.rest;
  const dispute::Bought bought = TALLY_TRY(requester_->buy(task));
  const task::Receipt& receipt = bought.reply.receipt.receipt;
  const auto output = task::advance(chain_, spec, bought.reply.output, receipt.price);
  if (!output.ok()) {
    return fail(Fault{Exit::not_proved, "wrong_result", output.error().message,
                      bought.receipt_file.string()});
  }
  checked_ += bought.checked ? 1 : 0;
  session_.progress(fmt::format(
      "segment {}: {} steps, {} million fuel, {}; in all {} steps, {} million fuel, {}{}",
      chain_.state.segments, output->steps, output->fuel / 1'000'000, to_text(receipt.price),
      chain_.state.steps, chain_.state.fuel / 1'000'000, to_text(chain_.state.paid),
      bought.checked ? "; done again here, equal" : ""));
  return {};
}

// Nothing to do where the last checkpoint has this very state. A stop that was asked for does not
// break a checkpoint off: it is what the checkpoint is for.
CliResult<void> WasmRun::checkpoint(std::string_view why) {
  saved_at_ = Clock::now();
  if (saved_segments_ == chain_.state.segments) return {};
  const Bytes state = task::encode_chain(chain_);
  session_.progress(
      fmt::format("checkpoint \"{}\" at step {}: {}", job_.options.label, chain_.state.steps, why));
  client::ChainClient* chain = TALLY_TRY(session_.client());
  const auto pushed = checkpoint::push(
      state,
      {.label = job_.options.label, .folder = checkpoint_folder(session_), .parent = parent_},
      {stores_->for_push(), *chain, requester_->key()});
  if (!pushed.ok()) return fail(to_fault(pushed.error()));
  session_.save_trust();
  parent_ = pushed->entry.index;
  saved_segments_ = chain_.state.segments;
  const checkpoint::Checkpoint& record = pushed->entry.record;
  checkpoints_.push_back(Json{{"index", parent_->value},
                              {"steps", chain_.state.steps},
                              {"why", why},
                              {"state_hash", to_hex_prefixed(record.state_hash)},
                              {"content_id", record.content_id},
                              {"state_bytes", state.size()},
                              {"stored_bytes", pushed->blob_bytes},
                              {"block", record.block.value}});
  session_.progress(fmt::format("checkpoint {} is on chain, {} bytes stored as {}", parent_->value,
                                pushed->blob_bytes, record.content_id));
  return {};
}

// No segment can be bought any more: what was bought is not lost.
CliResult<void> WasmRun::give_up(Fault fault) {
  fault.message = fmt::format("segment {}: {}", chain_.state.segments + 1, fault.message);
  if (!checkpoints()) {
    fault.message += "; without --label nothing of it is kept";
    return fail(std::move(fault));
  }
  if (const auto saved = checkpoint("no segment can be bought"); !saved.ok()) {
    fault.message += "; and no checkpoint could be made: " + saved.error().message;
  } else if (parent_) {
    fault.message += fmt::format(
        "; go on from step {} with `tally task resume --label {}`, with "
        "another worker if you like",
        chain_.state.steps, job_.options.label);
  }
  return fail(std::move(fault));
}

Json WasmRun::summary() const {
  const auto& state = chain_.state;
  Json out{{"state", chain_.result ? "done" : "stopped"},
           {"module_hash", to_json(blake2_256(state.module))},
           {"segments", state.segments},
           {"steps", state.steps},
           {"fuel", state.fuel},
           {"price", to_json(state.paid)},
           {"checked", checked_},
           {"seconds", std::chrono::duration<double>(Clock::now() - started_).count()},
           {"checkpoints", checkpoints_}};
  if (checkpoints()) out["label"] = job_.options.label;
  if (!chain_.result) return out;
  out["result_hash"] = to_json(blake2_256(*chain_.result));
  out["result_bytes"] = chain_.result->size();
  if (is_text(*chain_.result)) out["result_text"] = std::string(as_text(*chain_.result));
  return out;
}

CliResult<void> WasmRun::finish() {
  if (!chain_.result && !checkpoints()) {
    return fail(Fault{Exit::interrupted, "interrupted",
                      fmt::format("stopped after {} steps; without --label nothing is kept",
                                  chain_.state.steps)});
  }
  if (chain_.result && !job_.requester.output.empty()) {
    TALLY_TRY(
        write_output(std::filesystem::path(job_.requester.output) / "result.bin", *chain_.result));
  }
  Json out = summary();
  // The work is done and paid whatever becomes of the channel's end: that is told beside it.
  const auto end = requester_->end();
  if (end.ok()) {
    out.update(*end);
  } else {
    out["channel_error"] = Json{{"code", end.error().code}, {"message", end.error().message}};
  }
  Sheet sheet{{"state", out["state"].get<std::string>()},
              {"steps", std::to_string(chain_.state.steps)},
              {"fuel", fmt::format("{} in {} segments", chain_.state.fuel, chain_.state.segments)},
              {"price", to_text(chain_.state.paid)},
              {"done again here", fmt::format("{} segments, equal", checked_)},
              {"checkpoints", std::to_string(checkpoints_.size())}};
  if (out.contains("result_text"))
    sheet.emplace_back("result", out["result_text"].get<std::string>());
  if (out.contains("result_hash")) {
    sheet.emplace_back("result hash", out["result_hash"].get<std::string>());
  } else {
    sheet.emplace_back("go on with", "tally task resume --label " + job_.options.label);
  }
  if (!end.ok()) sheet.emplace_back("channel", "not ended: " + end.error().message);
  session_.show(out, sheet);
  return {};
}

}  // namespace

void add_wasm_options(CLI::App& command, WasmOptions& options) {
  command
      .add_option("--checkpoint-every", options.every,
                  "longest without a checkpoint: 60s, 10min, 1h; besides on SIGUSR1 and on stop")
      ->capture_default_str();
  add_store_write_options(command, options.store, "--max-store-price");
  command.add_option("--segment-fuel", options.segment_fuel, "fuel after which a segment ends")
      ->check(CLI::Range(std::uint64_t{1}, task::kMaxWasmFuel))
      ->capture_default_str();
  command.add_option("--step-fuel", options.step_fuel, "most fuel that one step may use")
      ->check(CLI::Range(std::uint64_t{1}, task::kMaxWasmFuel))
      ->capture_default_str();
}

CliResult<void> run_wasm(Session& session, const WasmJob& job, const std::string& module) {
  return WasmRun(session, job).begin(module);
}

CliResult<void> resume_wasm(Session& session, const WasmJob& job) {
  return WasmRun(session, job).resume();
}

}  // namespace tally::cli
