#include "client-sdk/content/fetch.hpp"

#include <grpcpp/grpcpp.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <algorithm>

#include "client-sdk/task/certificate.hpp"
#include "primitives/balance.hpp"
#include "primitives/crypto/hash.hpp"
#include "rpc/proto/content.grpc.pb.h"

namespace tally::content {

namespace {

namespace proto = tallystick::v1;

constexpr int kMaxMessageBytes = 1 << 20;
constexpr std::size_t kMaxHostLength = 253;

// The hash proves the bytes; the certificate is only there for privacy on the way.
std::shared_ptr<grpc::ChannelCredentials> credentials() {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(std::make_shared<grpc::experimental::NoOpCertificateVerifier>());
  return grpc::experimental::TlsCredentials(options);
}

bool host_is_plain(std::string_view host) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-';
  };
  return !host.empty() && std::all_of(host.begin(), host.end(), plain);
}

bool host_is_ipv6(std::string_view host) {
  if (host.size() < 4 || host.front() != '[' || host.back() != ']') return false;
  host = host.substr(1, host.size() - 2);
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == ':' ||
           c == '.';
  });
}

Result<Bytes, Error> fetch_from(const std::string& location, const FetchRequest& request,
                                const std::stop_token& stop) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetSslTargetNameOverride(std::string(task::kCertificateName));
  const auto channel = grpc::CreateCustomChannel("dns:///" + location, credentials(), arguments);
  const auto stub = proto::Content::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + request.patience);
  const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
  proto::GetContent get;
  get.set_hash(std::string(as_text(request.hash)));
  const auto reader = stub->Get(&context, get);
  Bytes out;
  proto::ContentChunk chunk;
  bool too_much = false;
  while (!too_much && reader->Read(&chunk)) {
    too_much = chunk.total_bytes() > request.max_bytes ||
               chunk.data().size() > request.max_bytes - out.size();
    if (!too_much) append(out, as_bytes(chunk.data()));
  }
  if (too_much) context.TryCancel();
  const grpc::Status status = reader->Finish();
  if (too_much) {
    return fail_with("sends more than " + to_decimal(request.max_bytes) + " bytes");
  }
  if (!status.ok()) return fail_with(status.error_message());
  if (blake2_256(out) != request.hash) return fail_with("sends bytes with another hash");
  return out;
}

}  // namespace

bool location_is_valid(std::string_view location) {
  const auto colon = location.rfind(':');
  if (colon == std::string_view::npos || colon > kMaxHostLength) return false;
  const std::string_view digits = location.substr(colon + 1);
  if (digits.empty() || digits.size() > 5) return false;
  const auto port = parse_decimal(digits);
  const std::string_view host = location.substr(0, colon);
  return port && *port >= 1 && *port <= 65'535 && (host_is_plain(host) || host_is_ipv6(host));
}

Result<Bytes, Error> fetch_content(const FetchRequest& request, const std::stop_token& stop) {
  std::string tried;
  for (std::size_t i = 0; i < std::min(request.locations.size(), kMaxLocations); ++i) {
    const std::string& location = request.locations[i];
    if (stop.stop_requested()) return fail_with("fetching was stopped");
    Result<Bytes, Error> bytes = fail_with("is not a host:port");
    if (location_is_valid(location)) bytes = fetch_from(location, request, stop);
    if (bytes) return bytes;
    tried += (tried.empty() ? "" : "; ") + location + " " + bytes.error().message;
  }
  return fail_with("nobody gives the content " + to_hex_prefixed(request.hash) + ": " +
                   (tried.empty() ? "no place is named" : tried));
}

}  // namespace tally::content
