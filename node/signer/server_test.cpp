// What a signer answers, and what somebody at its socket who says nothing, or nonsense, can do to
// it. And the node's end, beside a signer that lies or hangs.
#include "node/signer/server.hpp"

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <fstream>
#include <functional>
#include <future>
#include <thread>

#include "node/signer/remote.hpp"
#include "node/store/temp_folder.hpp"
#include "primitives/crypto/hash.hpp"

using namespace tally;
using namespace tally::signer;

namespace {

const Hash kGenesis{{2}};

keystore::ValidatorKeys keys() {
  return *keystore::dev_validator_keys("//Alice");
}

struct Place {
  store::TempFolder folder;
  std::filesystem::path path = folder.path();
  std::string socket = (path / "socket").string();
};

std::unique_ptr<SignerServer> make_server(const std::filesystem::path& folder) {
  auto mark = SigningMark::open(store::posix_file((folder / "mark").string()),
                                {keys().consensus_key(), true});
  REQUIRE(mark.ok());
  return std::make_unique<SignerServer>(keys(), *std::move(mark), [](const std::string&) {});
}

// A signer on a thread of its own, until it is ended.
class Running {
 public:
  explicit Running(const Place& place)
      : listener_(*listen_unix(place.socket)), server_(make_server(place.path)) {
    REQUIRE(::pipe(stop_) == 0);
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

// In place of a signer: says whose keys it holds, and then what the test wants.
class Impostor {
 public:
  using Speak = std::function<void(const Socket&, const SignRequest&)>;
  Impostor(const Place& place, Speak speak)
      : listener_(*listen_unix(place.socket)), thread_([this, speak = std::move(speak)] {
          const Socket node(::accept(listener_.file(), nullptr, nullptr));
          while (const auto bytes = node.receive()) {
            const auto request = decode<Request>(*bytes);
            if (!request.ok()) return;
            if (const auto* sign = std::get_if<SignRequest>(&*request)) {
              speak(node, *sign);
            } else {
              (void)node.send(encode(Answer(HelloAnswer{keys().consensus_key(), {}})));
            }
          }
        }) {}
  ~Impostor() { thread_.join(); }

 private:
  Socket listener_;
  std::thread thread_;
};

Bytes vote(VoteKind kind, std::uint64_t view, std::uint8_t block) {
  const Hash hash = block == 0 ? Hash{} : Hash{{block}};
  return statement_bytes(kGenesis, {Epoch(1), kind, View(view), hash});
}

bool is_refused(SignerServer& server, const Request& request) {
  return std::holds_alternative<Refusal>(server.answer(request));
}

}  // namespace

// Shown to fail without each of the refusals.
TEST_CASE("a signer refuses what it does not know, and what has another tag") {
  Place place;
  const auto server = make_server(place.path);
  CHECK_FALSE(is_refused(*server, HelloRequest{kProtocolVersion}));
  CHECK(is_refused(*server, HelloRequest{kProtocolVersion + 1}));
  CHECK(is_refused(*server, SignRequest{}));
  for (const std::string_view tag : {"peer", "peer-claim", "vote"}) {
    Bytes message = tag == "vote" ? vote(VoteKind::nullify, 1, 0) : domain_tag(tag);
    CHECK_FALSE(is_refused(*server, SignRequest{message}));
    message[domain_tag(tag).size() - 1] ^= 1;  // of the tag's version
    CHECK(is_refused(*server, SignRequest{message}));
    message.resize(domain_tag(tag).size() - 1);
    CHECK(is_refused(*server, SignRequest{message}));
  }
  Bytes cut = vote(VoteKind::notarize, 2, 1);
  cut.pop_back();
  CHECK(is_refused(*server, SignRequest{cut}));
  CHECK(is_refused(*server, SignRequest{vote(VoteKind::notarize, 2, 0)}));
  CHECK(is_refused(*server, SignRequest{vote(VoteKind::nullify, 2, 1)}));
  CHECK(is_refused(*server, ProveRequest{domain_tag("vrf-of-another-kind")}));
}

// Shown to fail where the signer waits for the second one to speak.
TEST_CASE("one that connects and says nothing does not hold up the node that is served") {
  Place place;
  const Running running(place);
  const auto node = *RemoteSigner::start({place.socket, place.path / "key", {}});
  std::vector<Socket> silent;
  for (int i = 0; i < 3; ++i) silent.push_back(*connect_unix(place.socket));
  for (std::uint64_t view = 1; view <= 5; ++view) {
    CHECK(node->try_sign(vote(VoteKind::nullify, view, 0)));
  }
  CHECK_FALSE(node->away());
  const auto second = RemoteSigner::start({place.socket, place.path / "other", {}});
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().message.find("another node") != std::string::npos);
}

// Shown to fail without kRequestPatience.
TEST_CASE("one that begins a request and does not end it loses its place") {
  Place place;
  const Running running(place);
  const Socket stuck = *connect_unix(place.socket);
  REQUIRE(::send(stuck.file(), "\x09", 1, MSG_NOSIGNAL) == 1);
  stuck.limit(std::chrono::seconds(60));
  CHECK_FALSE(stuck.receive());
  const auto node = RemoteSigner::start({place.socket, place.path / "key", {}});
  REQUIRE(node.ok());
  CHECK((*node)->try_sign(vote(VoteKind::nullify, 1, 0)));
}

TEST_CASE("a frame that does not decode costs the link") {
  Place place;
  const Running running(place);
  const Socket link = *connect_unix(place.socket);
  link.limit(std::chrono::seconds(60));
  REQUIRE(link.send(encode(Request(HelloRequest{kProtocolVersion}))));
  REQUIRE(link.receive());
  REQUIRE(link.send(Bytes{77}));
  CHECK_FALSE(link.receive());
  (void)link.send(encode(Request(HelloRequest{kProtocolVersion})));
  CHECK_FALSE(link.receive());
}

TEST_CASE("a frame has its greatest size in both directions") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const Socket here(ends[0]);
  const Socket there(ends[1]);
  REQUIRE(here.send(Bytes(kMaxFrame)));
  CHECK(there.receive() == Bytes(kMaxFrame));
  CHECK_FALSE(here.send(Bytes(kMaxFrame + 1)));
  Bytes large = encode(static_cast<std::uint32_t>(kMaxFrame + 1));
  large.resize(large.size() + kMaxFrame + 1);
  REQUIRE(::send(ends[0], large.data(), large.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(large.size()));
  CHECK_FALSE(there.receive());
}

TEST_CASE("neither a signer that runs nor a file of another kind loses its place to a new socket") {
  Place place;
  {
    const Socket first = *listen_unix(place.socket);
    const auto second = listen_unix(place.socket);
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().message.find("another signer") != std::string::npos);
    CHECK(connect_unix(place.socket).ok());
  }
  CHECK(listen_unix(place.socket).ok());  // what it left behind
  const std::string precious = (place.path / "precious").string();
  std::ofstream(precious) << "keys";
  CHECK_FALSE(listen_unix(precious).ok());
  CHECK(std::filesystem::file_size(precious) == 4);
  CHECK_FALSE(listen_unix(std::string(200, 'x')).ok());
}

