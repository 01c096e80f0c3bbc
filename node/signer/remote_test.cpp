#include "node/signer/remote.hpp"

#include <sys/stat.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <atomic>
#include <future>

#include "node/signer/server.hpp"
#include "node/store/temp_folder.hpp"
#include "primitives/crypto/hash.hpp"

using namespace tally;
using namespace tally::signer;

namespace {

const Hash kGenesis{{2}};

keystore::ValidatorKeys keys(std::string_view name = "//Alice") {
  return *keystore::dev_validator_keys(name);
}

// A signer on a thread of its own, until it is ended.
class Running {
 public:
  Running(const std::filesystem::path& folder, std::string socket,
          std::string_view name = "//Alice")
      : listener_(*listen_unix(socket)) {
    REQUIRE(::pipe(stop_) == 0);
    const bool first = !std::filesystem::exists(folder / "mark");
    auto mark = SigningMark::open(store::posix_file((folder / "mark").string()),
                                  {keys(name).consensus_key(), first});
    REQUIRE(mark.ok());
    server_ =
        std::make_unique<SignerServer>(keys(name), *std::move(mark), [](const std::string&) {});
    thread_ = std::thread([this] { server_->serve(listener_, stop_[0]); });
  }
  ~Running() {
    (void)!::write(stop_[1], "x", 1);
    thread_.join();
    ::close(stop_[0]);
    ::close(stop_[1]);
  }

 private:
  Socket listener_;
  int stop_[2]{};
  std::unique_ptr<SignerServer> server_;
  std::thread thread_;
};

struct Place {
  store::TempFolder folder;
  std::filesystem::path path = folder.path();
  std::string socket = (path / "socket").string();
};

Bytes vote(VoteKind kind, std::uint64_t view, std::uint8_t block) {
  const Hash hash = block == 0 ? Hash{} : Hash{{block}};
  return statement_bytes(kGenesis, {Epoch(1), kind, View(view), hash});
}

}  // namespace

TEST_CASE("a remote signer signs what the local one would, and refuses with a reason") {
  Place place;
  const Running running(place.path, place.socket);
  struct stat mode {};
  REQUIRE(::stat(place.socket.c_str(), &mode) == 0);
  CHECK((mode.st_mode & 0777) == 0600);
  const auto remote = *RemoteSigner::start({place.socket, place.path / "key", {}});
  CHECK(remote->consensus_key() == keys().consensus_key());
  const auto local = keys().signer();
  const Bytes first = vote(VoteKind::notarize, 4, 1);
  CHECK(remote->try_sign(first) == local->try_sign(first));
  CHECK_FALSE(remote->refused());
  CHECK_FALSE(remote->try_sign(vote(VoteKind::notarize, 4, 2)));
  REQUIRE(remote->refused());
  CHECK(remote->refused()->find("contradicts") != std::string::npos);
  CHECK_FALSE(remote->away());
  for (const std::string_view tag : {"peer", "peer-claim"}) {
    Bytes proof = domain_tag(tag);
    append(proof, kGenesis);
    CHECK(remote->try_sign(proof) == local->try_sign(proof));
  }
  CHECK_FALSE(remote->try_sign(domain_tag("channel-state")));
  Bytes longer = first;
  longer.push_back(0);
  CHECK_FALSE(remote->try_sign(longer));
  const Bytes alpha = domain_tag("vrf");
  CHECK(remote->try_prove(alpha) == local->try_prove(alpha));
  CHECK_FALSE(remote->try_prove(first));
}

TEST_CASE("a second node is turned away and says why") {
  Place place;
  const Running running(place.path, place.socket);
  const auto first = *RemoteSigner::start({place.socket, place.path / "key", {}});
  const auto second = RemoteSigner::start({place.socket, place.path / "other-key", {}});
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().message.find("another node") != std::string::npos);
  CHECK(first->try_sign(vote(VoteKind::nullify, 1, 0)));
}

TEST_CASE("a signer that goes is said to be away, and is used again when it is back") {
  Place place;
  std::promise<void> back;
  auto running = std::make_unique<Running>(place.path, place.socket);
  const auto remote =
      *RemoteSigner::start({place.socket, place.path / "key", [&] { back.set_value(); }});
  REQUIRE(remote->try_sign(vote(VoteKind::notarize, 1, 1)));
  running.reset();
  CHECK_FALSE(remote->try_sign(vote(VoteKind::notarize, 2, 1)));
  REQUIRE(remote->away());
  CHECK(remote->away()->find(place.socket) != std::string::npos);
  running = std::make_unique<Running>(place.path, place.socket);
  REQUIRE(back.get_future().wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  CHECK_FALSE(remote->away());
  CHECK(remote->try_sign(vote(VoteKind::notarize, 2, 1)));
  CHECK_FALSE(remote->try_sign(vote(VoteKind::notarize, 1, 2)));  // over the restart
}

TEST_CASE("a node that knows its key starts without the signer, and never takes another's") {
  Place place;
  const auto unknown = RemoteSigner::start({place.socket, place.path / "key", {}});
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().message.find("tallyd signer") != std::string::npos);
  {
    const Running running(place.path, place.socket);
    REQUIRE(RemoteSigner::start({place.socket, place.path / "key", {}}).ok());
  }
  const auto alone = RemoteSigner::start({place.socket, place.path / "key", {}});
  REQUIRE(alone.ok());
  CHECK((*alone)->consensus_key() == keys().consensus_key());
  CHECK((*alone)->away());
  std::filesystem::create_directory(place.path / "bob");
  const Running other(place.path / "bob", place.socket, "//Bob");
  const auto wrong = RemoteSigner::start({place.socket, place.path / "key", {}});
  REQUIRE(wrong.ok());
  REQUIRE((*wrong)->away());
  CHECK((*wrong)->away()->find("holds the key") != std::string::npos);
}
