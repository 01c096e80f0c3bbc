// tally task: work done by a worker and paid over a channel.
#include <fmt/format.h>

#include "primitives/ss58.hpp"
#include "tools/cli/requester.hpp"
#include "tools/cli/task_wasm.hpp"

namespace tally::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct TaskOptions {
  RequesterOptions requester;
  std::string task;  // run: the JSON object, or a module's file
  std::string file;  // run-many
  std::string type;  // run: empty, or custom_wasm
  WasmOptions wasm;
};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Balance price_of(const Json& result) {
  return Balance(parse_decimal(result["price"].get<std::string>()).value_or(0));
}

std::string price_text(const Json& result) {
  return to_text(price_of(result));
}

CliResult<void> run_one(Session& session, const TaskOptions& options) {
  if (!options.type.empty()) {
    return run_wasm(session, {options.requester, options.wasm}, options.task);
  }
  TaskReader reader;
  const Json parsed = Json::parse(options.task, nullptr, false);
  if (parsed.is_discarded()) {
    return fail(usage_fault("a task is a JSON object, got " + options.task +
                            "; see `tally task run --help`"));
  }
  const auto task = reader.read(parsed);
  if (!task.ok()) return fail(usage_fault(task.error().message));
  Requester requester(session, options.requester);
  TALLY_TRY(requester.start());
  Json out = TALLY_TRY(requester.run(*task));
  const Json end = TALLY_TRY(requester.end());
  out.update(end);
  session.show(out, Sheet{{"output", out["output"].dump()},
                          {"price", price_text(out)},
                          {"took", fmt::format("{:.1f} ms", out["elapsed_ms"].get<double>())},
                          {"done again here", out["checked"].get<bool>() ? "yes, equal" : "no"},
                          {"channel", out["channel_id"].get<std::string>()}});
  return {};
}

Table table_of(const Json& results) {
  Table table{{"task", "type", "price", "took", "output"}, {}};
  for (const Json& result : results) {
    table.rows.push_back({std::to_string(result["task_id"].get<std::uint64_t>()),
                          result["type"].get<std::string>(), price_text(result),
                          fmt::format("{:.1f} ms", result["elapsed_ms"].get<double>()),
                          result["output"].dump()});
  }
  return table;
}

// What the channel came to, after the tasks of a file: for people.
std::string summary_of(const Json& out) {
  Balance price;
  for (const Json& result : out["tasks"]) {
    price = checked_add(price, price_of(result)).value_or(price);
  }
  std::string text =
      fmt::format("{} tasks for {}, {} of them done again here and equal; channel {}",
                  out["tasks_done"].get<std::size_t>(), to_text(price),
                  out["tasks_checked"].get<std::size_t>(), out["channel_id"].get<std::string>());
  for (const Json& made : out["extrinsics"]) {
    if (made["call"] != "close" || !made.contains("block")) continue;
    text += fmt::format(", closed in block {}", made["block"]["number"].get<std::uint32_t>());
  }
  return text;
}

CliResult<void> run_many(Session& session, const TaskOptions& options) {
  TaskReader reader;
  const auto tasks = reader.read_file(options.file);
  if (!tasks.ok()) return fail(file_fault(tasks.error()));
  const auto begin = Clock::now();
  Requester requester(session, options.requester);
  TALLY_TRY(requester.start());
  const auto start = Clock::now();
  Json results = Json::array();
  std::size_t checked = 0;
  for (const PreparedTask& task : *tasks) {
    if (session.stop.stop_requested()) {
      return fail(Fault{Exit::interrupted, "interrupted",
                        fmt::format("stopped after {} of {} tasks; the channel stays open",
                                    results.size(), tasks->size())});
    }
    auto result = requester.run(task);
    if (!result.ok()) {
      Fault fault = result.error();
      fault.message =
          fmt::format("task {} of {}: {}", results.size() + 1, tasks->size(), fault.message);
      return fail(std::move(fault));
    }
    checked += (*result)["checked"].get<bool>() ? 1 : 0;
    results.push_back(*std::move(result));
    if (results.size() % 10 == 0 || results.size() == tasks->size()) {
      session.progress(fmt::format("{} of {} tasks done, {} done again here and equal, {:.1f} s",
                                   results.size(), tasks->size(), checked, seconds_since(start)));
    }
  }
  const double work_seconds = seconds_since(start);
  Json out = TALLY_TRY(requester.end());
  out["tasks_done"] = results.size();
  out["tasks_checked"] = checked;
  out["work_seconds"] = work_seconds;
  out["seconds"] = seconds_since(begin);
  const Table table = table_of(results);
  out["tasks"] = std::move(results);
  session.show(out, table);
  session.say("\n" + summary_of(out));
  return {};
}

