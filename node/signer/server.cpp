#include "node/signer/server.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>

#include "primitives/crypto/hash.hpp"

namespace tally::signer {
namespace {

// Of a node that has begun a request and does not end it.
constexpr std::chrono::seconds kRequestPatience{2};

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

void SignerServer::turn_away(const Socket& client) {
  client.limit(kRequestPatience);
  say_("a second node asked to be served and was turned away");
  (void)client.receive();
  (void)client.send(encode(Answer(Refusal{"the signer serves another node; stop that one first"})));
}

void SignerServer::serve(const Socket& listener, int stop) {
  Socket client;
  for (;;) {
    std::array<pollfd, 3> files{
        {{stop, POLLIN, 0}, {listener.file(), POLLIN, 0}, {client.file(), POLLIN, 0}}};
    if (::poll(files.data(), client.open() ? 3 : 2, -1) < 0) continue;
    if (files[0].revents != 0) return;
    if (client.open() && files[2].revents != 0 && !serve_one(client)) {
      say_("the node is gone");
      client = Socket();
    }
    if (files[1].revents == 0) continue;
    Socket fresh(::accept4(listener.file(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fresh.open()) continue;
    if (client.open()) {
      turn_away(fresh);
      continue;
    }
    fresh.limit(kRequestPatience);
    say_("a node is served");
    client = std::move(fresh);
  }
}

}  // namespace tally::signer
