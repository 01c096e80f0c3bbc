// Typed storage items. A module declares its items once, as constants; keys, encoding and metadata
// follow from the declaration:
//
//   inline constexpr StorageMap<Blake2_128Concat, AccountId, AccountInfo> kAccount{
//       "System", "Account", Modifier::with_default, "Nonce and balances of an account."};
//
//   AccountInfo info = kAccount.get(ctx.state, who);         // AccountInfo{} when there is none
//   std::optional<Channel> c = kChannels.find(ctx.state, id);
//   kAccount.put(ctx.state, who, info);
//
//   auto entry = kAccount.at(ctx.state, who);                 // one lookup, then cheap:
//   entry.put(change(entry.get()));
//
// Key: twox128(module) ‖ twox128(item) ‖ hasher(SCALE(key))…, as Substrate's clients build it. A
// value is the exact SCALE encoding. Reads take any StateReader; writes take an Overlay. A stored
// value that does not decode is a bug (only this kit writes values), so it is asserted.
#pragma once

#include <array>
#include <cstring>
#include <optional>
#include <string_view>
#include <tuple>

#include "modules/support/overlay.hpp"
#include "modules/support/twox.hpp"
#include "primitives/assert.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally {

// A storage key, built in place without allocating.
class StorageKey {
 public:
  static constexpr std::size_t kMax = 256;

  explicit StorageKey(const std::array<std::uint8_t, 32>& prefix) { append(prefix); }
  void append(ByteView more) {
    TALLY_ASSERT(size_ + more.size() <= kMax);
    std::memcpy(bytes_.data() + size_, more.data(), more.size());
    size_ += more.size();
  }
  ByteView view() const { return {bytes_.data(), size_}; }
  operator ByteView() const { return view(); }

 private:
  std::size_t size_ = 0;
  std::array<std::uint8_t, kMax> bytes_;
};

// Hashers, with their numbers in the metadata. The first is for keys that users can choose.
struct Blake2_128Concat {
  static constexpr std::uint8_t kMetadataIndex = 2;
  static constexpr std::size_t kHashSize = 16;
  static void append(StorageKey& key, ByteView part) {
    key.append(blake2_128(part));
    key.append(part);
  }
};
struct Twox64Concat {
  static constexpr std::uint8_t kMetadataIndex = 5;
  static constexpr std::size_t kHashSize = 8;
  static void append(StorageKey& key, ByteView part) {
    key.append(twox_64(part));
    key.append(part);
  }
};

// What clients take for a key without value: nothing, or the type's default.
enum class Modifier : std::uint8_t { optional = 0, with_default = 1 };

namespace detail {

template <class Key>
constexpr bool is_id() {
  if constexpr (StrongBytes<Key>) return Key::kSize == 32;
  return false;
}

template <class Hasher, class Key>
void append_key(StorageKey& out, const Key& key) {
  if constexpr (StrongBytes<Key>) {
    Hasher::append(out, key.view());
  } else {
    Hasher::append(out, encode(key));
  }
}

template <class Value>
std::optional<Value> decode_stored(const std::optional<Bytes>& bytes) {
  if (!bytes) return std::nullopt;
  auto value = decode<Value>(*bytes);
  TALLY_ASSERT(value.ok());
  return *std::move(value);
}

template <class Value>
Bytes encode_stored(const Value& value) {
  Encoder out;
  out.reserve(min_size<Value>());
  encode_to(out, value);
  return std::move(out).take();
}

}  // namespace detail

// One value's place in an overlay: found once, then read and written without building its key
// again.
template <class Value>
class StorageEntry {
 public:
  StorageEntry(Overlay& state, Overlay::Slot slot) : state_(&state), slot_(slot) {}

  bool exists() const { return state_->read(slot_).has_value(); }
  std::optional<Value> find() const { return detail::decode_stored<Value>(state_->read(slot_)); }
  Value get() const { return find().value_or(Value{}); }
  void put(const Value& value) { state_->write(slot_, detail::encode_stored(value)); }
  void erase() { state_->write(slot_, std::nullopt); }
  friend bool same_place(const StorageEntry& a, const StorageEntry& b) {
    return a.slot_ == b.slot_;
  }

