#include "node/signer/server.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>

#include "primitives/crypto/hash.hpp"

namespace tally::signer {
namespace {

// Of whoever has begun a request and does not end it: less than the node that is served waits for
// its answer.
constexpr std::chrono::milliseconds kRequestPatience{400};

bool starts_with(ByteView bytes, const Bytes& tag) {
  return bytes.size() >= tag.size() && equal(bytes.first(tag.size()), tag);
}

struct ParsedVote {
  Hash genesis;
  Statement statement;
};
TALLY_DESCRIBE(ParsedVote, genesis, statement);

}  // namespace

Answer SignerServer::answer(const Request& request) {
  struct Visitor {
    SignerServer& self;
    Answer operator()(const HelloRequest& hello) const {
      if (hello.version != kProtocolVersion) {
        return Refusal{"expected signer protocol version " + std::to_string(kProtocolVersion) +
                       ", came " + std::to_string(hello.version) + "; update the older program"};
      }
      return HelloAnswer{self.keys_.consensus_key(), self.keys_.vrf_key()};
    }
    Answer operator()(const SignRequest& sign) const { return self.sign(sign.message); }
    Answer operator()(const ProveRequest& prove) const { return self.prove(prove.alpha); }
  };
  Answer out = std::visit(Visitor{*this}, request);
  if (const auto* refusal = std::get_if<Refusal>(&out)) say_("refused: " + refusal->reason);
  return out;
}

Answer SignerServer::sign(ByteView message) {
  const Bytes vote_tag = domain_tag("vote");
  if (starts_with(message, vote_tag)) {
    const auto vote = decode<ParsedVote>(message.subspan(vote_tag.size()));
    if (!vote.ok() || !equal(statement_bytes(vote->genesis, vote->statement), message)) {
      return Refusal{"a vote that does not decode"};
    }
    if (auto why = mark_->admit(vote->genesis, vote->statement)) return Refusal{*std::move(why)};
  } else if (!starts_with(message, domain_tag("peer")) &&
             !starts_with(message, domain_tag("peer-claim"))) {
    return Refusal{"bytes that are neither a vote nor a proof of who is at the end of a link"};
  }
  return SignAnswer{ed25519_sign(keys_.consensus, message)};
}

Answer SignerServer::prove(ByteView alpha) {
  if (!starts_with(alpha, domain_tag("vrf"))) return Refusal{"a VRF input of no chain"};
  return ProveAnswer{vrf_prove(keys_.vrf, alpha)};
}

bool SignerServer::serve_one(const Socket& client) {
  const auto bytes = client.receive();
  if (!bytes) return false;
  const auto request = decode<Request>(*bytes);
  if (!request.ok()) {
    say_("a request that does not decode: the link is closed");
    return false;
  }
  return client.send(encode(answer(*request)));
}

// It has begun to ask.
void SignerServer::turn_away(const Socket& client) {
  say_("a second node asked to be served and was turned away");
  (void)client.receive();
  (void)client.send(encode(Answer(Refusal{"the signer serves another node; stop that one first"})));
}

void SignerServer::serve(const Socket& listener, int stop) {
  Socket client;
  Socket second;  // not heard yet; nobody waits for it
  for (;;) {
    // Of those that are not open poll() says nothing.
    std::array<pollfd, 4> files{{{stop, POLLIN, 0},
                                 {listener.file(), POLLIN, 0},
                                 {client.file(), POLLIN, 0},
                                 {second.file(), POLLIN, 0}}};
    if (::poll(files.data(), files.size(), -1) < 0) continue;
    if (files[0].revents != 0) return;
    if (client.open() && files[2].revents != 0 && !serve_one(client)) {
      say_("the node is gone");
      client = Socket();
    }
    if (second.open() && files[3].revents != 0) {
      turn_away(second);
      second = Socket();
    }
    if (files[1].revents == 0) continue;
    Socket fresh(::accept4(listener.file(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fresh.open()) continue;
    fresh.limit(kRequestPatience);
    if (client.open()) {
      second = std::move(fresh);  // one that stayed silent until now has had its time
      continue;
    }
    say_("a node is served");
    client = std::move(fresh);
  }
}

}  // namespace tally::signer
