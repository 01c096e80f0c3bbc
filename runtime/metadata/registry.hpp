// The type registry: from the one description of each type (TALLY_DESCRIBE, TALLY_DESCRIBE_ENUM,
// variants with kIndex and kName) to what clients decode with. Types get dense numbers in the order
// in which they are first asked for.
#pragma once

#include <map>
#include <set>

#include "runtime/metadata/names.hpp"
#include "runtime/metadata/types.hpp"
#include "runtime/metadata/well_known.hpp"

namespace tally::metadata {

// The type that clients see in place of a C++ type: strong integers are their integers, money is
// u128, signatures are byte arrays, bounds are not told.
template <class T>
struct Canonical {
  using Type = T;
};
template <class T>
using canonical_t = typename Canonical<T>::Type;
template <tally::detail::StrongInteger T>
struct Canonical<T> {
  using Type = typename T::Underlying;
};
template <>
struct Canonical<Balance> {
  using Type = u128;
};
template <>
struct Canonical<BalanceDelta> {
  using Type = i128;
};
template <>
struct Canonical<Ed25519Signature> {
  using Type = std::array<std::uint8_t, 64>;
};
template <>
struct Canonical<Sr25519Signature> {
  using Type = std::array<std::uint8_t, 64>;
};
template <>
struct Canonical<EcdsaSignature> {
  using Type = std::array<std::uint8_t, 65>;
};
template <>
struct Canonical<DispatchError> {
  using Type = DispatchError::Variant;
};
template <class T>
struct Canonical<Compact<T>> {
  using Type = Compact<canonical_t<T>>;
};
template <class T>
struct Canonical<std::vector<T>> {
  using Type = std::vector<canonical_t<T>>;
};
template <class T, std::size_t Max>
struct Canonical<BoundedVec<T, Max>> {
  using Type = std::vector<canonical_t<T>>;
};
template <class T, std::size_t N>
struct Canonical<std::array<T, N>> {
  using Type = std::array<canonical_t<T>, N>;
};
template <class T>
struct Canonical<std::optional<T>> {
  using Type = std::optional<canonical_t<T>>;
};
template <class A, class B>
struct Canonical<std::pair<A, B>> {
  using Type = std::tuple<canonical_t<A>, canonical_t<B>>;
};
template <class... Ts>
struct Canonical<std::tuple<Ts...>> {
  using Type = std::tuple<canonical_t<Ts>...>;
};

class Registry {
 public:
  template <class T>
  TypeId id();

  // For types that exist in the metadata only.
  TypeId add(TypeInfo info) {
    types_.push_back({{static_cast<std::uint32_t>(types_.size())}, std::move(info)});
    return types_.back().id;
  }
  std::vector<PortableType> take() && { return std::move(types_); }

