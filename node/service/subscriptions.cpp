#include "node/service/subscriptions.hpp"

#include <vector>

namespace tally::service {
namespace {

template <class... Arguments>
struct Listening {
  std::mutex mutex;
  std::function<void(Arguments...)> listener;  // empty once the subscription has ended

  void tell(Arguments... arguments) {
    const std::lock_guard lock(mutex);
    if (listener) listener(arguments...);
  }
  void end() {
    const std::lock_guard lock(mutex);
    listener = nullptr;
  }
};
using HeadListening = Listening<ports::HeadKind, const ports::Head&>;
using TxListening = Listening<const ports::TxStatus&>;

}  // namespace

struct Subscriptions::Board {
  mutable std::mutex mutex;
  std::set<std::shared_ptr<HeadListening>> heads;  // shared with their subscriptions
  std::multimap<Hash, std::shared_ptr<TxListening>> transactions;
};

class Subscriptions::Entry final : public ports::Subscription {
 public:
  Entry(std::shared_ptr<Board> board, std::shared_ptr<HeadListening> heads)
      : board_(std::move(board)), heads_(std::move(heads)) {}
  Entry(std::shared_ptr<Board> board, const Hash& extrinsic, std::shared_ptr<TxListening> tx)
      : board_(std::move(board)), extrinsic_(extrinsic), transaction_(std::move(tx)) {}

  ~Entry() override {
    if (heads_) heads_->end();
    if (transaction_) transaction_->end();
    const std::lock_guard lock(board_->mutex);
    if (heads_) board_->heads.erase(heads_);
    const auto [begin, end] = board_->transactions.equal_range(extrinsic_);
    for (auto it = begin; it != end; ++it) {
      if (it->second != transaction_) continue;
      board_->transactions.erase(it);
      break;
    }
  }

 private:
  std::shared_ptr<Board> board_;
  std::shared_ptr<HeadListening> heads_;
  Hash extrinsic_;
  std::shared_ptr<TxListening> transaction_;
};

Subscriptions::Subscriptions() : board_(std::make_shared<Board>()) {}
Subscriptions::~Subscriptions() = default;

ports::SubscriptionPtr Subscriptions::add_heads(ports::HeadListener listener) {
  auto entry = std::make_shared<HeadListening>();
  entry->listener = std::move(listener);
  const std::lock_guard lock(board_->mutex);
  board_->heads.insert(entry);
  return std::make_unique<Entry>(board_, entry);
}

ports::SubscriptionPtr Subscriptions::add_transaction(const Hash& extrinsic,
                                                      ports::TxListener listener) {
  auto entry = std::make_shared<TxListening>();
  entry->listener = std::move(listener);
  const std::lock_guard lock(board_->mutex);
  board_->transactions.emplace(extrinsic, entry);
  return std::make_unique<Entry>(board_, extrinsic, entry);
}

void Subscriptions::tell_head(ports::HeadKind kind, const ports::Head& head) {
  std::set<std::shared_ptr<HeadListening>> listening;
  {
    const std::lock_guard lock(board_->mutex);
    listening = board_->heads;
  }
  for (const auto& entry : listening) entry->tell(kind, head);
}

void Subscriptions::tell_transaction(const Hash& extrinsic, const ports::TxStatus& status) {
  const bool last = std::holds_alternative<ports::TxFinalized>(status) ||
                    std::holds_alternative<ports::TxRejected>(status) ||
                    std::holds_alternative<ports::TxExpired>(status);
  std::vector<std::shared_ptr<TxListening>> listening;
  {
    const std::lock_guard lock(board_->mutex);
    const auto [begin, end] = board_->transactions.equal_range(extrinsic);
    for (auto it = begin; it != end; ++it) listening.push_back(it->second);
    if (last) board_->transactions.erase(begin, end);
  }
  for (const auto& entry : listening) entry->tell(status);
}

}  // namespace tally::service
