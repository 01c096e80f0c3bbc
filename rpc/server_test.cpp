#include "rpc/server.hpp"

#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "modules/channels/storage.hpp"
#include "modules/system/storage.hpp"
#include "primitives/derivation.hpp"
#include "rpc/proto/author.grpc.pb.h"
#include "rpc/proto/chain.grpc.pb.h"
#include "rpc/proto/channels.grpc.pb.h"
#include "rpc/proto/node.grpc.pb.h"
#include "rpc/proto/state.grpc.pb.h"
#include "rpc/testing/fake_chain.hpp"
#include "runtime/events.hpp"

namespace tally::rpc {
namespace {

namespace proto = tallystick::v1;
using testing::FakeChain;

struct Setup {
  FakeChain chain;
  std::unique_ptr<Server> server;
  std::shared_ptr<grpc::Channel> channel;

  explicit Setup(ServerConfig config = {}) {
    config.listen = "127.0.0.1:0";
    server = *Server::start(config, chain);
    channel = grpc::CreateChannel("127.0.0.1:" + std::to_string(server->port()),
                                  grpc::InsecureChannelCredentials());
  }
};

std::string code_of(const grpc::ClientContext& context) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find("tally-code");
  return found == trailers.end() ? "" : std::string(found->second.data(), found->second.size());
}

std::string text(ByteView bytes) {
  return std::string(as_text(bytes));
}

AccountId alice() {
  return dev_key(KeyScheme::ecdsa, "Alice").account();
}

template <class Stub, class Request, class Reply>
struct Answer {
  Reply reply;
  grpc::Status status;
  std::string code;
};

template <class Stub, class Request, class Reply>
Answer<Stub, Request, Reply> call(Stub& stub,
                                  grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                               Reply*),
                                  const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  Answer<Stub, Request, Reply> answer;
  answer.status = (stub.*method)(&context, request, &answer.reply);
  answer.code = code_of(context);
  return answer;
}

TEST_CASE("headers, blocks and proofs are served with the bytes that were hashed") {
  Setup s;
  s.chain.add_block({}, {Bytes{1, 2, 3}});
  auto chain = proto::Chain::NewStub(s.channel);
  const auto header = call(*chain, &proto::Chain::Stub::GetHeader, proto::GetHeaderRequest{});
  REQUIRE(header.status.ok());
  CHECK(header.reply.block().number() == 1);
  CHECK(text(blake2_256(as_bytes(header.reply.scale()))) == header.reply.block().hash());
  CHECK(header.reply.epoch() == 1);

  proto::GetBlockRequest by_hash;
  by_hash.mutable_at()->set_hash(header.reply.block().hash());
  const auto block = call(*chain, &proto::Chain::Stub::GetBlock, by_hash);
  REQUIRE(block.status.ok());
  REQUIRE(block.reply.extrinsics_size() == 1);
  CHECK(block.reply.extrinsics(0) == std::string("\1\2\3"));

  const auto proof =
      call(*chain, &proto::Chain::Stub::GetFinalityProof, proto::GetFinalityProofRequest{});
  REQUIRE(proof.status.ok());
  const auto decoded = decode<FinalityProof>(as_bytes(proof.reply.scale()));
  REQUIRE(decoded.ok());
  const auto set = s.chain.validators();
  CHECK(verify(*decoded, {s.chain.genesis_hash(), Epoch(1), &set}).ok());
}

TEST_CASE("an account is readable without knowing storage keys") {
  Setup s;
  system::AccountInfo info;
  info.providers = 1;
  info.nonce = Nonce(3);
  info.data.free = Balance(1'500'000);
  s.chain.add_block({{to_bytes(system::kAccount.key(alice())), encode(info)}});
  auto state = proto::State::NewStub(s.channel);
  proto::GetAccountRequest request;
  request.set_account(text(alice()));
  const auto account = call(*state, &proto::State::Stub::GetAccount, request);
  REQUIRE(account.status.ok());
  CHECK(account.reply.exists());
  CHECK(account.reply.nonce() == 3);
  CHECK(account.reply.free_micro() == "1500000");
}

