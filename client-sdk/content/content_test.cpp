#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <thread>

#include "client-sdk/content/fetch.hpp"
#include "client-sdk/content/files.hpp"
#include "client-sdk/content/server.hpp"
#include "client-sdk/task/certificate.hpp"
#include "primitives/crypto/hash.hpp"
#include "rpc/proto/content.grpc.pb.h"

namespace tally::content {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

struct Folder {
  fs::path path = fs::temp_directory_path() / ("tally-content-" + std::to_string(getpid()));
  Folder() { fs::remove_all(path); }
  ~Folder() { fs::remove_all(path); }
};

Bytes some_bytes(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 31 + (i >> 8));
  return out;
}

std::string at(const ContentServer& server) {
  return "127.0.0.1:" + std::to_string(server.port());
}

std::unique_ptr<ContentServer> serve(ContentSource source, ServerConfig config = {}) {
  config.listen = "127.0.0.1:0";
  auto server = ContentServer::start(config, std::move(source));
  if (!server) FAIL(server.error().message);
  return *std::move(server);
}

// A port where nobody listens: it was free a moment ago.
std::string nowhere() {
  const auto server = serve([](const Hash&) -> Result<Bytes, Error> { return Bytes{}; });
  return at(*server);
}

TEST_CASE("a folder gives back what was put, private, and nothing that was damaged") {
  const Folder where;
  const auto folder = *ContentFolder::open(where.path);
  const Bytes bytes = some_bytes(100'000);
  const Hash hash = *folder.put(bytes);
  CHECK(hash == blake2_256(bytes));
  CHECK(*folder.get(hash) == bytes);
  CHECK(folder.all() == std::vector<Hash>{hash});
  struct stat info {};
  REQUIRE(stat(folder.path_of(hash).c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  REQUIRE(stat(where.path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);

  // Shown to fail by returning what was read without comparing its hash.
  {
    std::fstream file(folder.path_of(hash), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(50'000);
    file.put(static_cast<char>(bytes[50'000] ^ 1));
  }
  CHECK_FALSE(folder.get(hash).ok());
  REQUIRE(folder.remove(hash).ok());
  CHECK_FALSE(folder.has(hash));
  CHECK_FALSE(folder.get(hash).ok());
}

TEST_CASE("bytes of any size come back over the wire") {
  const Folder where;
  const auto folder = *ContentFolder::open(where.path);
  const auto server = serve([&](const Hash& hash) { return folder.get(hash); });
  for (const std::size_t size : {0u, 1u, 262'144u, 262'145u, 3'000'000u}) {
    const Bytes bytes = some_bytes(size);
    const auto fetched =
        fetch_content({.hash = *folder.put(bytes), .locations = {at(*server)}}, {});
    if (!fetched) FAIL(fetched.error().message);
    CHECK(*fetched == bytes);
  }
}

// Shown to fail by returning what came without hashing it.
TEST_CASE("a place that is away, does not know it, or lies is passed over for the next") {
  const Bytes bytes = some_bytes(1'000);
  const Hash hash = blake2_256(bytes);
  const auto empty =
      serve([](const Hash&) -> Result<Bytes, Error> { return fail_with("not here"); });
  const auto liar = serve([](const Hash&) -> Result<Bytes, Error> { return some_bytes(999); });
  const auto honest = serve([&](const Hash&) -> Result<Bytes, Error> { return bytes; });
  FetchRequest request{.hash = hash,
                       .locations = {nowhere(), at(*empty), at(*liar), at(*honest)},
                       .patience = 5'000ms};
  const auto fetched = fetch_content(request, {});
  if (!fetched) FAIL(fetched.error().message);
  CHECK(*fetched == bytes);
  request.locations.pop_back();
  const auto failed = fetch_content(request, {});
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().message.find(at(*empty) + " not here") != std::string::npos);
  CHECK(failed.error().message.find(at(*liar) + " sends bytes with another hash") !=
        std::string::npos);
}

// Shown to fail by leaving out the comparison with max_bytes.
TEST_CASE("no more is read than was asked for") {
  const Bytes bytes = some_bytes(2'000'000);
  const auto server = serve([&](const Hash&) -> Result<Bytes, Error> { return bytes; });
  const auto failed = fetch_content(
      {.hash = blake2_256(bytes), .locations = {at(*server)}, .max_bytes = 1'999'999}, {});
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().message.find("more than 1999999 bytes") != std::string::npos);
}

// Never answers until it is let go.
struct Stuck {
  std::mutex mutex;
  std::condition_variable changed;
  bool entered = false;
  bool go = false;
  Result<Bytes, Error> operator()() {
    std::unique_lock lock(mutex);
    entered = true;
    changed.notify_all();
    changed.wait(lock, [&] { return go; });
    return Bytes{};
  }
  void wait_entered() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return entered; });
  }
  void release() {
    {
      const std::lock_guard lock(mutex);
      go = true;
    }
    changed.notify_all();
  }
};

TEST_CASE("a silent place costs its share of the time, a stop ends at once, streams are bounded") {
  Stuck stuck;
  const auto silent = serve([&](const Hash&) { return stuck(); }, {.max_streams = 1});
  const Bytes bytes = some_bytes(10);
  const auto honest = serve([&](const Hash&) -> Result<Bytes, Error> { return bytes; });
  const auto fetched = fetch_content(
      {.hash = blake2_256(bytes), .locations = {at(*silent), at(*honest)}, .patience = 300ms}, {});
  CHECK(fetched.ok());
  // Its one stream is still taken.
  const auto full = fetch_content({.hash = blake2_256(bytes), .locations = {at(*silent)}}, {});
  REQUIRE_FALSE(full.ok());
  CHECK(full.error().message.find("too many streams") != std::string::npos);
  stuck.release();

  Stuck second;
  const auto waiting = serve([&](const Hash&) { return second(); });
  std::stop_source stop;
  std::thread stopper([&] {
    second.wait_entered();
    stop.request_stop();
  });
  CHECK_FALSE(fetch_content({.hash = blake2_256(bytes),
                             .locations = {at(*waiting)},
                             .patience = std::chrono::hours(1)},
                            stop.get_token())
                  .ok());
  stopper.join();
  second.release();
}

// Shown to fail by accepting whatever has a colon: gRPC would dial a socket file.
TEST_CASE("only hosts and ports are dialled") {
  for (const char* good : {"127.0.0.1:9951", "worker-1.example.org:1", "[::1]:65535"}) {
    CHECK(location_is_valid(good));
  }
  for (const char* bad :
       {"", "host", "host:", ":9951", "host:0", "host:65536", "host:99511234", "unix:/tmp/s:1",
        "unix:9/1:2", "dns:///host:1", "a b:1", "[::1:1", "[zz::]:1", "host:+1", "host:1 "}) {
    CAPTURE(bad);
    CHECK_FALSE(location_is_valid(bad));
  }
  CHECK_FALSE(location_is_valid(std::string(300, 'a') + ":1"));
}

TEST_CASE("a file is replaced whole, and a folder keeps no leftovers") {
  const Folder where;
  REQUIRE(make_private_folder(where.path).ok());
  const auto path = where.path / "a.file";
  REQUIRE(write_durably(path, some_bytes(10)).ok());
  REQUIRE(write_durably(path, some_bytes(5)).ok());
  CHECK(*read_whole(path, 5) == some_bytes(5));
  CHECK_FALSE(read_whole(path, 4).ok());
  CHECK(std::distance(fs::directory_iterator(where.path), fs::directory_iterator()) == 1);
  CHECK(files_in(where.path, ".file") == std::vector<fs::path>{path});
  CHECK_FALSE(write_durably(where.path / "missing" / "a.file", some_bytes(1)).ok());
  REQUIRE(remove_durably(path).ok());
  CHECK(remove_durably(path).ok());
}

}  // namespace
}  // namespace tally::content
