#include "tools/cli/requester.hpp"

#include <fmt/format.h>

#include <fstream>

#include "modules/workers/api.hpp"
#include "modules/workers/storage.hpp"
#include "primitives/ss58.hpp"
#include "worker/executors/executor.hpp"
#include "worker/service/job.hpp"

namespace tally::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kCountersignPatience = 30s;
constexpr auto kClosePatience = 60s;
constexpr auto kSubmissionPatience = 5s;
constexpr double kPpmPerPercent = 10'000;

Json submission_json(const client::Submission& submission) {
  Json out{{"call", submission.call}, {"channel_id", to_json(submission.channel_id)}};
  if (submission.outcome.ok()) {
    out.update(outcome_json(*submission.outcome));
  } else {
    const auto& error = submission.outcome.error();
    out["error"] = Json{{"code", error.code}, {"message", error.message}};
  }
  return out;
}

Fault task_fault(const task::TaskError& error) {
  std::string message = error.message;
  if (!error.expected.empty() || !error.got.empty()) {
    message += fmt::format(" (expected {}, got {})", error.expected, error.got);
  }
  const bool away = error.kind == task::TaskErrorKind::disconnected;
  return {away ? Exit::unreachable : Exit::failure,
          error.code.empty() ? std::string(enumerator_name(error.kind)) : error.code, message};
}

Result<Hash, Error> do_again(task::TaskType type, ByteView spec, ByteView input) {
  auto output = executors::execute(type, spec, input);
  if (!output.ok()) return fail_with("doing the task again failed: " + output.error().message);
  return output->hash;
}

std::string output_ending(const PreparedTask& task, ByteView output) {
  if (task.type != task::TaskType::image_resize) return "scale";
  return !output.empty() && output[0] == 0x89 ? "png" : "jpg";
}

task::Priority priority_of(const std::string& name) {
  for (const auto& entry : tally_describe_enum(task::Priority{})) {
    if (entry.name == name) return entry.value;
  }
  return task::Priority::normal;
}

}  // namespace

CliResult<void> write_output(const std::filesystem::path& path, ByteView bytes) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  if (file.flush()) return {};
  return fail(Fault{Exit::failure, "file", "cannot write " + path.string()});
}

CliResult<void> Requester::start() {
  worker_ = TALLY_TRY(session_.account(options_.worker));
  max_price_ = TALLY_TRY(amount(options_.max_price));
  ChannelOptions seat = options_.seat;
  seat.on_submitted = [this](const client::Submission& submission) {
    const std::lock_guard lock(mutex_);
    submissions_.push_back(submission_json(submission));
    submitted_.notify_all();
  };
  seat_.emplace(TALLY_TRY(take_seat(session_, seat)));
  folder_ = journal_folder(session_, options_.seat, seat_->key.account());
  channel_ = TALLY_TRY(choose_channel());
  TALLY_TRY(connect_peer(session_, *seat_, options_.seat, channel_));
  if (const auto view = seat_->host->find(channel_)) {
    receipts_due_ = view->record.receipts.count;
    challenge_period_ = view->record.terms.challenge_period;
  }
  auto receipts = dispute::ReceiptFolder::open(folder_ / "receipts");
  if (!receipts.ok()) return fail(file_fault(receipts.error()));
  // What is done again is the VRF's choice, keyed by the account: the worker cannot guess it.
  buyer_.emplace(dispute::BuyerConfig{
      .receipts = *std::move(receipts),
      .vrf_seed = task::spot_check_seed(seat_->key),
      .check_ppm = static_cast<std::uint32_t>(options_.check_percent * kPpmPerPercent),
      .again = do_again,
      .clock = worker::wall_clock});
  duty_ppm_ = TALLY_TRY(duty_ppm());
  return {};
}

CliResult<ChannelId> Requester::choose_channel() {
  if (!options_.seat.channel.empty()) return channel_id(options_.seat.channel);
  for (const auto& view : seat_->host->channels()) {
    const auto& record = view.record;
    if (record.stage == channel::Stage::ready && record.terms.peer() == worker_ &&
        !view.payable.is_zero()) {
      return record.terms.channel_id;
    }
  }
  if (options_.deposit.empty()) {
    return fail(Fault{Exit::not_found, "no_channel",
                      "this journal has no open channel with " + to_ss58(worker_) +
                          "; open one with --deposit 1CC, or name one with --channel"});
  }
  session_.progress("opening a channel with " + options_.deposit);
  const genesis::ChainSpec* spec = TALLY_TRY(session_.spec());
  const Balance deposit = TALLY_TRY(amount(options_.deposit));
  const auto opened = seat_->host->open({.counterparty = worker_,
                                         .deposit = deposit,
                                         .challenge_period = spec->channels.period_default});
  if (!opened.ok()) return fail(Fault{Exit::refused, "open", opened.error().message});
  return *opened;
}

