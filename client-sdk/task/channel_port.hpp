// What a task stream needs of the channel party, at either end. The stream carries the party's
// messages and tells it what was earned or bought; it knows nothing of states and versions.
//
// Calls may come from several threads.
#pragma once

#include <functional>

#include "client-sdk/task/receipt.hpp"
#include "primitives/balance.hpp"
#include "primitives/ids.hpp"
#include "primitives/result.hpp"

namespace tally::task {

using SendChannelMessage = std::function<void(Bytes)>;

// A peer's connection, as the party sees it.
class PeerPort {
 public:
  virtual ~PeerPort() = default;
  // `send` stays valid until peer_gone for the same connection number has returned.
  virtual void peer_connected(const AccountId& peer, std::uint64_t connection,
                              SendChannelMessage send) = 0;
  virtual void peer_gone(const AccountId& peer, std::uint64_t connection) = 0;
  // The error says why the message is refused; the stream goes on.
  virtual Result<void, Error> peer_message(const AccountId& peer, ByteView message) = 0;
};

// The requester's side.
class PayerPort : public PeerPort {
 public:
  // Offers a state that pays `receipt.price`, less what was paid ahead, and adds the receipt; waits
  // while the window is full. A task is paid once, however often this is called for it.
  virtual Result<void, Error> pay(const SignedReceipt& receipt) = 0;
  // Brings what is paid ahead in the channel up to this much: with one task at a time, never more
  // than one prepayment is out.
  virtual Result<void, Error> pay_ahead(const ChannelId& channel, Balance price) = 0;
};

// The worker's side.
struct EarnerStanding {
  Balance received;   // by states that the worker holds and could claim
  Balance earned;     // prices of the receipts that it issued in this channel
  Balance spendable;  // what the requester can still pay in this channel
};

class EarnerPort : public PeerPort {
 public:
  // The error says why no work is done in this channel: unknown, not open, not with this requester.
  virtual Result<EarnerStanding, Error> standing(const ChannelId& channel,
                                                 const AccountId& requester) = 0;
  // Called before a receipt leaves.
  virtual Result<void, Error> issued(const SignedReceipt& receipt) = 0;
  // The callback hears of every growth of what a channel has given in all, from any thread; it
  // calls nothing of this port. An empty one takes it away.
  virtual void on_paid(std::function<void(const ChannelId&, Balance received)> callback) = 0;
};

}  // namespace tally::task
