// tally task: have work done for pay over a channel.
#include <fmt/format.h>

#include <atomic>
#include <fstream>
#include <mutex>
#include <thread>

#include "tools/cli/channels.hpp"
#include "tools/cli/task_jobs.hpp"

namespace tally::cli {

namespace {

constexpr std::size_t kThreadsMax = 16;
constexpr std::chrono::milliseconds kPaidPatience{30'000};

struct TaskOptions {
  ChannelOptions channel;
  std::string job;
  std::string file;
  std::string max_price;
  std::string priority = "normal";
  std::uint32_t timeout_ms = 30'000;
  std::size_t parallel = 2;
};

task::Priority priority_of(const std::string& name) {
  return name == "low"    ? task::Priority::low
         : name == "high" ? task::Priority::high
                          : task::Priority::normal;
}

// What is paid at most: as told, else the reference price.
CliResult<Balance> price_limit(const TaskOptions& options, const TaskJob& job) {
  if (!options.max_price.empty()) return amount(options.max_price);
  const auto units = task::metered_units(job.type, job.spec, job.input.size());
  if (!units.ok()) return fail(usage_fault(units.error().message));
  for (const task::TaskPrice& price : task::reference_prices()) {
    if (price.type != job.type) continue;
    const auto limit = task::price_of(price, *units, priority_of(options.priority));
    if (!limit.ok()) return fail(usage_fault(limit.error().message));
    return *limit;
  }
  return fail(usage_fault("say what you pay at most with --max-price"));
}

Fault task_fault(const task::TaskError& error) {
  const bool away = error.kind == task::TaskErrorKind::disconnected;
  Fault fault{away ? Exit::unreachable : Exit::failure,
              error.code.empty() ? std::string(enumerator_name(error.kind)) : error.code,
              error.message};
  if (!error.expected.empty())
    fault.message += " (expected " + error.expected + ", got " + error.got + ")";
  return fault;
}

CliResult<Json> run_job(Seat& seat, const TaskOptions& options, const ChannelId& id,
                        const Json& description) {
  const auto job = make_job(description);
  if (!job.ok()) return fail(usage_fault(job.error().message));
  task::TaskRequest request;
  request.type = job->type;
  request.channel_id = id;
  request.spec = job->spec;
  request.input.push_back({job->input, false});
  request.priority = priority_of(options.priority);
  request.max_price = TALLY_TRY(price_limit(options, *job));
  request.timeout_ms = options.timeout_ms;
  const auto reply = seat.session->run(request);
  if (!reply.ok()) return fail(task_fault(reply.error()));
  const auto result = explain(*job, reply->output);
  if (!result.ok()) return fail(file_fault(result.error()));
  return Json{{"task_id", reply->task_id},
              {"type", std::string(task::to_text(job->type))},
              {"price", to_json(reply->receipt.receipt.price)},
              {"metered_units", reply->receipt.receipt.metered_units},
              {"elapsed_ms", reply->elapsed.count() / 1'000},
              {"output_hash", to_json(reply->receipt.receipt.output_hash)},
              {"result", *result}};
}

// Waits until the worker has signed for everything that was paid.
CliResult<client::ChannelView> settled(Seat& seat, const ChannelId& id) {
  const auto both = seat.host->wait(
      id, [](const client::ChannelView& view) { return !view.record.offer.has_value(); },
      kPaidPatience);
  if (!both.ok()) return fail(Fault{Exit::unreachable, "not_countersigned", both.error().message});
  return *seat.host->find(id);
}

CliResult<Seat> connected(Session& session, const TaskOptions& options, const ChannelId& id) {
  Seat seat = TALLY_TRY(take_seat(session, options.channel));
  TALLY_TRY(connect_peer(session, seat, options.channel, id));
  return seat;
}

CliResult<void> run_one(Session& session, const TaskOptions& options) {
  const ChannelId id = TALLY_TRY(channel_id(options.channel.channel));
  const Json description = Json::parse(options.job, nullptr, false);
  if (description.is_discarded()) {
    return fail(usage_fault("a task is a JSON object; see `tally task run --help`"));
  }
  Seat seat = TALLY_TRY(connected(session, options, id));
  Json json = TALLY_TRY(run_job(seat, options, id, description));
  const client::ChannelView view = TALLY_TRY(settled(seat, id));
  json["channel_version"] = view.record.newest_version().value;
  session.show(json,
               Sheet{{"result", json["result"].dump()},
                     {"price", to_text(Balance(*parse_decimal(json["price"].get<std::string>())))},
                     {"time", fmt::format("{} ms", json["elapsed_ms"].get<std::int64_t>())},
                     {"channel version", std::to_string(view.record.newest_version().value)}});
  return {};
}

CliResult<std::vector<Json>> read_jobs(const std::string& path) {
  std::ifstream in(path);
  if (!in) return fail(Fault{Exit::failure, "file", "cannot read " + path});
  std::vector<Json> jobs;
  std::size_t line_number = 0;
  for (std::string line; std::getline(in, line);) {
    ++line_number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    Json job = Json::parse(line, nullptr, false);
    if (job.is_discarded()) {
      return fail(
          usage_fault(fmt::format("{}:{}: a line must be one JSON object", path, line_number)));
    }
    jobs.push_back(std::move(job));
  }
  return jobs;
}

// Runs the jobs on a few threads; results are in the order of the file.
std::vector<Json> run_jobs(Session& session, Seat& seat, const TaskOptions& options,
                           const ChannelId& id, const std::vector<Json>& jobs) {
  std::vector<Json> results(jobs.size());
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> done = 0;
  std::mutex mutex;
  const auto work = [&] {
    for (std::size_t i = next++; i < jobs.size() && !session.stop.stop_requested(); i = next++) {
      const auto result = run_job(seat, options, id, jobs[i]);
      const std::lock_guard lock(mutex);
      results[i] =
          result.ok()
              ? *result
              : Json{{"error",
                      {{"code", result.error().code}, {"message", result.error().message}}}};
      session.progress(fmt::format("{}/{} {}", ++done, jobs.size(),
                                   result.ok() ? "done" : result.error().message));
    }
  };
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < std::min(options.parallel, kThreadsMax); ++i)
    threads.emplace_back(work);
  threads.clear();
  return results;
}

CliResult<void> run_many(Session& session, const TaskOptions& options) {
  const ChannelId id = TALLY_TRY(channel_id(options.channel.channel));
  const std::vector<Json> jobs = TALLY_TRY(read_jobs(options.file));
  Seat seat = TALLY_TRY(connected(session, options, id));
  const std::vector<Json> results = run_jobs(session, seat, options, id, jobs);
  const client::ChannelView view = TALLY_TRY(settled(seat, id));
  std::size_t failed = 0;
  Balance spent;
  Table table{{"task", "type", "price", "time", "result"}, {}};
  for (const Json& result : results) {
    if (!result.is_object() || result.contains("error")) {
      ++failed;
      table.rows.push_back({"-", "-", "-", "-", result.dump()});
      continue;
    }
    const Balance price(*parse_decimal(result["price"].get<std::string>()));
    spent = checked_add(spent, price).value_or(spent);
    table.rows.push_back({result["task_id"].dump(), result["type"].get<std::string>(),
                          to_text(price), result["elapsed_ms"].dump() + " ms",
                          result["result"].dump()});
  }
  session.show(Json{{"tasks", results},
                    {"done", results.size() - failed},
                    {"failed", failed},
                    {"spent", to_json(spent)},
                    {"channel_version", view.record.newest_version().value}},
               table);
  if (failed == 0) return {};
  return fail(Fault{
      Exit::failure, "tasks_failed",
      fmt::format("{} of {} tasks were not done; they were not paid", failed, results.size())});
}

void add_common(CLI::App& command, TaskOptions& options) {
  add_as(command, options.channel);
  command.add_option("--to", options.channel.endpoint, "host:port of the worker")->required();
  command.add_option("--channel", options.channel.channel, "the channel's id")->required();
  command.add_option("--max-price", options.max_price,
                     "for one task (default: the reference price)");
  command.add_option("--priority", options.priority, "high costs twice as much")
      ->check(CLI::IsMember({"low", "normal", "high"}))
      ->capture_default_str();
  command.add_option("--timeout-ms", options.timeout_ms, "of one task")->capture_default_str();
}

constexpr const char* kJobs = R"(A task is one JSON object:
  {"type": "prime_calculation", "lo": 0, "hi": 1000000}
  {"type": "vector_search", "words": "/usr/share/dict/words", "queries": ["recieve"], "k": 1}
  {"type": "image_resize", "input": "a.jpg", "width": 320, "height": 200, "output": "b.png"}
)";

}  // namespace

void add_task(CLI::App& app, Session& session) {
  CLI::App* task = app.add_subcommand("task", "Have work done, paid over a channel");
  task->require_subcommand(1);

  auto one = std::make_shared<TaskOptions>();
  CLI::App* run = task->add_subcommand("run", "One task");
  add_common(*run, *one);
  run->add_option("task", one->job, "the task, as JSON")->required();
  run->footer(std::string(kJobs) +
              "Example:\n  tally task run --as //Alice --to 127.0.0.1:9950 --channel 0x… \\\n"
              "    '{\"type\": \"prime_calculation\", \"lo\": 0, \"hi\": 1000000}'");
  run->callback(
      [&session, one] { session.command = [&session, one] { return run_one(session, *one); }; });

  auto many = std::make_shared<TaskOptions>();
  CLI::App* all = task->add_subcommand("run-many", "Every task of a file, one JSON object a line");
  add_common(*all, *many);
  all->add_option("file", many->file, "the tasks")->required();
  all->add_option("--parallel", many->parallel, "tasks at a time, at most 16")
      ->check(CLI::Range(std::size_t{1}, kThreadsMax))
      ->capture_default_str();
  all->footer(std::string(kJobs) +
              "Example:\n  tally task run-many --as //Alice --to 127.0.0.1:9950 "
              "--channel 0x… tasks.jsonl");
  all->callback([&session, many] {
    session.command = [&session, many] { return run_many(session, *many); };
  });
}

}  // namespace tally::cli