// Fails where a node waits for a place in its queue, or takes its socket for one that was left.
TEST_CASE("a signer that accepts nobody is neither waited for nor replaced") {
  Place place;
  const Socket hangs = *listen_unix(place.socket);
  std::vector<Socket> queued;
  while (queued.size() < 100) {
    auto one = connect_unix(place.socket);
    if (!one.ok()) break;
    queued.push_back(*std::move(one));
  }
  CHECK(queued.size() < 100);
  const auto second = listen_unix(place.socket);
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().message.find("another signer") != std::string::npos);
}

// A node of another user. Shown to fail where the socket stays its user's alone.
TEST_CASE("the socket lets a group in that is named, and nobody else") {
  Place place;
  const Socket open = *listen_unix(place.socket, ::getgid());
  struct stat made {};
  REQUIRE(::stat(place.socket.c_str(), &made) == 0);
  CHECK((made.st_mode & 0777) == 0660);
  CHECK(made.st_gid == ::getgid());
  CHECK(connect_unix(place.socket).ok());
  if (const group* own = ::getgrgid(::getgid())) {
    const auto found = group_of(own->gr_name);
    REQUIRE(found.ok());
    CHECK(*found == ::getgid());
  }
  const auto none = group_of("no-such-group");
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().message.find("no-such-group") != std::string::npos);
}