 private:
  std::vector<PortableType> types_;
  std::map<const void*, TypeId> ids_;  // by the address of a type's tag; only asked, never walked
};

template <class T>
struct Describe;

namespace detail {

// One object a type, whose address names the type.
template <class T>
inline char type_tag = 0;

template <class T>
std::vector<std::string> path_of() {
  if (!WellKnown<T>::kPath.empty()) return split_path(WellKnown<T>::kPath);
  std::vector<std::string> path = split_path(cpp_name<T>());
  TALLY_ASSERT(path.front() == "tally");
  path.front() = "tallystick";
  return path;
}

template <Described T>
std::vector<FieldInfo> fields_of(Registry& registry) {
  std::vector<FieldInfo> fields;
  std::apply(
      [&](auto... field) {
        (fields.push_back({kUnnamed<T> ? std::nullopt : std::optional(std::string(field.name)),
                           registry.id<typename decltype(field)::Type>(),
                           std::nullopt,
                           {}}),
         ...);
      },
      tally_describe(static_cast<const T*>(nullptr)));
  return fields;
}

template <class T>
struct AlternativeFields {
  static std::vector<FieldInfo> of(Registry& registry) { return fields_of<T>(registry); }
};
template <ModuleIndex Module, class Inner>
struct AlternativeFields<runtime::OfModule<Module, Inner>> {
  static std::vector<FieldInfo> of(Registry& registry) {
    return {{std::nullopt, registry.id<Inner>(), std::nullopt, {}}};
  }
};
// Module(ModuleError), as clients expect it; the same bytes.
template <>
struct AlternativeFields<ErrorModule> {
  static std::vector<FieldInfo> of(Registry& registry) {
    const TypeId shape = registry.add(
        {{"sp_runtime", "ModuleError"}, {}, Composite{fields_of<ErrorModule>(registry)}, {}});
    return {{std::nullopt, shape, std::nullopt, {}}};
  }
};

inline TypeInfo anonymous(Definition definition) {
  return {{}, {}, std::move(definition), {}};
}

template <class T>
constexpr PrimitiveKind primitive_kind() {
  if constexpr (std::is_same_v<T, bool>) return PrimitiveKind::boolean;
  if constexpr (std::is_same_v<T, std::string>) return PrimitiveKind::text;
  if constexpr (std::is_same_v<T, std::uint8_t>) return PrimitiveKind::u8;
  if constexpr (std::is_same_v<T, std::uint16_t>) return PrimitiveKind::u16;
  if constexpr (std::is_same_v<T, std::uint32_t>) return PrimitiveKind::u32;
  if constexpr (std::is_same_v<T, std::uint64_t>) return PrimitiveKind::u64;
  if constexpr (std::is_same_v<T, u128>) return PrimitiveKind::u128;
  if constexpr (std::is_same_v<T, std::int8_t>) return PrimitiveKind::i8;
  if constexpr (std::is_same_v<T, std::int16_t>) return PrimitiveKind::i16;
  if constexpr (std::is_same_v<T, std::int32_t>) return PrimitiveKind::i32;
  if constexpr (std::is_same_v<T, std::int64_t>) return PrimitiveKind::i64;
  if constexpr (std::is_same_v<T, i128>) return PrimitiveKind::i128;
}

template <class T>
concept Primitive =
    tally::detail::Integer<T> || std::is_same_v<T, bool> || std::is_same_v<T, std::string>;

}  // namespace detail

template <class T>
TypeId Registry::id() {
  using Seen = canonical_t<T>;
  const void* tag = &detail::type_tag<Seen>;
  if (const auto found = ids_.find(tag); found != ids_.end()) return found->second;
  const TypeId id = add({});  // reserved first: a type may name itself
  ids_.emplace(tag, id);
  TypeInfo info = Describe<Seen>::info(*this);
  types_[id.value].type = std::move(info);
  return id;
}

template <detail::Primitive T>
struct Describe<T> {
  static TypeInfo info(Registry&) {
    return detail::anonymous(metadata::Primitive{detail::primitive_kind<T>()});
  }
};
template <class T>
struct Describe<Compact<T>> {
  static TypeInfo info(Registry& registry) {
    return detail::anonymous(CompactOf{registry.id<T>()});
  }
};
template <class T>
struct Describe<std::vector<T>> {
  static TypeInfo info(Registry& registry) { return detail::anonymous(Sequence{registry.id<T>()}); }
};
template <class T, std::size_t N>
struct Describe<std::array<T, N>> {
  static_assert(N <= 2'048, "clients refuse longer arrays; use a vector");
  static TypeInfo info(Registry& registry) { return detail::anonymous(Array{N, registry.id<T>()}); }
};
template <class... Ts>
struct Describe<std::tuple<Ts...>> {
  static TypeInfo info(Registry& registry) {
    return detail::anonymous(Tuple{{registry.id<Ts>()...}});
  }
};
template <class T>
struct Describe<std::optional<T>> {
  static TypeInfo info(Registry& registry) {
    const TypeId inner = registry.id<T>();
    return {
        {"Option"},
        {{"T", inner}},
        Variant{{{"None", {}, 0, {}}, {"Some", {{std::nullopt, inner, std::nullopt, {}}}, 1, {}}}},
        {}};
  }
};
template <tally::detail::StrongBytes T>
struct Describe<T> {
  static TypeInfo info(Registry& registry) {
    const TypeId bytes = registry.id<std::array<std::uint8_t, T::kSize>>();
    return {detail::path_of<T>(), {}, Composite{{{std::nullopt, bytes, std::nullopt, {}}}}, {}};
  }
};
template <DescribedEnum E>
struct Describe<E> {
  static TypeInfo info(Registry&) {
    Variant variant;
    for (const auto& entry : tally_describe_enum(E{})) {
      variant.variants.push_back(
          {pascal_case(entry.name), {}, static_cast<std::uint8_t>(entry.value), {}});
    }
    return {detail::path_of<E>(), {}, std::move(variant), {}};
  }
};
template <Described T>
struct Describe<T> {
  static TypeInfo info(Registry& registry) {
    return {detail::path_of<T>(), {}, Composite{detail::fields_of<T>(registry)}, {}};
  }
};
template <class... Alternatives>
struct Describe<std::variant<Alternatives...>> {
  static_assert(!WellKnown<std::variant<Alternatives...>>::kPath.empty(),
                "name this variant in well_known.hpp");
  static TypeInfo info(Registry& registry) {
    Variant variant;
    (variant.variants.push_back({std::string(Alternatives::kName),
                                 detail::AlternativeFields<Alternatives>::of(registry),
                                 Alternatives::kIndex,
                                 {}}),
     ...);
    return {detail::path_of<std::variant<Alternatives...>>(), {}, std::move(variant), {}};
  }
};

// Parameters that clients look for.
template <>
struct Describe<MultiAddress> {
  static TypeInfo info(Registry& registry);
};
template <>
struct Describe<Era> {
  static TypeInfo info(Registry& registry);
};
template <>
struct Describe<system::AccountInfo> {
  static TypeInfo info(Registry& registry);
};
template <>
struct Describe<system::AccountData> {
  static TypeInfo info(Registry& registry);
};
template <>
struct Describe<runtime::EventRecord> {
  static TypeInfo info(Registry& registry);
};

}  // namespace tally::metadata
