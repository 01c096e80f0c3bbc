#include "tools/cli/task_file.hpp"

#include <fmt/format.h>

#include <fstream>

#include "client-sdk/task/image.hpp"
#include "client-sdk/task/specs.hpp"
#include "client-sdk/task/words.hpp"

namespace tally::cli {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{32} << 20;
constexpr std::uint8_t kQuality = 85;

Failure<Error> wrong(const Json& task, std::string_view field, std::string_view expected) {
  const std::string name(field);
  const std::string came = task.contains(name) ? task.at(name).dump() : "nothing";
  return fail_with(fmt::format("expected {} in \"{}\", got {}", expected, field, came));
}

Result<std::uint64_t, Error> number(const Json& task, std::string_view field,
                                    std::optional<std::uint64_t> otherwise = std::nullopt) {
  const auto found = task.find(field);
  if (found == task.end() && otherwise) return *otherwise;
  if (found == task.end() || !found->is_number_unsigned()) {
    return wrong(task, field, "a whole number");
  }
  return found->get<std::uint64_t>();
}

Result<std::string, Error> text(const Json& task, std::string_view field) {
  const auto found = task.find(field);
  if (found == task.end() || !found->is_string()) return wrong(task, field, "a string");
  return found->get<std::string>();
}

Result<void, Error> only(const Json& task, std::initializer_list<std::string_view> fields) {
  for (const auto& [name, value] : task.items()) {
    if (name == "type" || name == "label") continue;
    if (std::find(fields.begin(), fields.end(), name) == fields.end()) {
      return fail_with(
          fmt::format("unknown field \"{}\"; this type takes {}", name, fmt::join(fields, ", ")));
    }
  }
  return {};
}

Result<Bytes, Error> read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return fail_with("cannot read " + path + "; give the path of a readable file");
  const auto size = static_cast<std::uint64_t>(file.tellg());
  if (size > kMaxFileBytes) {
    return fail_with(
        fmt::format("{} has {} bytes; an input has at most {}", path, size, kMaxFileBytes));
  }
  Bytes out(size);
  file.seekg(0);
  file.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(size));
  if (!file) return fail_with("reading " + path + " broke off");
  return out;
}

Result<PreparedTask, Error> primes(const Json& task) {
  TALLY_TRY(only(task, {"lo", "hi"}));
  task::PrimeSpec spec;
  spec.lo = TALLY_TRY(number(task, "lo", 0));
  spec.hi = TALLY_TRY(number(task, "hi"));
  TALLY_TRY(task::check(spec, 0));
  PreparedTask out;
  out.type = task::TaskType::prime_calculation;
  out.spec = encode(spec);
  return out;
}

Result<PreparedTask, Error> resize(const Json& task) {
  TALLY_TRY(only(task, {"input", "width", "height", "format", "quality"}));
  PreparedTask out;
  out.type = task::TaskType::image_resize;
  const std::string path = TALLY_TRY(text(task, "input"));
  out.input = TALLY_TRY(read_bytes(path));
  const task::ImageInfo source = TALLY_TRY(task::image_info(out.input));
  const std::string format = task.contains("format") ? TALLY_TRY(text(task, "format")) : "jpeg";
  if (format != "jpeg" && format != "png") return wrong(task, "format", "\"jpeg\" or \"png\"");
  const std::uint64_t width = TALLY_TRY(number(task, "width"));
  if (width == 0 || width > task::kMaxImageSide) {
    return wrong(task, "width", fmt::format("1 to {}", task::kMaxImageSide));
  }
  const std::uint64_t same_shape = std::max<std::uint64_t>(1, width * source.height / source.width);
  const std::uint64_t height = TALLY_TRY(number(task, "height", same_shape));
  if (height == 0 || height > task::kMaxImageSide) {
    return wrong(task, "height", fmt::format("1 to {}", task::kMaxImageSide));
  }
  const bool jpeg = format == "jpeg";
  const std::uint64_t quality = TALLY_TRY(number(task, "quality", jpeg ? kQuality : 0));
  if (quality > 100) return wrong(task, "quality", "1 to 100");
  const task::ImageResizeSpec spec{
      .source_format = source.format,
      .source_width = source.width,
      .source_height = source.height,
      .format = jpeg ? task::ImageFormat::jpeg : task::ImageFormat::png,
      .width = static_cast<std::uint32_t>(width),
      .height = static_cast<std::uint32_t>(height),
      .quality = static_cast<std::uint8_t>(quality)};
  TALLY_TRY(task::check(spec, out.input.size()));
  out.spec = encode(spec);
  return out;
}

Json describe_matches(const PreparedTask& task, const task::VectorSearchOutput& output) {
  Json matches = Json::array();
  const std::size_t k = task.queries.empty() ? 0 : output.matches.size() / task.queries.size();
  for (std::size_t q = 0; q < task.queries.size(); ++q) {
    Json words = Json::array();
    for (std::size_t i = q * k; i < (q + 1) * k; ++i) {
      const std::uint32_t id = output.matches[i].id;
      words.push_back(id < task.words->words.size() ? task.words->words[id] : "");
    }
    matches.push_back(Json{{"query", task.queries[q]}, {"words", std::move(words)}});
  }
  return Json{{"matches", std::move(matches)}};
}

}  // namespace

