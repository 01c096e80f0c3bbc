// How the two ends of a task stream prove their accounts: rpc/proto/task.proto has the layout.
#pragma once

#include <array>

#include "primitives/crypto/sign.hpp"
#include "primitives/ids.hpp"

namespace tally::task {

using Nonce = std::array<std::uint8_t, 32>;
using LeafHash = std::array<std::uint8_t, 32>;  // sha256 of a certificate's DER

enum class Role : std::uint8_t { requester = 0, worker = 1 };

// What both ends know once the hellos are exchanged.
struct AuthContext {
  Hash genesis_hash;
  LeafHash worker_leaf{};
  LeafHash requester_leaf{};
  Nonce requester_nonce{};
  Nonce worker_nonce{};
};

Nonce make_nonce();
MultiSignature sign_auth(const KeyPair& key, Role role, const AuthContext& context);
bool auth_is_valid(const AccountId& account, Role role, const AuthContext& context,
                   const MultiSignature& signature);

}  // namespace tally::task
