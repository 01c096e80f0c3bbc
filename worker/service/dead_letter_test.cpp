#include "worker/service/dead_letter.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

namespace tally::worker {
namespace {

struct Folder {
  Folder() {
    path = std::filesystem::temp_directory_path() / ("tally-letters-" + std::to_string(getpid()));
    std::filesystem::remove_all(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

DeadLetter letter(std::uint64_t at, std::size_t input = 3) {
  return {.at = TimestampMs(at),
          .task_id = at,
          .type = task::TaskType::vector_search,
          .spec = {1, 2},
          .input = Bytes(input, 7),
          .failure = {task::FailureReason::cpu_time, "too slow"}};
}

TEST_CASE("a letter is read back as it was written, by its owner alone") {
  Folder folder;
  auto letters = *DeadLetters::open(folder.path);
  const auto name = letters.add(letter(5));
  REQUIRE(name.ok());
  CHECK(*letters.read(*name) == letter(5));
  struct stat info {};
  REQUIRE(stat((folder.path / (*name + ".letter")).c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  const auto second = letters.add(letter(5));
  CHECK(*letters.names() == std::vector<std::string>{*name, *second});
  CHECK(letters.remove(*name).ok());
  CHECK_FALSE(letters.read(*name).ok());
}

TEST_CASE("the oldest letters go when there are too many or too large ones") {
  Folder folder;
  auto letters = *DeadLetters::open(folder.path, {.letters = 3, .bytes = 10'000});
  for (std::uint64_t at = 1; at <= 5; ++at) REQUIRE(letters.add(letter(at)).ok());
  auto names = *letters.names();
  REQUIRE(names.size() == 3);
  CHECK(letters.read(names[0])->task_id == 3);
  REQUIRE(letters.add(letter(6, 9'500)).ok());
  names = *letters.names();
  CHECK(letters.read(names.back())->task_id == 6);
  CHECK(names.size() < 4);
  REQUIRE(letters.add(letter(7, 20'000)).ok());
  CHECK(letters.names()->size() == 1);  // the newest stays, however large
}

TEST_CASE("a damaged letter and a name that is a path are refused with a reason") {
  Folder folder;
  auto letters = *DeadLetters::open(folder.path);
  const auto name = *letters.add(letter(1));
  std::fstream file(folder.path / (name + ".letter"),
                    std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(40);
  file.put('\x55');
  file.close();
  const auto read = letters.read(name);
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().message.find("damaged") != std::string::npos);
  for (const char* bad : {"", "../x", "a", "1/2"}) CHECK_FALSE(letters.read(bad).ok());
}

}  // namespace
}  // namespace tally::worker
