// Changes on top of a state: reads fall through to the state below and are remembered, writes stay
// here, and nested transactions can be taken back.
//
//   Overlay overlay(parent);
//   overlay.begin();
//   overlay.put(key, value);
//   overlay.rollback();              // byte for byte what it was before begin()
//   StateChanges changes = overlay.changes();
//
// A key is looked up once and then known by its Slot: typed storage items read and write through
// slots without hashing the key again. Slots stay valid for the overlay's life. The lookup table is
// only ever asked, never walked, so its order shows nowhere.
//
// Contract: the state below outlives the overlay and does not change under it. begin() and
// commit()/rollback() pair up; changes() is asked outside of any transaction.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "modules/support/state.hpp"

namespace tally {

class Overlay final : public StateReader {
 public:
  enum class Slot : std::uint32_t {};

  // `seed` spreads the lookup table; pass something that nobody could know when choosing keys (the
  // parent's hash), so that keys cannot be chosen to collide. It has no influence on any result.
  explicit Overlay(const StateReader& below, std::uint64_t seed = 0);
  Overlay(const Overlay&) = delete;
  Overlay& operator=(const Overlay&) = delete;

  std::optional<Bytes> get(ByteView key) const override;
  void put(ByteView key, Bytes value) { write(slot(key), std::move(value)); }
  void erase(ByteView key) { write(slot(key), std::nullopt); }

  Slot slot(ByteView key) const;
  // Valid until the next call that changes the overlay.
  const std::optional<Bytes>& read(Slot slot) const;
  void write(Slot slot, std::optional<Bytes> value);

  void begin();
  void commit();
  void rollback();
  bool in_transaction() const { return !marks_.empty(); }

  // Keys whose value differs from the state below, in order.
  StateChanges changes() const;

  // The slot of `part`'s entry in the item with this prefix, if it was asked for lately. Saves
  // hashing the part again: a transfer touches the same account several times. `part` has 32 bytes;
  // the prefix is told from others by its address, so it is one that lives as long as the program.
  std::optional<Slot> recent(const std::uint8_t* prefix, ByteView part) const;
  void remember(const std::uint8_t* prefix, ByteView part, Slot slot) const;

 private:
  struct Entry {
    Bytes key;
    std::optional<Bytes> original;
    std::optional<Bytes> value;
    bool written = false;  // while false the value is `original`
  };
  struct Undo {
    std::uint32_t entry;
    bool written;
    std::optional<Bytes> value;
  };

  struct Recent {
    const std::uint8_t* prefix = nullptr;
    std::array<std::uint8_t, 32> part;
    Slot slot;
  };
  static constexpr std::size_t kRecent = 256;

  std::uint64_t hash(ByteView key) const;
  Recent& recent_place(ByteView part) const;
  void grow() const;

  const StateReader& below_;
  std::uint64_t seed_;
  // Reading remembers, which does not change what the overlay means.
  mutable std::vector<Entry> entries_;
  mutable std::vector<std::uint32_t> table_;  // entry + 1, 0 = free; a power of two long
  mutable std::vector<Recent> recent_;
  std::vector<Undo> undo_;
  std::vector<std::size_t> marks_;
};

// Takes back everything since it was made unless commit() was called.
class StateTransaction {
 public:
  explicit StateTransaction(Overlay& overlay) : overlay_(overlay) { overlay_.begin(); }
  StateTransaction(const StateTransaction&) = delete;
  StateTransaction& operator=(const StateTransaction&) = delete;
  ~StateTransaction() {
    if (!committed_) overlay_.rollback();
  }
  void commit() {
    overlay_.commit();
    committed_ = true;
  }

 private:
  Overlay& overlay_;
  bool committed_ = false;
};

}  // namespace tally
