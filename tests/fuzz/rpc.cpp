// Every unary call of a node's gRPC server, with any bytes as the request: a served chain answers
// or refuses with a code, and goes on. The first byte chooses the call. (Streams take the same
// messages, and are tested in rpc/.)
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include "modules/system/storage.hpp"
#include "primitives/derivation.hpp"
#include "rpc/server.hpp"
#include "rpc/testing/fake_chain.hpp"
#include "tests/fuzz/target.hpp"

namespace tally::fuzz {
namespace {

constexpr const char* kCalls[] = {
    "Chain/GetInfo",   "Chain/GetHeads",         "Chain/GetHeader",       "Chain/GetBlock",
    "Chain/GetEvents", "Chain/GetFinalityProof", "Chain/FindTransaction", "State/Read",
    "State/Scan",      "State/GetAccount",       "Author/Submit",         "Author/GetNextNonce",
    "Channels/Get",    "Channels/List",          "Node/GetVersion",       "Node/GetPeers",
    "Node/GetSync",    "Node/GetPool",           "Node/GetStatus"};

class Served {
 public:
  Served() {
    rpc::ServerConfig config;
    config.listen = "127.0.0.1:0";
    config.client_work = {1 << 30, 1 << 30};  // a fuzzer is a client that asks without end
    server_ = *rpc::Server::start(config, chain_);
    system::AccountInfo info;
    info.data.free = Balance(7);
    const AccountId alice = dev_key(KeyScheme::ecdsa, "Alice").account();
    for (int i = 0; i < 7; ++i) {
      chain_.add_block({{to_bytes(system::kAccount.key(alice)), encode(info)}}, {Bytes{1, 2, 3}});
    }
    const auto channel = grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->port()),
                                             grpc::InsecureChannelCredentials());
    stub_ = std::make_unique<grpc::GenericStub>(channel);
  }
  ~Served() { queue_.Shutdown(); }

  grpc::Status call(const std::string& method, ByteView request) {
    const grpc::Slice slice(request.data(), request.size());
    const grpc::ByteBuffer bytes(&slice, 1);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    auto reader = stub_->PrepareUnaryCall(&context, method, bytes, &queue_);
    reader->StartCall();
    grpc::ByteBuffer reply;
    grpc::Status status;
    reader->Finish(&reply, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    TALLY_ASSERT(queue_.Next(&tag, &ok) && ok);
    return status;
  }

 private:
  testing::FakeChain chain_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<grpc::GenericStub> stub_;
  grpc::CompletionQueue queue_;
};

}  // namespace

void run(ByteView input) {
  static Served served;
  if (input.empty()) return;
  const std::string name = kCalls[input[0] % std::size(kCalls)];
  const grpc::Status status = served.call("/tallystick.v1." + name, input.subspan(1));
  // A handler that throws answers UNKNOWN; one that hangs, DEADLINE_EXCEEDED.
  TALLY_ASSERT(status.error_code() != grpc::StatusCode::UNKNOWN);
  TALLY_ASSERT(status.error_code() != grpc::StatusCode::DEADLINE_EXCEEDED);
  TALLY_ASSERT(status.error_code() != grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace tally::fuzz
