// SCALE, the encoding of every structure on the wire and in the state. Strict: a decoder accepts
// exactly one encoding of a value.
//
//   Bytes bytes = encode(header);
//   Header header = TALLY_TRY(decode<Header>(bytes));    // trailing bytes are an error
//
// Encoded are: integers (little endian), bool, Compact<T>, strong integers and bytes, Balance,
// std::string (UTF-8), std::vector, BoundedVec, std::array, std::optional, std::pair, std::tuple,
// std::map and std::set (strictly ascending), std::variant (alternatives with kIndex), described
// structs and enums. No allocation is sized by a length field: a length must fit what is left of
// the input, and a BoundedVec's bound is checked before the first element.
//
// Source: Substrate's SCALE codec; the refusals beyond it are those of docs/protocol.md.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "primitives/balance.hpp"
#include "primitives/bounded.hpp"
#include "primitives/bytes.hpp"
#include "primitives/codec/describe.hpp"
#include "primitives/result.hpp"
#include "primitives/strong.hpp"

namespace tally {

enum class DecodeErrorCode : std::uint8_t {
  unexpected_end,
  trailing_bytes,
  bad_bool,
  bad_option,
  bad_variant,
  not_minimal,
  out_of_range,
  too_long,
  not_sorted,
  bad_utf8,
  bad_value,
};
TALLY_DESCRIBE_ENUM(DecodeErrorCode, unexpected_end, trailing_bytes, bad_bool, bad_option,
                    bad_variant, not_minimal, out_of_range, too_long, not_sorted, bad_utf8,
                    bad_value);

struct DecodeError {
  DecodeErrorCode code{};
  std::size_t offset{};  // of the first byte that could not be accepted
  friend bool operator==(const DecodeError&, const DecodeError&) = default;
};

std::string to_text(const DecodeError& error);

// A value written in SCALE's compact form.
template <class T>
struct Compact {
  T value{};
  friend bool operator==(const Compact&, const Compact&) = default;
};

class Encoder {
 public:
  void raw(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  void byte(std::uint8_t b) { out_.push_back(b); }
  void compact(u128 value);
  void reserve(std::size_t n) { out_.reserve(n); }
  // Takes back everything after the first n bytes.
  void cut_to(std::size_t n) { out_.resize(n); }
  Bytes take() && { return std::move(out_); }
  const Bytes& bytes() const { return out_; }

 private:
  Bytes out_;
};

// Reads from the front; after the first error every further read fails and the error stays.
class Decoder {
 public:
  explicit Decoder(ByteView in) : in_(in) {}

  std::size_t remaining() const { return in_.size() - at_; }
  std::size_t offset() const { return at_; }
  bool failed() const { return error_.has_value(); }
  const DecodeError& error() const { return TALLY_ASSERT(failed()), *error_; }

  bool fail(DecodeErrorCode code) {
    if (!error_) error_ = DecodeError{code, at_};
    return false;
  }
  bool take(std::size_t n, ByteView& out) {
    if (failed() || remaining() < n) return fail(DecodeErrorCode::unexpected_end);
    out = in_.subspan(at_, n);
    at_ += n;
    return true;
  }
  bool byte(std::uint8_t& out) {
    if (failed() || remaining() < 1) return fail(DecodeErrorCode::unexpected_end);
    out = in_[at_++];
    return true;
  }
  // Minimal compact of at most `max`.
  bool compact(u128& out, u128 max);
  // A length of at most `max_items`, each of which takes at least `item_min` bytes of what is left.
  bool length(std::size_t& out, std::size_t max_items, std::size_t item_min);

