// Values of any type that SCALE can encode, drawn from a seed: the same seed gives the same value
// on every machine. Small numbers, the ends of a range and short lists come up more often than
// chance has it. A type with a Codec of its own gets a Drawn specialisation beside its test.
//
//   Header header = draw<Header>(seed);
#pragma once

#include <cstdint>
#include <string>

#include "primitives/codec/scale.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/extrinsic.hpp"

namespace tally::tests {

// SplitMix64 (Steele, Lea, Flood 2014): small, portable, good enough to draw tests from.
class Source {
 public:
  explicit Source(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }
  // Below `bound`, which is not 0.
  std::size_t below(std::size_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

template <class T>
struct Drawn;

template <class T>
T draw(Source& from) {
  return Drawn<T>::draw(from);
}
template <class T>
T draw(std::uint64_t seed) {
  Source from(seed);
  return draw<T>(from);
}

template <tally::detail::Integer T>
struct Drawn<T> {
  static T draw(Source& from) {
    const u128 high = from.next();  // two statements: operands have no order of evaluation
    const u128 value = high << 64 | from.next();
    switch (from.below(6)) {
      case 0:
        return static_cast<T>(value & 0x7f);
      case 1:
        return static_cast<T>(~u128{0} >> (128 - 8 * sizeof(T)));
      case 2:
        return static_cast<T>(u128{1} << from.below(8 * sizeof(T)));
      case 3:
        return static_cast<T>((u128{1} << from.below(8 * sizeof(T))) - 1);
      default:
        return static_cast<T>(value >> from.below(128));
    }
  }
};

template <>
struct Drawn<bool> {
  static bool draw(Source& from) { return from.below(2) == 1; }
};

template <class T>
struct Drawn<Compact<T>> {
  static Compact<T> draw(Source& from) { return {tests::draw<T>(from)}; }
};

template <tally::detail::StrongInteger T>
struct Drawn<T> {
  static T draw(Source& from) { return T(tests::draw<typename T::Underlying>(from)); }
};

template <tally::detail::StrongBytes T>
struct Drawn<T> {
  static T draw(Source& from) {
    T out;
    for (auto& byte : out.bytes) byte = static_cast<std::uint8_t>(from.next());
    return out;
  }
};

template <>
struct Drawn<Balance> {
  static Balance draw(Source& from) { return Balance(tests::draw<u128>(from)); }
};
template <>
struct Drawn<BalanceDelta> {
  static BalanceDelta draw(Source& from) { return BalanceDelta(tests::draw<i128>(from)); }
};

template <>
struct Drawn<std::string> {
  static std::string draw(Source& from) {
    static const std::string kLetters[] = {"a", "Z", "0", " ", "\n", "é", "☂", "😀"};
    std::string out;
    for (std::size_t left = from.below(8); left > 0; --left) {
      out += kLetters[from.below(std::size(kLetters))];
    }
    return out;
  }
};

// Lists pass the lengths at which SCALE's length takes another byte.
inline std::size_t draw_length(Source& from, std::size_t most) {
  static constexpr std::size_t kLengths[] = {0, 1, 2, 3, 5};
  return std::min(kLengths[from.below(std::size(kLengths))], most);
}

template <class T>
struct Drawn<std::vector<T>> {
  static std::vector<T> draw(Source& from) { return up_to(from, ~std::size_t{0}); }
  static std::vector<T> up_to(Source& from, std::size_t most) {
    std::size_t length = draw_length(from, most);
    if (std::is_same_v<T, std::uint8_t> && from.below(4) == 0) {
      length = std::min<std::size_t>(62 + from.below(4), most);
    }
    std::vector<T> out;
    while (out.size() < length) out.push_back(tests::draw<T>(from));
    return out;
  }
};

template <class T, std::size_t Max>
struct Drawn<BoundedVec<T, Max>> {
  static BoundedVec<T, Max> draw(Source& from) {
    return *BoundedVec<T, Max>::from(Drawn<std::vector<T>>::up_to(from, Max));
  }
};

template <class T, std::size_t N>
struct Drawn<std::array<T, N>> {
  static std::array<T, N> draw(Source& from) {
    std::array<T, N> out{};
    for (T& item : out) item = tests::draw<T>(from);
    return out;
  }
};

template <class T>
struct Drawn<std::optional<T>> {
  static std::optional<T> draw(Source& from) {
    if (from.below(2) == 0) return std::nullopt;
    return tests::draw<T>(from);
  }
};

template <class... T>
struct Drawn<std::tuple<T...>> {
  static std::tuple<T...> draw(Source& from) { return {tests::draw<T>(from)...}; }
};
template <class A, class B>
struct Drawn<std::pair<A, B>> {
  static std::pair<A, B> draw(Source& from) {
    A first = tests::draw<A>(from);
    return {std::move(first), tests::draw<B>(from)};
  }
};

template <class K, class V>
struct Drawn<std::map<K, V>> {
  static std::map<K, V> draw(Source& from) {
    std::map<K, V> out;
    for (std::size_t left = draw_length(from, 8); left > 0; --left) {
      out.insert(tests::draw<std::pair<K, V>>(from));
    }
    return out;
  }
};
template <class T>
struct Drawn<std::set<T>> {
  static std::set<T> draw(Source& from) {
    std::set<T> out;
    for (std::size_t left = draw_length(from, 8); left > 0; --left) {
      out.insert(tests::draw<T>(from));
    }
    return out;
  }
};

template <class... T>
struct Drawn<std::variant<T...>> {
  static std::variant<T...> draw(Source& from) {
    using Make = std::variant<T...> (*)(Source&);
    static constexpr Make kMakers[] = {
        [](Source& source) { return std::variant<T...>(tests::draw<T>(source)); }...};
    return kMakers[from.below(sizeof...(T))](from);
  }
};

template <Described T>
struct Drawn<T> {
  static T draw(Source& from) {
    T out;
    for_each_field(out, [&](std::string_view, auto& field) {
      field = tests::draw<std::decay_t<decltype(field)>>(from);
      return true;
    });
    return out;
  }
};

template <DescribedEnum E>
struct Drawn<E> {
  static E draw(Source& from) {
    const auto all = tally_describe_enum(E{});
    return all[from.below(all.size())].value;
  }
};

template <>
struct Drawn<Era> {
  static Era draw(Source& from) {
    if (from.below(3) == 0) return Era::immortal();
    const std::uint64_t period = 1u << from.below(20);
    return Era::mortal(period, tests::draw<BlockNumber>(from));
  }
};

// The hash of the encodings of 256 drawn values: pins a type's bytes. It changes with the type's
// layout, so a change of layout cannot go unnoticed.
template <class T>
std::string golden_hash() {
  Bytes all;
  for (std::uint64_t seed = 0; seed < 256; ++seed) append(all, encode(draw<T>(seed)));
  return to_hex(ByteView(blake2_256(all)).first(16));
}

}  // namespace tally::tests
