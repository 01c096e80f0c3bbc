#include "client-sdk/chain/connection.hpp"

#include "client-sdk/chain/grpc_log.hpp"
#include "primitives/codec/scale.hpp"

namespace tally::client {

namespace {

constexpr int kKeepaliveMs = 20'000;
constexpr int kReplyBytesMax = 16 * 1024 * 1024;
constexpr int kReconnectMsMax = 2'000;
constexpr std::uint32_t kMomentMs = 500;

// A stranger's words, as a terminal and JSON can take them.
std::string printable(std::string text) {
  const bool whole = detail::valid_utf8(text);
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !whole)) c = '?';
  }
  return text;
}

// What the server said of itself, or nothing when the failure is between us and it.
std::string code_of(const grpc::ClientContext& context) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find("tally-code");
  if (found == trailers.end()) return {};
  return printable({found->second.data(), found->second.size()});
}

ClientErrorKind kind_of(const std::string& code, grpc::StatusCode status) {
  if (code.starts_with("rejected/")) return ClientErrorKind::rejected;
  if (code == "not_found") return ClientErrorKind::not_found;
  if (code == "pruned") return ClientErrorKind::pruned;
  if (code == "invalid_argument" || code == "too_large") return ClientErrorKind::invalid;
  if (status == grpc::StatusCode::INVALID_ARGUMENT) return ClientErrorKind::invalid;
  if (status == grpc::StatusCode::CANCELLED) return ClientErrorKind::cancelled;
  return ClientErrorKind::unreachable;
}

}  // namespace

Connection::Connection(const ClientConfig& config) : config_(config) {
  silence_grpc_log();
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMsMax);
  arguments.SetMaxReceiveMessageSize(kReplyBytesMax);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  channel_ =
      grpc::CreateCustomChannel(config.endpoint, grpc::InsecureChannelCredentials(), arguments);
}

void Connection::let_reconnect() const {
  if (channel_->GetState(true) != GRPC_CHANNEL_TRANSIENT_FAILURE) return;
  channel_->WaitForStateChange(GRPC_CHANNEL_TRANSIENT_FAILURE, deadline(kMomentMs));
}

ClientError Connection::to_error(const grpc::ClientContext& context,
                                 const grpc::Status& status) const {
  const std::string code = code_of(context);
  const ClientErrorKind kind = kind_of(code, status.error_code());
  const std::string said = printable(status.error_message());
  if (!code.empty()) {
    std::string text = said;
    if (text.starts_with(code + ": ")) text.erase(0, code.size() + 2);
    return {kind, code.starts_with("rejected/") ? code.substr(9) : code, text};
  }
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return {ClientErrorKind::unreachable, "deadline",
            "the node at " + config_.endpoint + " did not answer in time"};
  }
  if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
    if (status.error_message().find("larger than max") != std::string::npos) {
      return {ClientErrorKind::invalid, "too_large",
              "expected a message within the bound of a call to " + config_.endpoint +
                  ", got a larger one (" + said + "): ask for less at once"};
    }
    return {kind, "busy",
            "the node at " + config_.endpoint + " has too many calls under way: try again later"};
  }
  if (kind == ClientErrorKind::unreachable) {
    return client_error(kind, "no node answers at " + config_.endpoint + " (" + said +
                                  "): start one, or name another with --node");
  }
  return client_error(kind, said);
}

}  // namespace tally::client
