// The signer process: holds a validator's keys and a mark of what they have signed, and serves one
// node at a time. It signs votes that the mark admits, claims and proofs of who is at the other end
// of a link, and VRF proofs; anything else it refuses with a reason.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "node/keystore/validator_keys.hpp"
#include "node/signer/mark.hpp"
#include "node/signer/protocol.hpp"

namespace tally::signer {

class SignerServer {
 public:
  // Called with each line for the operator: who connected, what was refused.
  using Say = std::function<void(const std::string&)>;
  SignerServer(keystore::ValidatorKeys keys, std::unique_ptr<SigningMark> mark, Say say)
      : keys_(std::move(keys)), mark_(std::move(mark)), say_(std::move(say)) {}

  Answer answer(const Request& request);

  // Serves until a byte can be read from `stop`. A second node is told that the signer is taken.
  void serve(const Socket& listener, int stop);

 private:
  Answer sign(ByteView message);
  Answer prove(ByteView alpha);
  bool serve_one(const Socket& client);
  void turn_away(const Socket& client);

  keystore::ValidatorKeys keys_;
  std::unique_ptr<SigningMark> mark_;
  Say say_;
};

}  // namespace tally::signer
