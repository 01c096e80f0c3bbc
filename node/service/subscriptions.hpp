// Who listens: to heads, and to what becomes of a transaction.
//
// Threads: subscribed from any thread, told from the core thread. A listener is called under a lock
// of its own, which its Subscription takes when it ends: after that it is not called again. A
// listener must not end its own subscription from within a call.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "node/ports/query.hpp"

namespace tally::service {

class Subscriptions {
 public:
  Subscriptions();
  ~Subscriptions();

  ports::SubscriptionPtr add_heads(ports::HeadListener listener);
  ports::SubscriptionPtr add_transaction(const Hash& extrinsic, ports::TxListener listener);

  void tell_head(ports::HeadKind kind, const ports::Head& head);
  void tell_transaction(const Hash& extrinsic, const ports::TxStatus& status);

 private:
  struct Board;
  class Entry;
  std::shared_ptr<Board> board_;  // shared with subscriptions, which may outlive the node
};

}  // namespace tally::service
