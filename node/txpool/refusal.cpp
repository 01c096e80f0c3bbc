#include "node/txpool/refusal.hpp"

#include "modules/system/storage.hpp"
#include "primitives/assert.hpp"
#include "primitives/ss58.hpp"
#include "runtime/version.hpp"

namespace tally::txpool {
namespace {

using runtime::InvalidTransaction;

template <class Variant>
struct Alternatives;
template <class... Ts>
struct Alternatives<std::variant<Ts...>> {
  static std::string names() {
    std::string out;
    ((out += (out.empty() ? "" : ", ") + std::to_string(Ts::kIndex) + " " + std::string(Ts::kName)),
     ...);
    return out;
  }
  static bool has(std::uint8_t index) { return ((Ts::kIndex == index) || ...); }
};
using Modules = Alternatives<runtime::RuntimeCall>;

std::string explain_call(const Bytes& call) {
  if (call.empty()) return "expected a call after the signature, got nothing";
  const std::string module = std::to_string(call[0]);
  if (!Modules::has(call[0])) {
    return "expected a call of one of the modules " + Modules::names() + ", got module " + module +
           ": make the call from this chain's metadata";
  }
  const auto decoded = decode<runtime::RuntimeCall>(call);
  return "expected a call of module " + module + " and its arguments, got bytes that are none (" +
         (decoded.ok() ? "" : to_text(decoded.error())) +
         "): make the call from this chain's metadata";
}

std::string explain_nonce(const char* expected, const runtime::Transaction& tx,
                          const system::Parent& parent) {
  const Nonce next = system::kAccount.get(parent.state, tx.signer).nonce;
  return "expected nonce " + to_decimal(next.value) + expected + " of " + to_ss58(tx.signer) +
         ", got " + to_decimal(tx.extra.nonce.value.value);
}

std::string explain_payment(const runtime::Transaction& tx, const system::Parent& parent) {
  const auto fee = runtime::TransactionValidator(parent).fee(tx);
  const Balance free = system::kAccount.get(parent.state, tx.signer).data.free;
  return "expected an account that can pay the fee of " + (fee.ok() ? to_text(*fee) : "too much") +
         " and the tip of " + to_text(tx.extra.tip.value) + ", got " + to_ss58(tx.signer) +
         " with " + to_text(free) + " free: add credits or tip less";
}

std::string explain_birth(const runtime::Transaction& tx, const system::Parent& parent) {
  const BlockNumber next = system::block_number(parent.state).next();
  return "expected a birth block among the " + to_decimal(system::kBlockHashCount) +
         " before block " + to_decimal(next.value) + ", got block " +
         to_decimal(tx.extra.era.birth(next).value) + ": sign again on a recent final block";
}

std::string explain_signature(const runtime::Transaction& tx, const system::Parent& parent) {
  const BlockNumber next = system::block_number(parent.state).next();
  const auto death = tx.extra.era.death(next);
  return "expected a signature of " + to_ss58(tx.signer) + " for genesis " +
         to_hex_prefixed(system::genesis_hash(parent)) + ", spec version " +
         std::to_string(runtime::kSpecVersion) + " and transaction version " +
         std::to_string(runtime::kTransactionVersion) +
         (death ? ", born in block " + to_decimal(tx.extra.era.birth(next).value) : "") +
         "; got one that does not hold for these: sign again" +
         (death ? " with this key for this chain, on a recent final block (it may be too old)"
                : " with this key for this chain");
}

}  // namespace

std::string explain_undecodable(ByteView extrinsic) {
  const auto decoded = decode_extrinsic(extrinsic);
  const std::string got = "got " + std::to_string(extrinsic.size()) + " bytes ";
  if (!decoded.ok()) {
    switch (decoded.error()) {
      case ExtrinsicError::bad_length:
        return "expected an extrinsic that begins with the length of the rest, " + got +
               "with another length or none: send all of it and nothing else";
      case ExtrinsicError::bad_version:
        return "expected an extrinsic of version 4, " + got + "of another version";
      case ExtrinsicError::bad_encoding:
        return "expected the signer, signature, era, nonce, tip and call of an extrinsic, " + got +
               "that do not decode as these: make it from this chain's metadata";
    }
    TALLY_ASSERT(false);
  }
  if (!decoded->signature) return "expected a signed extrinsic, got one without a signature";
  const auto* signer = std::get_if<AddressId>(&decoded->signature->signer);
  if (signer == nullptr || signer->account.is_zero()) {
    return "expected the signer's account id, got another kind of address or zeros";
  }
  return explain_call(decoded->call);
}

std::string explain(InvalidTransaction reason, const runtime::Transaction& tx,
                    const system::Parent& parent) {
  switch (reason) {
    case InvalidTransaction::call:
    case InvalidTransaction::bad_signer:
      return explain_undecodable(tx.bytes);
    case InvalidTransaction::payment:
      return explain_payment(tx, parent);
    case InvalidTransaction::future:
      return explain_nonce("", tx, parent) + ": send the ones before it first";
    case InvalidTransaction::stale:
      return explain_nonce(" or higher", tx, parent) + ": sign again with the next one";
    case InvalidTransaction::bad_proof:
      return explain_signature(tx, parent);
    case InvalidTransaction::ancient_birth_block:
      return explain_birth(tx, parent);
    case InvalidTransaction::exhausts_resources:
      return "expected a transaction that a block has room for, got one of " +
             std::to_string(tx.bytes.size()) + " bytes: split it";
  }
  TALLY_ASSERT(false);
  return {};
}

}  // namespace tally::txpool
