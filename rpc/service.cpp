#include "rpc/service.hpp"

#include <thread>

namespace tally::rpc {

grpc::Status make_status(grpc::ServerContext& context, grpc::StatusCode status,
                         std::string_view code, std::string_view text) {
  context.AddTrailingMetadata("tally-code", std::string(code));
  return {status, std::string(code) + ": " + std::string(text)};
}

grpc::Status invalid_argument(grpc::ServerContext& context, std::string_view text) {
  return make_status(context, grpc::StatusCode::INVALID_ARGUMENT, "invalid_argument", text);
}

grpc::Status too_large(grpc::ServerContext& context, std::string_view text) {
  return make_status(context, grpc::StatusCode::INVALID_ARGUMENT, "too_large", text);
}

grpc::Status to_status(grpc::ServerContext& context, const ports::QueryError& error) {
  switch (error.code) {
    case ports::QueryErrorCode::not_found:
      return make_status(context, grpc::StatusCode::NOT_FOUND, "not_found", error.message);
    case ports::QueryErrorCode::pruned:
      return make_status(context, grpc::StatusCode::FAILED_PRECONDITION, "pruned", error.message);
    case ports::QueryErrorCode::unavailable:
      return make_status(context, grpc::StatusCode::UNAVAILABLE, "unavailable", error.message);
  }
  TALLY_ASSERT(false && "a query error outside its enumeration");
}

std::string_view name_of(ports::RejectCode code) {
  for (const auto& entry : tally_describe_enum(code)) {
    if (entry.value == code) return entry.name;
  }
  TALLY_ASSERT(false && "a reject code outside its enumeration");
}

grpc::Status to_status(grpc::ServerContext& context, const ports::Rejection& rejection) {
  return make_status(context, grpc::StatusCode::FAILED_PRECONDITION,
                     "rejected/" + std::string(name_of(rejection.code)), rejection.reason);
}

grpc::Status too_many_streams(grpc::ServerContext& context) {
  return make_status(context, grpc::StatusCode::RESOURCE_EXHAUSTED, "too_many_streams",
                     "every subscription of this node, or of this address, is taken: close one, or "
                     "try again later");
}

grpc::Status slow_consumer(grpc::ServerContext& context) {
  return make_status(context, grpc::StatusCode::RESOURCE_EXHAUSTED, "slow_consumer",
                     "the stream was read too slowly and entries were lost: subscribe again");
}

grpc::Status beyond_next(grpc::ServerContext& context, BlockNumber from) {
  return invalid_argument(context, "from_number may be at most the next block to become final; " +
                                       std::to_string(from.value) + " is beyond it");
}

grpc::Status stream_ended(grpc::ServerContext& context, const Streams& streams) {
  if (streams.stopping()) {
    return make_status(context, grpc::StatusCode::UNAVAILABLE, "unavailable",
                       "the node is shutting down: subscribe again later or elsewhere");
  }
  return {grpc::StatusCode::CANCELLED, "the client ended the stream"};
}

std::unique_ptr<Streams::Slot> Streams::open(grpc::ServerContext& context) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || entries_.size() >= config_.streams_max) return nullptr;
  const ClientKey client = client_key(context.peer());
  if (!clients_.open_stream(client)) return nullptr;
  entries_.push_back({&context, client, std::nullopt});
  return std::make_unique<Slot>(*this, std::prev(entries_.end()));
}

void Streams::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
}

bool Streams::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

std::size_t Streams::count() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

void Streams::cut_off_stuck() {
  const auto limit = Clock::now() - std::chrono::milliseconds(config_.write_timeout_ms);
  const std::lock_guard lock(mutex_);
  for (Entry& entry : entries_) {
    if (entry.write_began && *entry.write_began < limit) entry.context->TryCancel();
  }
}

Streams::Slot::~Slot() {
  const std::lock_guard lock(streams_.mutex_);
  streams_.clients_.close_stream(entry_->client);
  streams_.entries_.erase(entry_);
}

bool Streams::Slot::pace(std::size_t bytes) {
  streams_.clients_.charge(entry_->client, cost::kCall + cost::of_bytes(bytes));
  while (alive()) {
    const network::Milliseconds wait = streams_.clients_.wait(entry_->client);
    if (wait.count() == 0) return true;
    std::this_thread::sleep_for(std::min<std::chrono::milliseconds>(wait, kStreamPoll));
  }
  return false;
}

bool Streams::Slot::alive() const {
  return !streams_.stopping() && !entry_->context->IsCancelled();
}

void Streams::Slot::mark(std::optional<Clock::time_point> began) {
  const std::lock_guard lock(streams_.mutex_);
  entry_->write_began = began;
}

FinalizedWalk::FinalizedWalk(ports::Query& query, std::optional<BlockNumber> from) {
  subscription_ = query.subscribe_heads([this](ports::HeadKind kind, const ports::Head& head) {
    if (kind != ports::HeadKind::finalized) return;
    const std::lock_guard lock(mutex_);
    finalized_ = std::max(finalized_, head.block.number);
    ready_.notify_one();
  });
  const BlockNumber finalized = query.heads().finalized.number;
  const std::lock_guard lock(mutex_);
  finalized_ = std::max(finalized_, finalized);
  next_ = from ? *from : finalized.next();
  started_too_high_ = finalized_.next() < next_;
}

bool FinalizedWalk::wait() {
  std::unique_lock lock(mutex_);
  return ready_.wait_for(lock, kStreamPoll, [&] { return next_ <= finalized_; });
}

}  // namespace tally::rpc
