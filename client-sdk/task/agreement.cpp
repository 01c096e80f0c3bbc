#include "client-sdk/task/auth.hpp"
#include "client-sdk/task/offer.hpp"
#include "client-sdk/task/payload.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::task {

namespace {

std::string context(std::string_view what, const TaskRef& task) {
  return std::string(what) + "/" + to_hex(task.channel_id) + "/" + to_decimal(task.task_id);
}

Bytes auth_bytes(Role role, const AuthContext& context) {
  Bytes out = domain_tag("task-auth");
  append(out, context.genesis_hash);
  out.push_back(static_cast<std::uint8_t>(role));
  append(out, context.worker_leaf);
  append(out, context.requester_leaf);
  append(out, context.requester_nonce);
  append(out, context.worker_nonce);
  return out;
}

Bytes offer_bytes(const Hash& genesis_hash, ByteView offer) {
  Bytes out = domain_tag("worker-offer");
  append(out, genesis_hash);
  append(out, offer);
  return out;
}

}  // namespace

std::string task_context(const TaskRef& task) {
  return context("task", task);
}
std::string result_context(const TaskRef& task) {
  return context("result", task);
}

MultiSignature sign_offer(const KeyPair& worker, const Hash& genesis_hash, ByteView offer) {
  return worker.sign(offer_bytes(genesis_hash, offer));
}

bool offer_signature_is_valid(const AccountId& worker, const Hash& genesis_hash, ByteView offer,
                              const MultiSignature& signature) {
  return verify_offchain(worker, offer_bytes(genesis_hash, offer), signature).ok();
}

const TaskPrice* find_price(const WorkerOffer& offer, TaskType type) {
  for (const TaskPrice& price : offer.prices) {
    if (price.type == type) return &price;
  }
  return nullptr;
}

Nonce make_nonce() {
  Nonce nonce;
  const Secret random = Secret::generate();
  std::memcpy(nonce.data(), random.view().data(), nonce.size());
  return nonce;
}

MultiSignature sign_auth(const KeyPair& key, Role role, const AuthContext& context) {
  return key.sign(auth_bytes(role, context));
}

bool auth_is_valid(const AccountId& account, Role role, const AuthContext& context,
                   const MultiSignature& signature) {
  return verify_offchain(account, auth_bytes(role, context), signature).ok();
}

}  // namespace tally::task
