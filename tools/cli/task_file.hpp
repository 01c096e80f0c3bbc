// Tasks as people write them: one JSON object a line, read into what a worker is sent.
//
//   {"type": "prime_calculation", "lo": 0, "hi": 1000000}
//   {"type": "vector_search", "words": "/usr/share/dict/words", "queries": ["recieve"], "k": 1}
//   {"type": "image_resize", "input": "photo.jpg", "width": 320, "height": 200, "format": "jpeg"}
//
// `label` may stand in each and is given back with the result. vector_search looks for the words of
// the list that are nearest to each query (client-sdk/task/words.hpp). image_resize keeps the shape
// when height is left out; format is jpeg (with quality, 85) or png.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client-sdk/chain/json.hpp"
#include "client-sdk/task/session.hpp"

namespace tally::cli {

// A word list and its vectors, read once for all tasks that search it.
struct WordList {
  std::vector<std::string> words;
  Bytes vectors;
};

struct PreparedTask {
  task::TaskType type{};
  std::string label;
  Bytes spec;
  std::shared_ptr<const WordList> words;  // of vector_search
  std::vector<std::string> queries;
  Bytes module;  // of custom_wasm
  Bytes input;   // after the words' vectors, or the module, if there are any

  std::vector<task::InputPiece> pieces() const;
};

class TaskReader {
 public:
  // The error names what was expected in which field.
  Result<PreparedTask, Error> read(const Json& task);
  // All lines of a file; the error names the line.
  Result<std::vector<PreparedTask>, Error> read_file(const std::filesystem::path& path);

 private:
  Result<std::shared_ptr<const WordList>, Error> words(const std::string& path);
  Result<PreparedTask, Error> search(const Json& task);

  std::map<std::string, std::shared_ptr<const WordList>> lists_;
};

// What an output says: {"count": …}, {"matches": [{"query", "words"}]}, {"bytes", "width", "height"}.
Json describe_output(const PreparedTask& task, ByteView output);

}  // namespace tally::cli
