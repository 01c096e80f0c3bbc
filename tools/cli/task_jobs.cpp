#include "tools/cli/task_jobs.hpp"

#include <fstream>
#include <iterator>
#include <sstream>

#include "client-sdk/task/image.hpp"
#include "client-sdk/task/words.hpp"

namespace tally::cli {

namespace {

constexpr std::uint8_t kJpegQuality = 85;

Failure<Error> wrong(const std::string& field, const std::string& expected, const Json& job) {
  return fail_with("\"" + field + "\" must be " + expected + ", got " +
                   (job.contains(field) ? job[field].dump() : "nothing"));
}

Result<std::uint64_t, Error> number(const Json& job, const std::string& field) {
  if (job.contains(field) && job[field].is_number_unsigned()) {
    return job[field].get<std::uint64_t>();
  }
  return wrong(field, "a whole number", job);
}

Result<std::string, Error> text(const Json& job, const std::string& field) {
  if (job.contains(field) && job[field].is_string()) return job[field].get<std::string>();
  return wrong(field, "a text", job);
}

Result<Bytes, Error> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail_with("cannot read " + path);
  return Bytes(std::istreambuf_iterator<char>(in), {});
}

Result<TaskJob, Error> prime_job(const Json& description) {
  const std::uint64_t lo = TALLY_TRY(number(description, "lo"));
  const std::uint64_t hi = TALLY_TRY(number(description, "hi"));
  TaskJob job;
  job.type = task::TaskType::prime_calculation;
  job.spec = encode(task::PrimeSpec{lo, hi});
  return job;
}

Result<TaskJob, Error> word_job(const Json& description) {
  const std::string path = TALLY_TRY(text(description, "words"));
  if (!description.contains("queries") || !description["queries"].is_array()) {
    return wrong("queries", "a list of words", description);
  }
  const std::uint64_t k = description.contains("k") ? TALLY_TRY(number(description, "k")) : 1;
  if (k == 0 || k > task::kMaxNeighbours) return wrong("k", "from 1 to 1024", description);
  TaskJob job;
  job.type = task::TaskType::vector_search;
  std::ifstream in(path);
  if (!in) return fail_with("cannot read " + path);
  for (std::string word; std::getline(in, word);) {
    if (word.empty()) continue;
    append(job.input, task::word_vector(word));
    job.words.push_back(std::move(word));
  }
  for (const Json& query : description["queries"]) {
    if (!query.is_string()) return wrong("queries", "a list of words", description);
    job.queries.push_back(query.get<std::string>());
    append(job.input, task::word_vector(job.queries.back()));
  }
  job.spec = encode(task::VectorSearchSpec{
      task::Metric::squared_l2, task::kWordDimensions, static_cast<std::uint32_t>(job.words.size()),
      static_cast<std::uint32_t>(job.queries.size()), static_cast<std::uint16_t>(k)});
  return job;
}

Result<TaskJob, Error> image_job(const Json& description) {
  TaskJob job;
  job.type = task::TaskType::image_resize;
  const std::string source = TALLY_TRY(text(description, "input"));
  job.output_file = TALLY_TRY(text(description, "output"));
  const std::uint64_t width = TALLY_TRY(number(description, "width"));
  const std::uint64_t height = TALLY_TRY(number(description, "height"));
  job.input = TALLY_TRY(read_file(source));
  const auto info = task::image_info(job.input);
  if (!info.ok()) return fail_with(source + ": " + info.error().message);
  const bool png = job.output_file.ends_with(".png");
  task::ImageResizeSpec spec;
  spec.source_format = info->format;
  spec.source_width = info->width;
  spec.source_height = info->height;
  spec.format = png ? task::ImageFormat::png : task::ImageFormat::jpeg;
  spec.width = static_cast<std::uint32_t>(std::min<std::uint64_t>(width, ~std::uint32_t{0}));
  spec.height = static_cast<std::uint32_t>(std::min<std::uint64_t>(height, ~std::uint32_t{0}));
  spec.quality = png ? 0 : kJpegQuality;
  job.spec = encode(spec);
  return job;
}

Result<Json, Error> explain_matches(const TaskJob& job, const Bytes& output) {
  const auto found = decode<task::VectorSearchOutput>(output);
  if (!found.ok()) return fail_with("the output does not decode: " + to_text(found.error()));
  const std::size_t k = job.queries.empty() ? 0 : found->matches.size() / job.queries.size();
  Json json = Json::array();
  for (std::size_t i = 0; i < job.queries.size(); ++i) {
    Json nearest = Json::array();
    for (std::size_t j = 0; j < k; ++j) {
      const task::VectorMatch& match = found->matches[i * k + j];
      if (match.id >= job.words.size()) return fail_with("a match is not in the word list");
      nearest.push_back({{"word", job.words[match.id]}, {"distance", match.score}});
    }
    json.push_back({{"query", job.queries[i]}, {"nearest", nearest}});
  }
  return json;
}

}  // namespace

Result<TaskJob, Error> make_job(const Json& description) {
  const auto named = description.is_object() ? text(description, "type") : std::string();
  if (!named.ok()) return fail(named.error());
  auto job = *named == "prime_calculation" ? prime_job(description)
             : *named == "vector_search"   ? word_job(description)
             : *named == "image_resize"
                 ? image_job(description)
                 : Result<TaskJob, Error>(wrong(
                       "type", "prime_calculation, vector_search or image_resize", description));
  if (!job.ok()) return fail(job.error());
  TALLY_TRY(task::metered_units(job->type, job->spec, job->input.size()));
  return job;
}

Result<Json, Error> explain(const TaskJob& job, const Bytes& output) {
  switch (job.type) {
    case task::TaskType::prime_calculation: {
      const auto primes = decode<task::PrimeOutput>(output);
      if (!primes.ok()) return fail_with("the output does not decode: " + to_text(primes.error()));
      return Json{{"primes", primes->count}};
    }
    case task::TaskType::vector_search:
      return explain_matches(job, output);
    case task::TaskType::image_resize: {
      std::ofstream out(job.output_file, std::ios::binary | std::ios::trunc);
      out << as_text(output);
      out.close();
      if (!out) return fail_with("cannot write " + job.output_file);
      return Json{{"file", job.output_file}, {"bytes", output.size()}};
    }
  }
  return fail_with("a task of an unknown type");
}

}  // namespace tally::cli