 private:
  ByteView in_;
  std::size_t at_ = 0;
  std::optional<DecodeError> error_;
};

// Specialised for each kind of type: kMinSize, encode, decode (false once the decoder has failed).
template <class T>
struct Codec;

template <class T>
void encode_to(Encoder& out, const T& value) {
  Codec<T>::encode(out, value);
}
template <class T>
bool decode_from(Decoder& in, T& value) {
  return Codec<T>::decode(in, value);
}

template <class T>
Bytes encode(const T& value) {
  Encoder out;
  encode_to(out, value);
  return std::move(out).take();
}

// The whole input must be one T.
template <class T>
Result<T, DecodeError> decode(ByteView bytes) {
  Decoder in(bytes);
  T value{};
  if (!decode_from(in, value)) return fail(in.error());
  if (in.remaining() != 0) return fail(DecodeError{DecodeErrorCode::trailing_bytes, in.offset()});
  return value;
}

namespace detail {

template <class T>
concept Integer = std::is_same_v<T, std::uint8_t> || std::is_same_v<T, std::uint16_t> ||
    std::is_same_v<T, std::uint32_t> || std::is_same_v<T, std::uint64_t> ||
    std::is_same_v<T, std::int8_t> || std::is_same_v<T, std::int16_t> ||
    std::is_same_v<T, std::int32_t> || std::is_same_v<T, std::int64_t> || std::is_same_v<T, u128> ||
    std::is_same_v<T, i128>;

template <class T>
concept StrongInteger = requires(T t) {
  typename T::Underlying;
  requires std::is_base_of_v<typename T::Base, T>;
  requires sizeof(T) == sizeof(t.value);
};

template <class T>
concept StrongBytes = requires(T t) {
  T::kSize;
  requires sizeof(T) == T::kSize;
  t.bytes;
};

template <class T>
struct CompactTraits;
template <Integer T>
struct CompactTraits<T> {
  static constexpr u128 kMax =
      std::is_same_v<T, u128> ? ~u128{0} : ((u128{1} << (8 * (sizeof(T) % 16))) - 1);
  static u128 get(T v) { return v; }
  static T make(u128 v) { return static_cast<T>(v); }
};
template <StrongInteger T>
struct CompactTraits<T> {
  static constexpr u128 kMax = CompactTraits<typename T::Underlying>::kMax;
  static u128 get(T v) { return v.value; }
  static T make(u128 v) { return T(static_cast<typename T::Underlying>(v)); }
};
template <>
struct CompactTraits<Balance> {
  static constexpr u128 kMax = ~u128{0};
  static u128 get(Balance v) { return v.micro; }
  static Balance make(u128 v) { return Balance(v); }
};

template <class T>
constexpr std::size_t min_size() {
  return Codec<T>::kMinSize;
}

bool valid_utf8(std::string_view text);

template <std::uint8_t... Index>
constexpr bool all_different() {
  bool seen[256] = {};
  for (const std::uint8_t index : {Index...}) {
    if (seen[index]) return false;
    seen[index] = true;
  }
  return true;
}

template <class Container>
void encode_items(Encoder& out, const Container& items) {
  out.compact(items.size());
  for (const auto& item : items) encode_to(out, item);
}

template <class T>
bool decode_items(Decoder& in, std::vector<T>& items, std::size_t max_items) {
  static_assert(min_size<T>() > 0, "a list of nothing has no bound on its length");
  std::size_t n = 0;
  if (!in.length(n, max_items, min_size<T>())) return false;
  items.clear();
  if constexpr (std::is_same_v<T, std::uint8_t>) {
    ByteView view;
    if (!in.take(n, view)) return false;
    items.assign(view.begin(), view.end());
    return true;
  }
  for (std::size_t i = 0; i < n; ++i) {
    T item{};
    if (!decode_from(in, item)) return false;
    items.push_back(std::move(item));
  }
  return true;
}

}  // namespace detail

template <detail::Integer T>
struct Codec<T> {
  static constexpr std::size_t kMinSize = sizeof(T);
  static void encode(Encoder& out, T value) {
    static_assert(std::endian::native == std::endian::little);
    out.raw({reinterpret_cast<const std::uint8_t*>(&value), sizeof(T)});
  }
  static bool decode(Decoder& in, T& value) {
    ByteView view;
    if (!in.take(sizeof(T), view)) return false;
    std::memcpy(&value, view.data(), sizeof(T));
    return true;
  }
};

template <>
struct Codec<bool> {
  static constexpr std::size_t kMinSize = 1;
  static void encode(Encoder& out, bool value) { out.byte(value ? 1 : 0); }
  static bool decode(Decoder& in, bool& value) {
    std::uint8_t b = 0;
    if (!in.byte(b)) return false;
    if (b > 1) return in.fail(DecodeErrorCode::bad_bool);
    value = b == 1;
    return true;
  }
};

template <class T>
struct Codec<Compact<T>> {
  static constexpr std::size_t kMinSize = 1;
  static void encode(Encoder& out, const Compact<T>& value) {
    out.compact(detail::CompactTraits<T>::get(value.value));
  }
  static bool decode(Decoder& in, Compact<T>& value) {
    u128 v = 0;
    if (!in.compact(v, detail::CompactTraits<T>::kMax)) return false;
    value.value = detail::CompactTraits<T>::make(v);
    return true;
  }
};

template <detail::StrongInteger T>
struct Codec<T> {
  static constexpr std::size_t kMinSize = sizeof(typename T::Underlying);
  static void encode(Encoder& out, const T& value) { encode_to(out, value.value); }
  static bool decode(Decoder& in, T& value) { return decode_from(in, value.value); }
};

template <detail::StrongBytes T>
struct Codec<T> {
  static constexpr std::size_t kMinSize = T::kSize;
  static void encode(Encoder& out, const T& value) { out.raw(value.view()); }
  static bool decode(Decoder& in, T& value) {
    ByteView view;
    if (!in.take(T::kSize, view)) return false;
    std::memcpy(value.bytes.data(), view.data(), T::kSize);
    return true;
  }
};

template <>
struct Codec<Balance> {
  static constexpr std::size_t kMinSize = 16;
  static void encode(Encoder& out, const Balance& value) { encode_to(out, value.micro); }
  static bool decode(Decoder& in, Balance& value) { return decode_from(in, value.micro); }
};

template <>
struct Codec<BalanceDelta> {
  static constexpr std::size_t kMinSize = 16;
  static void encode(Encoder& out, const BalanceDelta& value) { encode_to(out, value.micro); }
  static bool decode(Decoder& in, BalanceDelta& value) { return decode_from(in, value.micro); }
};

template <>
struct Codec<std::string> {
  static constexpr std::size_t kMinSize = 1;
  static void encode(Encoder& out, const std::string& value) {
    out.compact(value.size());
    out.raw(as_bytes(value));
  }
  static bool decode(Decoder& in, std::string& value) {
    std::size_t n = 0;
    ByteView view;
    if (!in.length(n, ~std::size_t{0}, 1) || !in.take(n, view)) return false;
    if (!detail::valid_utf8(as_text(view))) return in.fail(DecodeErrorCode::bad_utf8);
    value.assign(as_text(view));
    return true;
  }
};

template <class T>
struct Codec<std::vector<T>> {
  static constexpr std::size_t kMinSize = 1;
  static void encode(Encoder& out, const std::vector<T>& value) {
    if constexpr (std::is_same_v<T, std::uint8_t>) {
      out.compact(value.size());
      out.raw(value);
    } else {
      detail::encode_items(out, value);
    }
  }
  static bool decode(Decoder& in, std::vector<T>& value) {
    return detail::decode_items(in, value, ~std::size_t{0});
  }
};

template <class T, std::size_t Max>
struct Codec<BoundedVec<T, Max>> {
  static constexpr std::size_t kMinSize = 1;
  static void encode(Encoder& out, const BoundedVec<T, Max>& value) {
    encode_to(out, value.items());
  }
  static bool decode(Decoder& in, BoundedVec<T, Max>& value) {
    std::vector<T> items;
    if (!detail::decode_items(in, items, Max)) return false;
    value = *BoundedVec<T, Max>::from(std::move(items));
    return true;
  }
};

template <class T, std::size_t N>
struct Codec<std::array<T, N>> {
  static constexpr std::size_t kMinSize = N * detail::min_size<T>();
  static void encode(Encoder& out, const std::array<T, N>& value) {
    if constexpr (std::is_same_v<T, std::uint8_t>) return out.raw(value);
    for (const T& item : value) encode_to(out, item);
  }
  static bool decode(Decoder& in, std::array<T, N>& value) {
    if constexpr (std::is_same_v<T, std::uint8_t>) {
      ByteView view;
      if (!in.take(N, view)) return false;
      std::copy(view.begin(), view.end(), value.begin());
      return true;
    }
    for (T& item : value) {
      if (!decode_from(in, item)) return false;
    }
    return true;
  }
};

template <class T>
struct Codec<std::optional<T>> {
  static constexpr std::size_t kMinSize = 1;
  static void encode(Encoder& out, const std::optional<T>& value) {
    out.byte(value ? 1 : 0);
    if (value) encode_to(out, *value);
  }
  static bool decode(Decoder& in, std::optional<T>& value) {
    std::uint8_t b = 0;
    if (!in.byte(b)) return false;
    if (b > 1) return in.fail(DecodeErrorCode::bad_option);
    value.reset();
    return b == 0 || decode_from(in, value.emplace());
  }
};

template <class... Ts>
struct Codec<std::tuple<Ts...>> {
  static constexpr std::size_t kMinSize = (std::size_t{0} + ... + detail::min_size<Ts>());
  static void encode(Encoder& out, const std::tuple<Ts...>& value) {
    std::apply([&](const auto&... item) { (encode_to(out, item), ...); }, value);
  }
  static bool decode(Decoder& in, std::tuple<Ts...>& value) {
    return std::apply([&](auto&... item) { return (decode_from(in, item) && ...); }, value);
  }
};

template <class A, class B>
struct Codec<std::pair<A, B>> {
  static constexpr std::size_t kMinSize = detail::min_size<A>() + detail::min_size<B>();
  static void encode(Encoder& out, const std::pair<A, B>& value) {
    encode_to(out, value.first);
    encode_to(out, value.second);
  }
  static bool decode(Decoder& in, std::pair<A, B>& value) {
    return decode_from(in, value.first) && decode_from(in, value.second);
  }
};

template <class K, class V>
struct Codec<std::map<K, V>> {
  static constexpr std::size_t kMinSize = 1;
  static void encode(Encoder& out, const std::map<K, V>& value) {
    detail::encode_items(out, value);
  }
  static bool decode(Decoder& in, std::map<K, V>& value) {
    std::size_t n = 0;
    if (!in.length(n, ~std::size_t{0}, detail::min_size<std::pair<K, V>>())) return false;
    value.clear();
    for (std::size_t i = 0; i < n; ++i) {
      std::pair<K, V> entry;
      if (!decode_from(in, entry)) return false;
      if (!value.empty() && !(value.rbegin()->first < entry.first)) {
        return in.fail(DecodeErrorCode::not_sorted);
      }
      value.emplace_hint(value.end(), std::move(entry));
    }
    return true;
  }
};

template <class T>
struct Codec<std::set<T>> {
  static constexpr std::size_t kMinSize = 1;
  static void encode(Encoder& out, const std::set<T>& value) { detail::encode_items(out, value); }
  static bool decode(Decoder& in, std::set<T>& value) {
    std::size_t n = 0;
    if (!in.length(n, ~std::size_t{0}, detail::min_size<T>())) return false;
    value.clear();
    for (std::size_t i = 0; i < n; ++i) {
      T item{};
      if (!decode_from(in, item)) return false;
      if (!value.empty() && !(*value.rbegin() < item)) {
        return in.fail(DecodeErrorCode::not_sorted);
      }
      value.insert(value.end(), std::move(item));
    }
    return true;
  }
};

template <class... Alternatives>
struct Codec<std::variant<Alternatives...>> {
  using Variant = std::variant<Alternatives...>;
  static_assert(detail::all_different<Alternatives::kIndex...>(),
                "two alternatives with one index: the second could never be decoded");
  static constexpr std::size_t kMinSize = 1;

