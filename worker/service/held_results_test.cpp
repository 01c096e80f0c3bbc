#include "worker/service/held_results.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/process.hpp"

namespace tally::worker {
namespace {

const AccountId kRequester = *AccountId::from(Bytes(32, 1));
const ChannelId kChannel = *ChannelId::from(Bytes(32, 2));

HeldResult result(std::uint64_t task, bool owed, std::size_t size = 3) {
  HeldResult out{kRequester, {}, Bytes(size, static_cast<std::uint8_t>(task)), owed};
  out.receipt.receipt.channel_id = kChannel;
  out.receipt.receipt.task_id = task;
  return out;
}

struct Place {
  HeldResults held(const HeldResults::Limits& limits = {}) const {
    return HeldResults(*KeptFiles::open(folder.path(), {"result", ".result"}), limits);
  }
  std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> out;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      out.push_back(entry.path());
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  tests::TempFolder folder;
};

TEST_CASE("results that are owed are there after a restart, the others are not") {
  const Place place;
  {
    HeldResults held = place.held();
    REQUIRE(held.add(result(1, true)).ok());
    REQUIRE(held.add(result(2, false)).ok());
    REQUIRE(held.add(result(3, false)).ok());
    REQUIRE(held.owe(*held.find(kChannel, 3)).ok());
  }
  HeldResults held = place.held();
  REQUIRE(held.load().value_or({"failed"}).empty());
  for (const std::uint64_t task : {1, 3}) {
    const HeldResult* found = held.find(kChannel, task);
    REQUIRE(found != nullptr);
    CHECK(found->owed);
    CHECK(found->requester == kRequester);
    CHECK(found->receipt == result(task, true).receipt);
    CHECK(found->sealed_output == Bytes(3, static_cast<std::uint8_t>(task)));
  }
  CHECK(held.find(kChannel, 2) == nullptr);
}

TEST_CASE("the oldest results go, and their files") {
  const Place place;
  HeldResults held = place.held({.results = 3, .bytes = 10'000});
  for (std::uint64_t task = 1; task <= 5; ++task) REQUIRE(held.add(result(task, true)).ok());
  CHECK(held.find(kChannel, 2) == nullptr);
  CHECK(held.find(kChannel, 3) != nullptr);
  CHECK(place.files().size() == 3);
  REQUIRE(held.add(result(6, true, 9'000)).ok());
  CHECK(held.find(kChannel, 5) == nullptr);
  CHECK(held.find(kChannel, 6) != nullptr);
  CHECK(place.files().size() == 1);
  HeldResults again = place.held({.results = 3, .bytes = 100});
  REQUIRE(again.load().value_or({"failed"}).empty());
  CHECK(place.files().empty());  // more than may be held
}

TEST_CASE("a result whose file is damaged is named and thrown away") {
  const Place place;
  REQUIRE(place.held().add(result(1, true)).ok());
  REQUIRE(place.held().add(result(2, true)).ok());
  const auto files = place.files();
  REQUIRE(files.size() == 2);
  std::filesystem::resize_file(files[0], std::filesystem::file_size(files[0]) - 1);
  HeldResults held = place.held();
  const auto faults = held.load();
  REQUIRE(faults.ok());
  REQUIRE(faults->size() == 1);
  CHECK(faults->front().find("damaged") != std::string::npos);
  CHECK(held.find(kChannel, 1) == nullptr);
  CHECK(held.find(kChannel, 2) != nullptr);
  CHECK(place.files().size() == 1);
}

}  // namespace
}  // namespace tally::worker