TEST_CASE("errors carry a status, a stable code and a message that starts with it") {
  Setup s;
  auto chain = proto::Chain::NewStub(s.channel);
  auto state = proto::State::NewStub(s.channel);
  auto author = proto::Author::NewStub(s.channel);

  proto::GetHeaderRequest unknown;
  unknown.mutable_at()->set_number(77);
  const auto missing = call(*chain, &proto::Chain::Stub::GetHeader, unknown);
  CHECK(missing.status.error_code() == grpc::StatusCode::NOT_FOUND);
  CHECK(missing.code == "not_found");
  CHECK(missing.status.error_message().rfind("not_found: ", 0) == 0);

  proto::GetHeaderRequest short_hash;
  short_hash.mutable_at()->set_hash("abc");
  const auto invalid = call(*chain, &proto::Chain::Stub::GetHeader, short_hash);
  CHECK(invalid.code == "invalid_argument");
  CHECK(invalid.status.error_message() == "invalid_argument: at.hash must be 32 raw bytes; 3 came");

  proto::ReadStateRequest many;
  for (int i = 0; i < 257; ++i) many.add_keys("k");
  CHECK(call(*state, &proto::State::Stub::Read, many).code == "too_large");

  proto::ScanStateRequest everything;
  CHECK(call(*state, &proto::State::Stub::Scan, everything).code == "invalid_argument");

  s.chain.refuse_submissions = ports::Rejection{ports::RejectCode::cannot_pay, "fee 5, free 3"};
  proto::SubmitRequest submit;
  submit.set_extrinsic("xyz");
  const auto refused = call(*author, &proto::Author::Stub::Submit, submit);
  CHECK(refused.status.error_code() == grpc::StatusCode::FAILED_PRECONDITION);
  CHECK(refused.code == "rejected/cannot_pay");

  s.chain.state_error = ports::QueryError{ports::QueryErrorCode::pruned, "kept are 5 to 9"};
  proto::ReadStateRequest read;
  read.add_keys("key");
  CHECK(call(*state, &proto::State::Stub::Read, read).code == "pruned");
}

