#include "worker/duty/store.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "client-sdk/content/files.hpp"
#include "primitives/crypto/hash.hpp"
#include "worker/duty/registration.hpp"

namespace tally::worker {
namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path = fs::temp_directory_path() / ("tally-duty-" + std::to_string(getpid()));
  Folder() { fs::remove_all(path); }
  ~Folder() { fs::remove_all(path); }
};

DutyRecord record(std::uint64_t number) {
  return {.number = DisputeNumber(number),
          .vote = disputes::OutputVote{disputes::failed_output_hash()},
          .salt = {1, 2, 3}};
}

// Shown to fail by writing without looking at what is there.
TEST_CASE("a record on disk comes back, and no other takes its place") {
  const Folder where;
  {
    const auto store = *DutyStore::open(where.path);
    REQUIRE(store->keep(record(1)).ok());
    REQUIRE(store->keep(record(2)).ok());
    CHECK(store->keep(record(1)).ok());
    DutyRecord other = record(1);
    other.vote = disputes::UnavailableVote{};
    CHECK_FALSE(store->keep(other).ok());
    REQUIRE(store->forget(DisputeNumber(2)).ok());
  }
  const auto again = *DutyStore::open(where.path);
  CHECK(again->loaded() == std::vector<DutyRecord>{record(1)});
}

// A record of an older version must stay readable: a change of this hash is a new tag.
TEST_CASE("the bytes of a record are pinned") {
  CHECK(to_hex(blake2_256(encode(record(7)))) ==
        "c54bf235fb3ad79ba116477f9d010fbb7bb0440bbbb30ffaf23d0dbc0ed5867b");
}

TEST_CASE("two processes cannot do the duties of one folder") {
  const Folder where;
  auto first = DutyStore::open(where.path);
  REQUIRE(first.ok());
  CHECK_FALSE(DutyStore::open(where.path).ok());
  first->reset();
  CHECK(DutyStore::open(where.path).ok());
}

TEST_CASE("a damaged record is named, and not taken for none") {
  const Folder where;
  { REQUIRE((*DutyStore::open(where.path))->keep(record(7)).ok()); }
  const fs::path path = where.path / "7.duty";
  const Bytes good = *content::read_whole(path, 1'000);
  for (std::size_t at = 0; at < good.size(); at += 5) {
    Bytes bad = good;
    bad[at] ^= 1;
    REQUIRE(content::write_durably(path, bad).ok());
    const auto opened = DutyStore::open(where.path);
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().message.find("7.duty") != std::string::npos);
  }
}

Registration wanted(Balance stake) {
  Registration out{.profile = {.endpoint = "127.0.0.1:9950"}, .stake = stake};
  REQUIRE(out.profile.offers.push_back({task::TaskType::prime_calculation, Balance(1), 10, 500}));
  return out;
}

std::vector<std::string> names_of(const std::vector<workers::Call>& calls) {
  std::vector<std::string> out;
  for (const auto& call : calls) {
    out.emplace_back(
        std::visit([](const auto& one) { return std::decay_t<decltype(one)>::kName; }, call));
  }
  return out;
}

TEST_CASE("a registration is brought to what the configuration says, and never lowered") {
  using Names = std::vector<std::string>;
  const Registration want = wanted(Balance(150));
  CHECK(names_of(registration_calls(want, std::nullopt, std::nullopt)) == Names{"register"});

  workers::Worker worker{.registered = true, .bonded = Balance(150)};
  workers::Profile profile = want.profile;
  CHECK(registration_calls(want, worker, profile).empty());
  // A new measurement is no news.
  profile.offers[0].units_per_second = 700;
  CHECK(registration_calls(want, worker, profile).empty());
  profile.offers[0].price = Balance(2);
  CHECK(names_of(registration_calls(want, worker, profile)) == Names{"update"});
  worker.bonded = Balance(100);
  CHECK(names_of(registration_calls(want, worker, profile)) == Names{"update", "top_up"});
  worker.bonded = Balance(200);
  CHECK(registration_calls(want, worker, want.profile).empty());

  worker.registered = false;
  worker.bonded = Balance(30);
  const auto anew = registration_calls(want, worker, std::nullopt);
  REQUIRE(names_of(anew) == Names{"register"});
  CHECK(std::get<workers::Register>(anew[0]).stake.value == Balance(120));
}

TEST_CASE("one heartbeat an interval") {
  const DurationMs hour(3'600'000);
  CHECK(heartbeat_is_due(std::nullopt, TimestampMs(5), hour));
  const workers::Uptime uptime{.first_slot = 1, .last_slot = 1};
  CHECK_FALSE(heartbeat_is_due(uptime, TimestampMs(7'199'999), hour));
  CHECK(heartbeat_is_due(uptime, TimestampMs(7'200'000), hour));
  CHECK_FALSE(heartbeat_is_due(uptime, TimestampMs(7'200'000), DurationMs(0)));
}

}  // namespace
}  // namespace tally::worker