  static void encode(Encoder& out, const Variant& value) {
    std::visit(
        [&](const auto& alternative) {
          out.byte(std::decay_t<decltype(alternative)>::kIndex);
          encode_to(out, alternative);
        },
        value);
  }
  static bool decode(Decoder& in, Variant& value) {
    std::uint8_t index = 0;
    if (!in.byte(index)) return false;
    bool known = false;
    const bool ok = (try_alternative<Alternatives>(in, index, value, known) || ...);
    if (!known) return in.fail(DecodeErrorCode::bad_variant);
    return ok;
  }

 private:
  template <class T>
  static bool try_alternative(Decoder& in, std::uint8_t index, Variant& value, bool& known) {
    if (known || index != T::kIndex) return false;
    known = true;
    return decode_from(in, value.template emplace<T>());
  }
};

template <Described T>
struct Codec<T> {
  static constexpr std::size_t kMinSize = std::apply(
      [](auto... field) {
        return (std::size_t{0} + ... + detail::min_size<typename decltype(field)::Type>());
      },
      tally_describe(static_cast<const T*>(nullptr)));
  static void encode(Encoder& out, const T& value) {
    for_each_field(value, [&](std::string_view, const auto& member) {
      encode_to(out, member);
      return true;
    });
  }
  static bool decode(Decoder& in, T& value) {
    return for_each_field(value,
                          [&](std::string_view, auto& member) { return decode_from(in, member); });
  }
};

template <DescribedEnum E>
struct Codec<E> {
  static_assert(sizeof(E) == 1, "an enum on the wire is one byte");
  static constexpr std::size_t kMinSize = 1;
  static void encode(Encoder& out, E value) { out.byte(static_cast<std::uint8_t>(value)); }
  static bool decode(Decoder& in, E& value) {
    std::uint8_t b = 0;
    if (!in.byte(b)) return false;
    for (const auto& entry : tally_describe_enum(E{})) {
      if (static_cast<std::uint8_t>(entry.value) == b) {
        value = entry.value;
        return true;
      }
    }
    return in.fail(DecodeErrorCode::bad_variant);
  }
};

}  // namespace tally
