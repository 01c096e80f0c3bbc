#include "tools/cli/requester.hpp"

#include <fmt/format.h>

#include <fstream>

#include "primitives/crypto/hash.hpp"
#include "primitives/ss58.hpp"
#include "worker/executors/executor.hpp"

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
  return {away ? Exit::unreachable : Exit::refused,
          error.code.empty() ? std::string(enumerator_name(error.kind)) : error.code, message};
}

Result<Hash, Error> do_again(task::TaskType type, ByteView spec, ByteView input) {
  auto output = executors::execute(type, spec, input);
  if (!output.ok()) return fail_with("doing the task again failed: " + output.error().message);
  return output->hash;
}

CliResult<void> write_file(const std::filesystem::path& path, ByteView bytes) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  if (file.flush()) return {};
  return fail(Fault{Exit::failure, "file", "cannot write " + path.string()});
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
  if (const auto view = seat_->host->find(channel_)) receipts_due_ = view->record.receipts.count;
  // What is done again is the VRF's choice, keyed by the account: the worker cannot guess it.
  Bytes seed = domain_tag("spot-check-seed");
  append(seed, seat_->key.secret().view());
  checker_.emplace(*Secret::from(blake2_256(seed).view()),
                   task::SpotCheckConfig{.fraction_ppm = static_cast<std::uint32_t>(
                                             options_.check_percent * kPpmPerPercent),
                                         .again = do_again});
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

CliResult<void> Requester::keep(const task::TaskReply& reply, const PreparedTask& task) {
  const task::Receipt& receipt = reply.receipt.receipt;
  const auto path = folder_ / "receipts" / to_hex(receipt.channel_id) /
                    fmt::format("{}.receipt", receipt.task_id);
  TALLY_TRY(write_file(path, encode(reply.receipt)));
  if (options_.output.empty()) return {};
  const auto name = fmt::format("{}.{}", receipt.task_id, output_ending(task, reply.output));
  return write_file(std::filesystem::path(options_.output) / name, reply.output);
}

// Whether the task was one to check; a difference is a fault.
CliResult<bool> Requester::check(const task::TaskRequest& request, const task::TaskReply& reply) {
  const auto done = checker_->check(request, reply);
  if (!done.ok()) return fail(Fault{Exit::failure, "check", done.error().message});
  if (!done->has_value()) return false;
  if ((*done)->agrees) return true;
  const task::Receipt& receipt = reply.receipt.receipt;
  return fail(Fault{
      Exit::not_proved, "wrong_result",
      fmt::format("task {}: this machine gets output {}, the worker signed {}; it was not paid, "
                  "and its receipt is kept in {}",
                  receipt.task_id, to_hex_prefixed((*done)->expected),
                  to_hex_prefixed(receipt.output_hash), (folder_ / "receipts").string())});
}

CliResult<Json> Requester::run(const PreparedTask& task) {
  const task::TaskRequest request{.type = task.type,
                                  .channel_id = channel_,
                                  .spec = task.spec,
                                  .input = task.pieces(),
                                  .priority = priority_of(options_.priority),
                                  .max_price = max_price_,
                                  .timeout_ms = options_.timeout_ms};
  const auto reply = seat_->session->run_unpaid(request);
  if (!reply.ok()) return fail(task_fault(reply.error()));
  TALLY_TRY(keep(*reply, task));
  const bool checked = TALLY_TRY(check(request, *reply));
  const auto paid = seat_->host->pay(reply->receipt);
  if (!paid.ok()) return fail(Fault{Exit::failure, "payment", paid.error().message});
  ++receipts_due_;

  const task::Receipt& receipt = reply->receipt.receipt;
  Json out{{"task_id", receipt.task_id},
           {"type", std::string(task::to_text(task.type))},
           {"price", to_json(receipt.price)},
           {"metered_units", receipt.metered_units},
           {"elapsed_ms", static_cast<double>(reply->elapsed.count()) / 1'000.0},
           {"worker_ms", receipt.finished_ms.value - receipt.started_ms.value},
           {"checked", checked},
           {"output_hash", to_json(receipt.output_hash)},
           {"output", describe_output(task, reply->output)}};
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
