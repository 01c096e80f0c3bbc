// Who may begin a handshake. A handshake costs signatures and memory before anything is known of
// the other side but its address, so addresses are what is limited: each may begin so many a second
// and have so many under way, and when all places are taken, the address that has most of them
// gives one up. One address can so neither exhaust the node nor keep others out.
//
// An address is an IPv4 address, or the /64 of an IPv6 address, which is what one customer has.
// Memory: at most `addresses_max` addresses are remembered.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <map>
#include <optional>

#include "node/network/budget.hpp"

namespace tally::network {

struct GateLimits {
  std::size_t pending_max = 64;
  std::size_t pending_per_address_max = 16;
  Rate starts{16, 64};  // of one address
  std::int64_t misbehaviour_costs = 32;
  std::size_t addresses_max = 4096;
};

struct AddressKey {
  std::array<std::uint8_t, 8> bytes{};
  bool v6 = false;
  friend auto operator<=>(const AddressKey&, const AddressKey&) = default;
};
AddressKey address_key(const boost::asio::ip::address& address);

class AddressGate {
 public:
  explicit AddressGate(const GateLimits& limits) : limits_(limits) {}

  // False: too many lately from there, and the connection is to be closed at once.
  bool may_begin(const AddressKey& address, SteadyTime now);
  // Whose oldest handshake gives way to one more from `address`; nothing: there is room.
  std::optional<AddressKey> must_give_way(const AddressKey& address) const;
  void begun(const AddressKey& address);
  void ended(const AddressKey& address);
  // A peer from there broke the rules.
  void misbehaved(const AddressKey& address, SteadyTime now);
  std::size_t pending() const { return pending_; }
  std::size_t addresses() const { return entries_.size(); }

 private:
  struct Entry {
    Budget starts;
    std::size_t pending = 0;
  };
  Entry& entry(const AddressKey& address, SteadyTime now);

  GateLimits limits_;
  std::map<AddressKey, Entry> entries_;
  std::size_t pending_ = 0;
};

}  // namespace tally::network