// Shown to fail without ed25519_verify() in try_sign().
TEST_CASE("a signature that does not hold does not leave the node") {
  Place place;
  std::size_t asked = 0;
  const Impostor impostor(place, [&](const Socket& node, const SignRequest& sign) {
    Ed25519Signature made = ed25519_sign(keys().consensus, sign.message);
    if (asked++ == 0) made.bytes[9] ^= 1;
    (void)node.send(encode(Answer(SignAnswer{made})));
  });
  const auto node = *RemoteSigner::start({place.socket, place.path / "key", {}});
  CHECK_FALSE(node->try_sign(vote(VoteKind::nullify, 1, 0)));
  CHECK(node->try_sign(vote(VoteKind::nullify, 1, 0)));
}

// Shown to fail without kPatience.
TEST_CASE("a signer that hangs is away, and its late answer is taken for no other") {
  Place place;
  std::promise<void> go;
  auto gone = go.get_future();
  const Impostor impostor(place, [&](const Socket&, const SignRequest&) { gone.wait(); });
  const auto node = *RemoteSigner::start({place.socket, place.path / "key", {}});
  CHECK_FALSE(node->try_sign(vote(VoteKind::nullify, 1, 0)));
  CHECK(node->away());
  CHECK_FALSE(node->try_sign(vote(VoteKind::nullify, 2, 0)));  // at once
  go.set_value();
}

// Shown to fail with the votes of the epoch before left in the mark, and without a first write.
TEST_CASE("a new mark is there at once, and a new epoch begins without the votes of the last") {
  Place place;
  const std::string file = (place.path / "mark").string();
  const auto open = [&](bool may_begin) {
    return SigningMark::open(store::posix_file(file), {keys().consensus_key(), may_begin});
  };
  REQUIRE(open(true).ok());
  auto opened = open(false);
  REQUIRE(opened.ok());
  SigningMark& mark = **opened;
  const auto notarize = [](std::uint64_t epoch, std::uint8_t block) {
    return Statement{Epoch(epoch), VoteKind::notarize, View(1), Hash{{block}}};
  };
  CHECK_FALSE(mark.admit(kGenesis, notarize(1, 1)));
  CHECK(mark.admit(kGenesis, notarize(1, 2)));
  CHECK_FALSE(mark.admit(kGenesis, notarize(2, 2)));
  CHECK(mark.admit(kGenesis, notarize(2, 1)));
  CHECK(mark.admit(kGenesis, notarize(1, 1)));  // it is over
  CHECK(mark.content().epoch == Epoch(2));
}

// Shown to fail with views closed up to the one that fell out, and not with it.
TEST_CASE("the one view that falls out of the mark is closed") {
  Place place;
  auto opened = SigningMark::open(store::posix_file((place.path / "mark").string()),
                                  {keys().consensus_key(), true});
  REQUIRE(opened.ok());
  const auto notarize = [&](std::uint64_t view, std::uint8_t block) {
    return (*opened)->admit(kGenesis, {Epoch(1), VoteKind::notarize, View(view), Hash{{block}}});
  };
  for (std::uint64_t view = 10; view < 10 + kMarkViews; ++view) CHECK_FALSE(notarize(view, 1));
  CHECK_FALSE(notarize(9 + kMarkViews + 1, 1));
  CHECK(notarize(10, 2));
  CHECK(notarize(11, 2));
  CHECK_FALSE(notarize(11, 1));
}
