// What makes a header final for a client: the chain of trust, and the proof above the header.
#include <algorithm>

#include "client-sdk/chain/impl.hpp"

namespace tally::client {

ClientResult<Header> ChainClient::Impl::fetch_header(const proto::BlockAt& at) {
  proto::GetHeaderRequest request;
  *request.mutable_at() = at;
  const auto reply = TALLY_TRY(connection.call(*chain, &proto::Chain::Stub::GetHeader, request));
  auto header = decode<Header>(as_bytes(reply.scale()));
  if (!header.ok()) return fail(undecodable(header.error()));
  if (at.has_hash() && at.hash() != as_text(block_hash(*header))) {
    return fail(not_proved(Check::header,
                           "the header that came does not have the hash that was asked for"));
  }
  return *std::move(header);
}

ClientResult<ChainClient::Impl::FetchedProof> ChainClient::Impl::fetch_proof(
    const proto::BlockAt& at) {
  proto::GetFinalityProofRequest request;
  *request.mutable_at() = at;
  const auto reply =
      TALLY_TRY(connection.call(*chain, &proto::Chain::Stub::GetFinalityProof, request));
  auto proof = decode<FinalityProof>(as_bytes(reply.scale()));
  if (!proof.ok()) return fail(undecodable(proof.error()));
  if (reply.block().number() != proof->header.number.value.value ||
      reply.block().hash() != as_text(block_hash(proof->header))) {
    return fail(not_proved(Check::encoding,
                           "a finality proof came under the number or hash of another block"));
  }
  return FetchedProof{*std::move(proof), Connection::size_of(reply)};
}

ClientResult<void> ChainClient::Impl::learn(BlockNumber wanted, Epoch on_the_way_to) {
  const auto step = fetch_proof(at_number(wanted));
  if (!step.ok()) {
    ClientError error = step.error();
    const bool denied =
        error.kind == ClientErrorKind::not_found || error.kind == ClientErrorKind::pruned;
    if (!denied) return fail(std::move(error));
    return fail(not_proved(Check::epoch_proof,
                           "the node shows a block of epoch " +
                               std::to_string(on_the_way_to.value) + " and has no proof of block " +
                               std::to_string(wanted.value) + ", the end of an epoch before (" +
                               error.message + ")"));
  }
  const std::size_t signatures = step->proof.finalization.signatures.size();
  EpochLearnt told{{}, wanted, 0, false, signatures, step->bytes};
  {
    const std::lock_guard lock(mutex);
    if (trust.wanted_for(on_the_way_to) != wanted) return {};  // another thread learnt it meanwhile
    const auto learnt = trust.learn(step->proof);
    if (!learnt.ok()) {
      ClientError error = client_error(ClientErrorKind::not_proved, learnt.error().message);
      error.check = Check::epoch_proof;
      return fail(std::move(error));
    }
    connection.count_signatures(signatures);
    told.epoch = learnt->epoch;
    told.validators = learnt->validators;
    told.set_changed = learnt->set_changed;
  }
  if (connection.config().on_epoch) connection.config().on_epoch(told);
  return {};
}

ClientResult<FinalHead> ChainClient::Impl::prove(const FinalityProof& proof) {
  const auto epoch = epoch_of(proof.header);
  if (!epoch) {
    return fail(not_proved(Check::finality, "a header came without its consensus digest"));
  }
  for (;;) {
    std::optional<BlockNumber> wanted;
    {
      const std::lock_guard lock(mutex);
      TALLY_TRY(check_age(trust));
      wanted = trust.wanted_for(*epoch);
    }
    if (!wanted) break;
    TALLY_TRY(learn(*wanted, *epoch));
  }
  const std::lock_guard lock(mutex);
  if (*epoch < trust.known_from()) {
    if (const auto found = known_locked(block_hash(proof.header))) return *found;
    return fail(
        before_trust(connection.config().endpoint, proof.header.number.value, trust.known_from()));
  }
  const auto verified = trust.verify(proof);
  if (!verified.ok()) {
    ClientError error = client_error(ClientErrorKind::not_proved, verified.error().message);
    error.check = Check::finality;
    return fail(std::move(error));
  }
  connection.count_signatures(proof.finalization.signatures.size());
  const FinalHead head{proof.header.number.value, block_hash(proof.header), proof.header};
  remember(head);
  return head;
}

ClientResult<FinalHead> ChainClient::Impl::prove_at(const proto::BlockAt& at) {
  const Header header = TALLY_TRY(fetch_header(at));
  const Hash hash = block_hash(header);
  if (hash == trust.root().genesis_hash) return FinalHead{BlockNumber(0), hash, header};
  if (const auto head = known(hash)) return *head;
  const FetchedProof fetched = TALLY_TRY(fetch_proof(at_hash(hash)));
  if (block_hash(fetched.proof.header) != hash) {
    return fail(not_proved(Check::finality, "the finality proof that came is of another block"));
  }
  return prove(fetched.proof);
}

ClientResult<void> ChainClient::Impl::check_fresh(const FinalHead& head, TimestampMs newest_before,
                                                  DurationMs max_age) const {
  const auto digest = consensus_digest(head.header);
  const TimestampMs made = digest ? digest->time : trust.root().genesis_time;
  const TimestampMs against = std::max(now(), newest_before);
  if (against.value <= made.value + max_age.value) return {};
  return fail(ClientError{
      ClientErrorKind::not_proved, "stale",
      "the newest final block that the node at " + connection.config().endpoint + " shows, " +
          std::to_string(head.number.value) + ", is " +
          std::to_string((against.value - made.value) / 1'000) + " s old, and at most " +
          std::to_string(max_age.value / 1'000) +
          " s were allowed: the node is behind or hides newer blocks, or the chain stands still; "
          "ask another node, and see that this machine's clock is right",
      Check::freshness});
}

ClientResult<FinalHead> ChainClient::newest(std::optional<DurationMs> max_age) {
  TimestampMs before;
  {
    const std::lock_guard lock(impl_->mutex);
    before = impl_->trust.newest();
  }
  const auto prove = [&]() -> ClientResult<FinalHead> {
    const auto fetched = impl_->fetch_proof({});
    if (fetched.ok()) return impl_->prove(fetched->proof);
    // Genesis, which is final by definition, has none.
    if (fetched.error().kind == ClientErrorKind::not_found) return impl_->prove_at({});
    return fail(fetched.error());
  };
  FinalHead head = TALLY_TRY(prove());
  if (max_age) TALLY_TRY(impl_->check_fresh(head, before, *max_age));
  return head;
}

}  // namespace tally::client