// A registered worker is checked at least as often as its history asks for.
CliResult<std::uint32_t> Requester::duty_ppm() {
  client::ChainClient* chain = TALLY_TRY(session_.client());
  const auto record = TALLY_TRY(or_fault(chain->read_item(workers::kWorkers, worker_)));
  if (!record || !record->registered) {
    session_.progress(
        "this worker is not registered: a wrong result is not paid, but nothing can "
        "be disputed");
    return 0u;
  }
  return dispute::audit_duty_ppm(workers::audit_band(*record));
}

Fault Requester::fault_of(const dispute::BuyError& error) const {
  Fault fault = task_fault(error.task);
  if (error.task.code != "wrong_result" || !error.receipt_file) return fault;
  fault = {Exit::not_proved, error.task.code, error.task.message, error.receipt_file->string()};
  fault.message += "; `tally dispute open " + fault.file + "` has the liar pay for it";
  return fault;
}

CliResult<dispute::Bought> Requester::buy(const PreparedTask& task) {
  const task::TaskRequest request{.type = task.type,
                                  .channel_id = channel_,
                                  .spec = task.spec,
                                  .input = task.pieces(),
                                  .priority = priority_of(options_.priority),
                                  .max_price = max_price_,
                                  .timeout_ms = options_.timeout_ms};
  auto bought =
      buyer_->run(dispute::seller_of(*seat_->session, options_.seat.endpoint, challenge_period_),
                  request, duty_ppm_);
  if (!bought.ok()) return fail(fault_of(bought.error()));
  ++receipts_due_;
  return *std::move(bought);
}

CliResult<Json> Requester::run(const PreparedTask& task) {
  const dispute::Bought bought = TALLY_TRY(buy(task));
  const task::TaskReply& reply = bought.reply;
  const task::Receipt& receipt = reply.receipt.receipt;
  if (!options_.output.empty()) {
    const auto name = fmt::format("{}.{}", receipt.task_id, output_ending(task, reply.output));
    TALLY_TRY(write_output(std::filesystem::path(options_.output) / name, reply.output));
  }
  Json out{{"task_id", receipt.task_id},
           {"type", std::string(task::to_text(task.type))},
           {"price", to_json(receipt.price)},
           {"metered_units", receipt.metered_units},
           {"elapsed_ms", static_cast<double>(reply.elapsed.count()) / 1'000.0},
           {"worker_ms", receipt.finished_ms.value - receipt.started_ms.value},
           {"checked", bought.checked},
           {"receipt_file", bought.receipt_file.string()},
           {"output_hash", to_json(receipt.output_hash)},
           {"output", describe_output(task, reply.output)}};
  if (!task.label.empty()) out["label"] = task.label;
  return out;
}

CliResult<Json> Requester::end() {
  const auto countersigned = seat_->host->wait(
      channel_,
      [this](const client::ChannelView& view) {
        return !view.record.offer && view.record.receipts.count >= receipts_due_;
      },
      kCountersignPatience);
  if (!countersigned.ok()) {
    return fail(Fault{Exit::unreachable, "not_countersigned", countersigned.error().message});
  }
  Json out{{"channel_id", to_json(channel_)}};
  if (const auto view = seat_->host->find(channel_)) {
    const channel::Record& record = view->record;
    out["last_state"] = Json{{"version", record.newest_version().value},
                             {"balance_a", to_json(record.balance(channels::Side::a))},
                             {"balance_b", to_json(record.balance(channels::Side::b))},
                             {"receipts_count", record.receipts.count}};
  }
  if (options_.close) {
    session_.progress("closing the channel");
    const auto closed = seat_->host->close(channel_, kClosePatience);
    if (!closed.ok()) return fail(Fault{Exit::refused, "close", closed.error().message});
  }
  // The end may be seen on the chain a moment before the submission that made it returns.
  std::unique_lock lock(mutex_);
  submitted_.wait_for(lock, kSubmissionPatience, [this] {
    return !options_.close || (!submissions_.empty() && submissions_.back()["call"] == "close");
  });
  out["extrinsics"] = submissions_;
  return out;
}

}  // namespace tally::cli
