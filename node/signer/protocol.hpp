// What a node and its signer process say to each other, over a Unix socket of mode 0600, or 0660
// where a group may connect: requests and answers in turn, each a frame of length u32 (little
// endian) ‖ SCALE. The node asks for bytes to be signed; the signer reads what they are and signs
// nothing that it does not know.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include "primitives/codec/describe.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/crypto/sign.hpp"
#include "primitives/crypto/vrf.hpp"

namespace tally::signer {

constexpr std::size_t kMaxFrame = 4'096;
constexpr std::uint32_t kProtocolVersion = 1;

struct HelloRequest {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "Hello";
  std::uint32_t version{};
};
TALLY_DESCRIBE(HelloRequest, version);

struct SignRequest {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "Sign";
  Bytes message;
};
TALLY_DESCRIBE(SignRequest, message);

struct ProveRequest {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "Prove";
  Bytes alpha;
};
TALLY_DESCRIBE(ProveRequest, alpha);

using Request = std::variant<HelloRequest, SignRequest, ProveRequest>;

struct HelloAnswer {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "Hello";
  Ed25519Key consensus_key;
  VrfKey vrf_key;
};
TALLY_DESCRIBE(HelloAnswer, consensus_key, vrf_key);

struct SignAnswer {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "Signed";
  Ed25519Signature signature;
};
TALLY_DESCRIBE(SignAnswer, signature);

struct ProveAnswer {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "Proved";
  VrfProof proof;
};
TALLY_DESCRIBE(ProveAnswer, proof);

struct Refusal {
  static constexpr std::uint8_t kIndex = 3;
  static constexpr std::string_view kName = "Refused";
  std::string reason;
};
TALLY_DESCRIBE(Refusal, reason);

using Answer = std::variant<HelloAnswer, SignAnswer, ProveAnswer, Refusal>;

// A connected socket, closed at the end.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int file) : file_(file) {}
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;

  bool open() const { return file_ >= 0; }
  int file() const { return file_; }
  // False, or nothing, when the other end is gone, says nonsense or takes too long.
  bool send(ByteView content) const;
  std::optional<Bytes> receive() const;
  // Of every later send and receive.
  void limit(std::chrono::milliseconds patience) const;

 private:
  int file_ = -1;
};

// Errors name the path and what to do.
Result<Socket, Error> connect_unix(const std::string& path);
// Only this user may connect, and the members of `group`, where one is given.
Result<Socket, Error> listen_unix(const std::string& path, std::optional<gid_t> group = {});
Result<gid_t, Error> group_of(const std::string& name);

}  // namespace tally::signer