 private:
  Overlay* state_;
  Overlay::Slot slot_;
};

// The common part of all items; Keys... are pairs of hasher and key type.
template <class V, class Hashers, class... Ks>
struct StorageItem;

template <class V, class... Hs, class... Ks>
struct StorageItem<V, std::tuple<Hs...>, Ks...> {
  using Value = V;
  using Keys = std::tuple<Ks...>;
  using Hashers = std::tuple<Hs...>;

  // A map whose key is an account or another id of 32 bytes.
  static constexpr bool kByOneId = sizeof...(Ks) == 1 && (detail::is_id<Ks>() && ...);

  std::string_view module;
  std::string_view item;
  Modifier modifier;
  std::string_view docs;
  std::array<std::uint8_t, 32> prefix;

  constexpr StorageItem(std::string_view module_name, std::string_view item_name,
                        Modifier item_modifier, std::string_view item_docs)
      : module(module_name),
        item(item_name),
        modifier(item_modifier),
        docs(item_docs),
        prefix(twox::storage_prefix(module_name, item_name)) {}

  StorageKey key(const Ks&... keys) const {
    StorageKey out(prefix);
    (detail::append_key<Hs>(out, keys), ...);
    return out;
  }
  // The keys of an entry, if this storage key belongs to the item.
  std::optional<Keys> keys_of(ByteView storage_key) const {
    if (storage_key.size() < prefix.size() || !equal(storage_key.first(prefix.size()), prefix)) {
      return std::nullopt;
    }
    Decoder in(storage_key.subspan(prefix.size()));
    Keys keys;
    ByteView hash;
    const bool ok = std::apply(
        [&](auto&... part) {
          return ((in.take(Hs::kHashSize, hash) && decode_from(in, part)) && ...);
        },
        keys);
    if (!ok || in.remaining() != 0) return std::nullopt;
    return keys;
  }

  Overlay::Slot slot(const Overlay& state, const Ks&... keys) const {
    if constexpr (kByOneId) {
      if (const auto recent = state.recent(prefix.data(), keys.view()...)) return *recent;
      const Overlay::Slot found = state.slot(key(keys...));
      state.remember(prefix.data(), keys.view()..., found);
      return found;
    } else {
      return state.slot(key(keys...));
    }
  }
  StorageEntry<V> at(Overlay& state, const Ks&... keys) const {
    return {state, slot(state, keys...)};
  }
  std::optional<V> find(const StateReader& state, const Ks&... keys) const {
    return detail::decode_stored<V>(state.get(key(keys...)));
  }
  std::optional<V> find(const Overlay& state, const Ks&... keys) const {
    return detail::decode_stored<V>(state.read(slot(state, keys...)));
  }
  V get(const StateReader& state, const Ks&... keys) const {
    return find(state, keys...).value_or(V{});
  }
  V get(const Overlay& state, const Ks&... keys) const {
    return find(state, keys...).value_or(V{});
  }
  bool contains(const StateReader& state, const Ks&... keys) const {
    return state.get(key(keys...)).has_value();
  }
  bool contains(const Overlay& state, const Ks&... keys) const {
    return state.read(slot(state, keys...)).has_value();
  }
  void put(Overlay& state, const Ks&... keys, const V& value) const {
    state.write(slot(state, keys...), detail::encode_stored(value));
  }
  // For a writer that has the value's encoding at hand already.
  void put_encoded(Overlay& state, const Ks&... keys, Bytes value) const {
    state.put(key(keys...), std::move(value));
  }
  void erase(Overlay& state, const Ks&... keys) const {
    state.write(slot(state, keys...), std::nullopt);
  }
};

template <class V>
using StorageValue = StorageItem<V, std::tuple<>>;
template <class Hasher, class Key, class V>
using StorageMap = StorageItem<V, std::tuple<Hasher>, Key>;
template <class HasherA, class KeyA, class HasherB, class KeyB, class V>
using StorageDoubleMap = StorageItem<V, std::tuple<HasherA, HasherB>, KeyA, KeyB>;

}  // namespace tally