TEST_CASE("a message above the limit is refused before it is parsed") {
  Setup s;
  auto author = proto::Author::NewStub(s.channel);
  proto::SubmitRequest submit;
  submit.set_extrinsic(std::string(2u << 20, 'x'));
  const auto answer = call(*author, &proto::Author::Stub::Submit, submit);
  CHECK(answer.status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(s.chain.submitted().empty());
}

TEST_CASE("finalized headers come without gaps from a number on, and go on") {
  Setup s;
  for (int i = 0; i < 3; ++i) s.chain.add_block();
  auto chain = proto::Chain::NewStub(s.channel);
  grpc::ClientContext context;
  proto::SubscribeFinalizedRequest request;
  request.set_from_number(1);
  request.set_with_proof(true);
  const auto reader = chain->SubscribeFinalized(&context, request);
  proto::FinalizedHeader message;
  for (std::uint32_t number = 1; number <= 5; ++number) {
    if (number == 4) s.chain.add_block(), s.chain.add_block();
    REQUIRE(reader->Read(&message));
    CHECK(message.header().block().number() == number);
    CHECK(decode<FinalityProof>(as_bytes(message.proof().scale())).ok());
  }
  context.TryCancel();
  CHECK(s.chain.wait_for_subscribers(0));
}

TEST_CASE("a stream cannot start beyond the next block") {
  Setup s;
  auto chain = proto::Chain::NewStub(s.channel);
  grpc::ClientContext context;
  proto::SubscribeFinalizedRequest request;
  request.set_from_number(2);
  const auto reader = chain->SubscribeFinalized(&context, request);
  proto::FinalizedHeader message;
  CHECK(!reader->Read(&message));
  CHECK(reader->Finish().error_code() == grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_CASE("a reader that is too slow for the heads is dropped with a code") {
  ServerConfig config;
  config.stream_queue_max = 8;
  Setup s(config);
  auto chain = proto::Chain::NewStub(s.channel);
  grpc::ClientContext context;
  const auto reader = chain->SubscribeHeads(&context, proto::SubscribeHeadsRequest{});
  REQUIRE(s.chain.wait_for_subscribers(1));
  // More than the transport's windows hold while nobody reads.
  Header header;
  header.digest.push_back(DigestOther{Bytes(16'000, 7)});
  for (std::uint32_t i = 0; i < 20'000 && s.chain.subscribers() == 1; ++i) {
    header.number = {BlockNumber(i)};
    s.chain.announce_best(header);
  }
  proto::Header message;
  std::size_t received = 0;
  while (reader->Read(&message)) ++received;
  CHECK(received < 20'000);
  const grpc::Status status = reader->Finish();
  CHECK(status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(code_of(context) == "slow_consumer");
}

TEST_CASE("subscriptions above the bound are refused, and a slot comes free again") {
  ServerConfig config;
  config.streams_max = 1;
  Setup s(config);
  auto chain = proto::Chain::NewStub(s.channel);
  {
    grpc::ClientContext first;
    const auto open = chain->SubscribeHeads(&first, proto::SubscribeHeadsRequest{});
    REQUIRE(s.chain.wait_for_subscribers(1));
    grpc::ClientContext second;
    const auto refused = chain->SubscribeHeads(&second, proto::SubscribeHeadsRequest{});
    proto::Header message;
    CHECK(!refused->Read(&message));
    CHECK(refused->Finish().error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
    CHECK(code_of(second) == "too_many_streams");
    first.TryCancel();
    CHECK(open->Finish().error_code() == grpc::StatusCode::CANCELLED);
  }
  REQUIRE(s.chain.wait_for_subscribers(0));
  // The slot is given back after the subscription ended, so a client may still be refused before.
  s.chain.add_block();
  proto::SubscribeFinalizedRequest request;
  request.set_from_number(1);
  grpc::StatusCode refusal = grpc::StatusCode::RESOURCE_EXHAUSTED;
  while (refusal == grpc::StatusCode::RESOURCE_EXHAUSTED) {
    grpc::ClientContext third;
    const auto again = chain->SubscribeFinalized(&third, request);
    proto::FinalizedHeader message;
    if (again->Read(&message)) return third.TryCancel();
    refusal = again->Finish().error_code();
  }
  FAIL("expected a stream, got status " << refusal);
}

TEST_CASE("stopping the server ends open streams with a code") {
  Setup s;
  auto chain = proto::Chain::NewStub(s.channel);
  grpc::ClientContext context;
  const auto reader = chain->SubscribeHeads(&context, proto::SubscribeHeadsRequest{});
  REQUIRE(s.chain.wait_for_subscribers(1));
  s.server->stop();
  proto::Header message;
  CHECK(!reader->Read(&message));
  CHECK(reader->Finish().error_code() == grpc::StatusCode::UNAVAILABLE);
  CHECK(code_of(context) == "unavailable");
}

TEST_CASE("a watched transaction streams until its last status") {
  Setup s;
  s.chain.on_submit = [&](const Bytes& extrinsic) {
    s.chain.tell(extrinsic_hash(extrinsic), ports::TxReady{});
    s.chain.tell(extrinsic_hash(extrinsic), ports::TxExpired{BlockNumber(12)});
  };
  auto author = proto::Author::NewStub(s.channel);
  grpc::ClientContext context;
  proto::SubmitRequest request;
  request.set_extrinsic("abc");
  const auto reader = author->SubmitAndWatch(&context, request);
  proto::TransactionStatus status;
  REQUIRE(reader->Read(&status));
  CHECK(status.has_ready());
  REQUIRE(reader->Read(&status));
  CHECK(status.expired().death_number() == 12);
  CHECK(!reader->Read(&status));
  CHECK(reader->Finish().ok());
  CHECK(s.chain.wait_for_subscribers(0));
}

TEST_CASE("channels are found by id and by party, and their events are streamed") {
  Setup s;
  const ChannelId id = *ChannelId::from(Bytes(32, 9));
  channels::Channel channel;
  channel.opener = alice();
  channel.counterparty = dev_key(KeyScheme::ecdsa, "Bob").account();
  channels::ChannelOpened opened;
  opened.channel_id = id;
  channels::ChannelAccepted other;
  other.channel_id = *ChannelId::from(Bytes(32, 8));
  const std::vector<runtime::EventRecord> records{
      {PhaseApply{0}, runtime::ChannelsEvent{channels::Event(other)}, {}},
      {PhaseApply{0}, runtime::ChannelsEvent{channels::Event(opened)}, {}}};
  s.chain.add_block({{to_bytes(channels::kChannels.key(id)), encode(channel)},
                     {to_bytes(runtime::kEvents.key()), encode(records)}});
  auto stub = proto::Channels::NewStub(s.channel);

  proto::GetChannelRequest get;
  get.set_channel_id(text(id));
  const auto found = call(*stub, &proto::Channels::Stub::Get, get);
  REQUIRE(found.status.ok());
  CHECK(found.reply.scale() == text(encode(channel)));
  CHECK(found.reply.json().find("\"phase\":\"pending\"") != std::string::npos);

  proto::ListChannelsRequest list;
  list.set_account(text(alice()));
  CHECK(call(*stub, &proto::Channels::Stub::List, list).reply.channels_size() == 1);
  list.set_account(text(dev_key(KeyScheme::ecdsa, "Eve").account()));
  CHECK(call(*stub, &proto::Channels::Stub::List, list).reply.channels_size() == 0);

  grpc::ClientContext context;
  proto::SubscribeChannelEventsRequest subscribe;
  subscribe.set_channel_id(text(id));
  subscribe.set_from_number(1);
  const auto reader = stub->SubscribeEvents(&context, subscribe);
  proto::ChannelEvent event;
  REQUIRE(reader->Read(&event));
  CHECK(event.name() == "ChannelOpened");
  context.TryCancel();
}

TEST_CASE("node information is served") {
  Setup s;
  auto node = proto::Node::NewStub(s.channel);
  CHECK(call(*node, &proto::Node::Stub::GetVersion, proto::GetVersionRequest{}).reply.role() ==
        "full");
  CHECK(call(*node, &proto::Node::Stub::GetPeers, proto::GetPeersRequest{}).reply.peers_size() ==
        1);
  CHECK(call(*node, &proto::Node::Stub::GetSync, proto::GetSyncRequest{}).reply.target_number() ==
        9);
  CHECK(call(*node, &proto::Node::Stub::GetPool, proto::GetPoolRequest{}).reply.transactions() ==
        3);
  const auto status = call(*node, &proto::Node::Stub::GetStatus, proto::GetStatusRequest{}).reply;
  CHECK(status.state() == "syncing_blocks");
  CHECK(status.reason() == "is at block 5 and a peer shows block 9");
  CHECK(status.progress().total() == 9);
  CHECK(status.free_bytes() == 3'000);
}

// Bytes of no protocol at all, sent to the port.
void send_garbage(std::uint16_t port, ByteView bytes) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  REQUIRE(fd >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  CHECK(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0);
  shutdown(fd, SHUT_WR);
  std::uint8_t sink[4096];
  while (recv(fd, sink, sizeof(sink), 0) > 0) {
  }
  close(fd);
}

TEST_CASE("garbage on the port harms nobody") {
  Setup s;
  s.chain.add_block();
  Bytes noise(100'000);
  std::uint32_t value = 1;
  for (auto& byte : noise) byte = static_cast<std::uint8_t>((value = value * 1'664'525 + 1) >> 24);
  send_garbage(s.server->port(), noise);
  send_garbage(s.server->port(), as_bytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  Bytes preface = to_bytes(as_bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
  append(preface, noise);
  send_garbage(s.server->port(), preface);
  send_garbage(s.server->port(), {});
  auto chain = proto::Chain::NewStub(s.channel);
  CHECK(call(*chain, &proto::Chain::Stub::GetHeads, proto::GetHeadsRequest{}).status.ok());
}

TEST_CASE("a port in use is an error that names it") {
  Setup s;
  ServerConfig config;
  config.listen = "127.0.0.1:" + std::to_string(s.server->port());
  const auto second = Server::start(config, s.chain);
  REQUIRE(!second.ok());
  CHECK(second.error().message.find(config.listen) != std::string::npos);
}

}  // namespace
}  // namespace tally::rpc
