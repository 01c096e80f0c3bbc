// A task as a JSON object describes it, made into what a worker gets, and its output made readable.
//
//   {"type": "prime_calculation", "lo": 0, "hi": 1000000}
//   {"type": "vector_search", "words": "/usr/share/dict/words", "queries": ["recieve"], "k": 1}
//   {"type": "image_resize", "input": "a.jpg", "width": 320, "height": 200, "output": "b.png"}
//
// Errors name the field, what was expected and what came.
#pragma once

#include <memory>
#include <string>

#include "client-sdk/chain/json.hpp"
#include "client-sdk/task/session.hpp"

namespace tally::cli {

struct TaskJob {
  task::TaskType type{};
  Bytes spec;
  Bytes input;
  std::vector<std::string> words;    // of a vector_search: what the ids stand for
  std::vector<std::string> queries;  // likewise
  std::string output_file;           // of an image_resize
};

Result<TaskJob, Error> make_job(const Json& description);
// Writes the output file, if the task has one.
Result<Json, Error> explain(const TaskJob& job, const Bytes& output);

}  // namespace tally::cli