std::vector<task::InputPiece> PreparedTask::pieces() const {
  std::vector<task::InputPiece> out;
  if (words) out.push_back({words->vectors, true});
  if (!module.empty()) out.push_back({module, true});
  if (!input.empty()) out.push_back({input, false});
  return out;
}

Result<std::shared_ptr<const WordList>, Error> TaskReader::words(const std::string& path) {
  if (const auto found = lists_.find(path); found != lists_.end()) return found->second;
  const Bytes file = TALLY_TRY(read_bytes(path));
  auto list = std::make_shared<WordList>();
  std::string word;
  const auto finish = [&] {
    if (!word.empty()) {
      append(list->vectors, task::word_vector(word));
      list->words.push_back(std::move(word));
    }
    word.clear();
  };
  for (const std::uint8_t byte : file) {
    if (byte == '\n') {
      finish();
    } else if (byte != '\r') {
      word.push_back(static_cast<char>(byte));
    }
  }
  finish();
  if (list->words.empty()) return fail_with(path + " holds no word; expected one a line");
  lists_[path] = list;
  return std::shared_ptr<const WordList>(list);
}

Result<PreparedTask, Error> TaskReader::search(const Json& task) {
  TALLY_TRY(only(task, {"words", "queries", "k"}));
  PreparedTask out;
  out.type = task::TaskType::vector_search;
  const std::string path = TALLY_TRY(text(task, "words"));
  out.words = TALLY_TRY(words(path));
  const auto queries = task.find("queries");
  if (queries == task.end() || !queries->is_array() || queries->empty() ||
      queries->size() > task::kMaxQueries) {
    return wrong(task, "queries", fmt::format("a list of 1 to {} words", task::kMaxQueries));
  }
  for (const Json& query : *queries) {
    if (!query.is_string()) return wrong(task, "queries", "words");
    out.queries.push_back(query.get<std::string>());
    append(out.input, task::word_vector(out.queries.back()));
  }
  const std::uint64_t k = TALLY_TRY(number(task, "k", 1));
  if (k == 0 || k > task::kMaxNeighbours) {
    return wrong(task, "k", fmt::format("1 to {}", task::kMaxNeighbours));
  }
  const task::VectorSearchSpec spec{.metric = task::Metric::squared_l2,
                                    .dimensions = task::kWordDimensions,
                                    .count = static_cast<std::uint32_t>(out.words->words.size()),
                                    .queries = static_cast<std::uint32_t>(out.queries.size()),
                                    .k = static_cast<std::uint16_t>(k)};
  TALLY_TRY(task::check(spec, out.words->vectors.size() + out.input.size()));
  out.spec = encode(spec);
  return out;
}

Result<PreparedTask, Error> TaskReader::read(const Json& task) {
  if (!task.is_object()) return fail_with("expected a JSON object, got " + task.dump());
  const std::string type = TALLY_TRY(text(task, "type"));
  const std::string label = task.contains("label") ? TALLY_TRY(text(task, "label")) : "";
  Result<PreparedTask, Error> out = fail_with(
      "unknown type \"" + type + "\"; there are prime_calculation, vector_search, image_resize");
  if (type == "prime_calculation") out = primes(task);
  if (type == "vector_search") out = search(task);
  if (type == "image_resize") out = resize(task);
  if (out.ok()) out->label = label;
  return out;
}

Result<std::vector<PreparedTask>, Error> TaskReader::read_file(const std::filesystem::path& path) {
  const Bytes file = TALLY_TRY(read_bytes(path.string()));
  std::vector<PreparedTask> out;
  std::size_t line_number = 0;
  std::string_view rest = as_text(file);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++line_number;
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    const Json json = Json::parse(line, nullptr, false);
    auto task = json.is_discarded() ? Result<PreparedTask, Error>(fail_with("this is not JSON"))
                                    : read(json);
    if (!task.ok()) {
      return fail_with(
          fmt::format("{}, line {}: {}", path.string(), line_number, task.error().message));
    }
    out.push_back(*std::move(task));
  }
  if (out.empty())
    return fail_with(path.string() + " holds no task; expected a JSON object a line");
  return out;
}

Json describe_output(const PreparedTask& task, ByteView output) {
  switch (task.type) {
    case task::TaskType::prime_calculation: {
      const auto primes = decode<task::PrimeOutput>(output);
      return primes.ok() ? Json{{"count", primes->count}} : Json();
    }
    case task::TaskType::vector_search: {
      const auto found = decode<task::VectorSearchOutput>(output);
      return found.ok() ? describe_matches(task, *found) : Json();
    }
    case task::TaskType::image_resize: {
      const auto info = task::image_info(output);
      Json out{{"bytes", output.size()}};
      if (info.ok()) {
        out["width"] = info->width;
        out["height"] = info->height;
      }
      return out;
    }
    case task::TaskType::custom_wasm:
      return Json{{"bytes", output.size()}};
  }
  return {};
}

}  // namespace tally::cli
