#include "worker/service/dead_letter.hpp"

namespace tally::worker {

Result<DeadLetters, Error> DeadLetters::open(const std::filesystem::path& folder,
                                             const DeadLetterLimits& limits) {
  auto files = TALLY_TRY(KeptFiles::open(folder, {"dead letter", ".letter", "`dead-letter list`"}));
  return DeadLetters(std::move(files), limits);
}

Result<std::string, Error> DeadLetters::add(const DeadLetter& letter) {
  const std::lock_guard lock(*mutex_);
  auto name = TALLY_TRY(files_.add(letter.at, encode(letter)));
  TALLY_TRY(files_.trim(limits_.letters, limits_.bytes));
  return name;
}

Result<DeadLetter, Error> DeadLetters::read(std::string_view name) const {
  auto letter = decode<DeadLetter>(TALLY_TRY(files_.read(name)));
  if (!letter) {
    return fail_with("the dead letter " + std::string(name) +
                     " is of another version: " + to_text(letter.error()));
  }
  return *std::move(letter);
}

}  // namespace tally::worker