void add_common(CLI::App& app, RequesterOptions& options) {
  add_as(app, options.seat);
  app.add_option("--worker", options.worker, "who does the work: address, name or //Ferdie")
      ->required();
  options.seat.endpoint = "127.0.0.1:9950";
  app.add_option("--to", options.seat.endpoint, "where the worker listens, host:port")
      ->capture_default_str();
  app.add_option("--channel", options.seat.channel,
                 "channel to pay from (default: an open one with this worker)");
  app.add_option("--deposit", options.deposit, "open a channel with this much if there is none");
  app.add_flag("--close", options.close, "close the channel at the end");
  app.add_option("--check", options.check_percent,
                 "per cent of tasks that this machine does again before it pays")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  app.add_option("--max-price", options.max_price, "most to pay for one task")
      ->capture_default_str();
  app.add_option("--timeout-ms", options.timeout_ms, "longest that one task may take")
      ->capture_default_str();
  app.add_option("--reconnect", options.seat.reconnect_seconds,
                 "seconds to try again when the worker is lost in the middle of a task")
      ->check(CLI::Range(0, 86'400))
      ->capture_default_str();
  app.add_option("--priority", options.priority, "low, normal, high (twice the price)")
      ->check(CLI::IsMember({"low", "normal", "high"}))
      ->capture_default_str();
  app.add_option("--output", options.output, "folder for the outputs, a file a task");
}

constexpr const char* kTasks = R"(A task is one JSON object:
  {"type": "prime_calculation", "lo": 0, "hi": 1000000}
  {"type": "vector_search", "words": "/usr/share/dict/words", "queries": ["recieve"], "k": 1}
  {"type": "image_resize", "input": "a.jpg", "width": 640, "format": "png"}
A result that is checked and differs is not paid; every receipt is kept beside the journal.
)";

}  // namespace

void add_task(CLI::App& app, Session& session) {
  CLI::App* task = app.add_subcommand("task", "Have work done by a worker, paid over a channel");
  task->require_subcommand(1);

  auto one = std::make_shared<TaskOptions>();
  CLI::App* run = task->add_subcommand("run", "One task");
  run->add_option("task", one->task, "the task, as JSON; of custom_wasm, the module's file")
      ->required();
  run->add_option("--type", one->type, "custom_wasm: a WebAssembly module, run segment by segment")
      ->check(CLI::IsMember({"custom_wasm"}));
  add_common(*run, one->requester);
  add_wasm_options(*run, one->wasm);
  auto* text = run->add_option("--arg", one->wasm.argument, "arguments of the module: a text");
  run->add_option("--input", one->wasm.input, "arguments of the module: a file")->excludes(text);
  run->add_option("--label", one->wasm.label,
                  "label of the module's checkpoints; without one none are made");
  run->footer(std::string(kTasks) +
              "Examples:\n  tally task run --as //Eve --worker //Ferdie --deposit 1CC \\\n"
              "      '{\"type\": \"prime_calculation\", \"lo\": 0, \"hi\": 1000000}'\n"
              "  tally task run --type custom_wasm spirals.wasm --arg '7 100' --label spirals \\\n"
              "      --checkpoint-every 60s --as //Eve --worker //Ferdie --deposit 1CC");
  run->callback(
      [&session, one] { session.command = [&session, one] { return run_one(session, *one); }; });

  auto again = std::make_shared<TaskOptions>();
  CLI::App* resume =
      task->add_subcommand("resume", "Go on with a custom_wasm computation from its checkpoint");
  resume->add_option("--label", again->wasm.label, "of its checkpoints; the newest is taken")
      ->required();
  add_common(*resume, again->requester);
  add_wasm_options(*resume, again->wasm);
  resume->footer(
      "Any worker can go on; the result is the one of a run that was never stopped.\n"
      "Example:\n  tally task resume --label spirals --as //Eve --worker //George --deposit 1CC");
  resume->callback([&session, again] {
    session.command = [&session, again] {
      return resume_wasm(session, {again->requester, again->wasm});
    };
  });

  auto many = std::make_shared<TaskOptions>();
  CLI::App* all = task->add_subcommand("run-many", "Every task of a file, one JSON object a line");
  all->add_option("file", many->file, "the tasks")->required();
  add_common(*all, many->requester);
  all->footer(std::string(kTasks) +
              "Example:\n  tally task run-many tasks.jsonl --as //Eve --worker //Ferdie \\\n"
              "      --deposit 1CC --close --check 10");
  all->callback([&session, many] {
    session.command = [&session, many] { return run_many(session, *many); };
  });
}

}  // namespace tally::cli
