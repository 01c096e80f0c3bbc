// Signing and submitting: the part of ChainClient that changes something.
#include "client-sdk/chain/events.hpp"
#include "client-sdk/chain/impl.hpp"

namespace tally::client {

namespace {

ClientResult<TxInBlock> to_place(const proto::TransactionStatus::InBlock& at) {
  const auto hash = Hash::from(as_bytes(at.block().hash()));
  if (!hash) {
    return fail(client_error(ClientErrorKind::not_proved, "a block hash of the wrong length came"));
  }
  return TxInBlock{BlockNumber(at.block().number()), *hash, at.index()};
}

ClientError rejected(const proto::TransactionStatus::Rejected& status) {
  return {ClientErrorKind::rejected, status.code(), status.reason()};
}

ClientError expired(const proto::TransactionStatus::Expired& status) {
  return client_error(ClientErrorKind::expired,
                      "the transaction could only be included before block " +
                          std::to_string(status.death_number()) +
                          " and was not; it never will be: sign and send it again");
}

}  // namespace

ClientResult<Nonce> ChainClient::next_nonce(const AccountId& account) {
  proto::GetNextNonceRequest request;
  request.set_account(to_proto(account));
  const auto reply = TALLY_TRY(
      impl_->connection.call(*impl_->author, &proto::Author::Stub::GetNextNonce, request));
  return Nonce(reply.nonce());
}

ClientResult<SignedExtrinsic> ChainClient::sign(const KeyPair& key, const Bytes& call,
                                                const SubmitOptions& options) {
  const FinalHead head = TALLY_TRY(finalized());
  SignedExtra extra;
  Hash birth_hash = root().genesis_hash;
  if (options.mortality_blocks != 0) {
    extra.era = Era::mortal(options.mortality_blocks, head.number);
    const BlockNumber birth = extra.era.birth(head.number);
    const FinalHead born = TALLY_TRY(finalized_at(birth));
    birth_hash = born.hash;
  }
  extra.nonce.value = options.nonce ? *options.nonce : TALLY_TRY(next_nonce(key.account()));
  extra.tip = {options.tip};
  const SignedAdditional additional{version().spec_version, version().transaction_version,
                                    root().genesis_hash, birth_hash};
  return SignedExtrinsic{sign_extrinsic(key, call, extra, additional), head.number};
}

ClientResult<TxOutcome> ChainClient::submit(const KeyPair& key, const Bytes& call,
                                            const SubmitOptions& options) {
  const SignedExtrinsic made = TALLY_TRY(sign(key, call, options));
  SubmitOptions with = options;
  with.above = std::max(options.above, made.above);
  return submit_signed(made.bytes, with);
}

ClientResult<TxOutcome> ChainClient::submit_signed(const Bytes& extrinsic,
                                                   const SubmitOptions& options) {
  using std::chrono::steady_clock;
  const auto began = steady_clock::now();
  const Hash hash = extrinsic_hash(extrinsic);
  grpc::ClientContext context;
  context.set_deadline(Connection::deadline(impl_->connection.config().submit_deadline_ms));
  const std::stop_callback cancel(options.stop, [&] { context.TryCancel(); });
  proto::SubmitRequest request;
  request.set_extrinsic(to_proto(extrinsic));
  const auto reader = impl_->author->SubmitAndWatch(&context, request);
  const auto report = [&](const TxProgress& progress) {
    if (options.on_progress) options.on_progress(hash, progress);
  };

  proto::TransactionStatus status;
  while (reader->Read(&status)) {
    if (status.has_rejected()) return fail(rejected(status.rejected()));
    if (status.has_expired()) return fail(expired(status.expired()));
    if (status.has_ready()) report(TxPending{});
    if (status.has_in_block()) {
      const TxInBlock place = TALLY_TRY(to_place(status.in_block()));
      report(place);
    }
    if (!status.has_finalized()) continue;
    const TxInBlock at = TALLY_TRY(to_place(status.finalized()));
    const FinalHead head = TALLY_TRY(impl_->prove_inclusion(hash, at));
    // Who served long ago could sign a block of a height of that time, with this transaction.
    if (head.number <= options.above) {
      return fail(not_proved(Check::extrinsics, "the transaction was signed above block " +
                                                    std::to_string(options.above.value) +
                                                    ", and the node says that it is in block " +
                                                    std::to_string(head.number.value)));
    }
    const auto elapsed = steady_clock::now() - began;
    TxOutcome outcome;
    outcome.extrinsic_hash = hash;
    outcome.at = at;
    outcome.finality_ms = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count());
    auto told = events(head);
    if (!told.ok()) {
      ClientError error = told.error();
      error.message = "the transaction " + to_hex_prefixed(hash) + " is final in block " +
                      std::to_string(at.number.value) +
                      ", and what came of it is not proved: " + error.message;
      return fail(std::move(error));
    }
    outcome.events = *std::move(told);
    outcome.failure = TALLY_TRY(dispatch_failure(outcome.events, at.index));
    return outcome;
  }
  const grpc::Status end = reader->Finish();
  if (options.stop.stop_requested()) {
    return fail(client_error(ClientErrorKind::cancelled, "stopped while waiting; the transaction " +
                                                             to_hex_prefixed(hash) +
                                                             " may still be included"));
  }
  ClientError error = impl_->connection.to_error(context, end);
  if (error.kind == ClientErrorKind::invalid) return fail(error);
  error.message += "; the transaction " + to_hex_prefixed(hash) + " may still be included";
  return fail(error);
}

}  // namespace tally::client
