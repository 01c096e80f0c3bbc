// RemoteSigner: the node's end of the signer's socket. A call blocks for kPatience at most; after
// one that failed nothing is asked again until the link is back, which a thread of its own tries
// every kRedial. `on_change` is called from that thread, or from the caller's, when the link comes
// or goes.
//
// The key is learnt at the first contact and kept in the data folder (`signer-key`), so that a node
// can start and follow while its signer is away. A signer with another key is not used.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "node/ports/signer.hpp"
#include "node/signer/protocol.hpp"

namespace tally::signer {

constexpr std::chrono::milliseconds kPatience{1'000};
constexpr std::chrono::milliseconds kRedial{500};

class RemoteSigner final : public ports::KeyHolder {
 public:
  struct Options {
    std::string socket;
    std::filesystem::path key_file;
    std::function<void()> on_change;
  };
  // Fails when the key is not known and the signer does not say it.
  static Result<std::unique_ptr<RemoteSigner>, Error> start(Options options);
  ~RemoteSigner() override;

  Ed25519Key consensus_key() const override { return key_; }
  std::optional<Ed25519Signature> try_sign(ByteView message) const override;
  std::optional<VrfProof> try_prove(ByteView alpha) const override;
  std::optional<std::string> away() const override;
  std::optional<std::string> refused() const override;

 private:
  explicit RemoteSigner(Options options) : options_(std::move(options)) {}
  std::optional<Answer> ask(const Request& request) const;
  struct Linked {
    Socket link;
    HelloAnswer hello;
  };
  Result<Linked, Error> dial() const;
  void keep_linked();

  Options options_;
  Ed25519Key key_;
  mutable std::mutex mutex_;
  mutable Socket link_;
  mutable std::string away_;  // why; empty while the link is up
  mutable std::optional<std::string> refused_;
  mutable std::condition_variable wake_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace tally::signer
