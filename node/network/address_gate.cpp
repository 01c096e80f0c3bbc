#include "node/network/address_gate.hpp"

#include <algorithm>

#include "primitives/assert.hpp"

namespace tally::network {

AddressKey address_key(const boost::asio::ip::address& address) {
  AddressKey out;
  const bool mapped = address.is_v6() && address.to_v6().is_v4_mapped();
  if (address.is_v4() || mapped) {
    const auto v4 = address.is_v4() ? address.to_v4()
                                    : make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
    const auto bytes = v4.to_bytes();
    std::copy(bytes.begin(), bytes.end(), out.bytes.begin());
    return out;
  }
  const auto bytes = address.to_v6().to_bytes();
  std::copy_n(bytes.begin(), out.bytes.size(), out.bytes.begin());
  out.v6 = true;
  return out;
}

AddressGate::Entry& AddressGate::entry(const AddressKey& address, SteadyTime now) {
  const auto found = entries_.find(address);
  if (found != entries_.end()) return found->second;
  if (entries_.size() >= limits_.addresses_max) {
    // Those that would be the same when they come again; then any that has nothing under way.
    std::erase_if(entries_, [&](const auto& one) {
      return one.second.pending == 0 && one.second.starts.full(now);
    });
    for (auto it = entries_.begin();
         it != entries_.end() && entries_.size() >= limits_.addresses_max;) {
      it = it->second.pending == 0 ? entries_.erase(it) : std::next(it);
    }
  }
  return entries_.emplace(address, Entry{Budget(limits_.starts, now)}).first->second;
}

bool AddressGate::may_begin(const AddressKey& address, SteadyTime now) {
  return entry(address, now).starts.admit(now, 1);
}

std::optional<AddressKey> AddressGate::must_give_way(const AddressKey& address) const {
  const auto own = entries_.find(address);
  if (own != entries_.end() && own->second.pending >= limits_.pending_per_address_max) {
    return address;
  }
  if (pending_ < limits_.pending_max) return std::nullopt;
  const auto most = std::max_element(
      entries_.begin(), entries_.end(),
      [](const auto& a, const auto& b) { return a.second.pending < b.second.pending; });
  return most->first;
}

void AddressGate::begun(const AddressKey& address) {
  const auto found = entries_.find(address);
  TALLY_ASSERT(found != entries_.end());
  ++found->second.pending;
  ++pending_;
}

void AddressGate::ended(const AddressKey& address) {
  const auto found = entries_.find(address);
  TALLY_ASSERT(found != entries_.end() && found->second.pending > 0);
  --found->second.pending;
  --pending_;
}

void AddressGate::misbehaved(const AddressKey& address, SteadyTime now) {
  entry(address, now).starts.charge(now, limits_.misbehaviour_costs);
}

}  // namespace tally::network
