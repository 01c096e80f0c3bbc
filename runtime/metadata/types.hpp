// Metadata V14 as data: what clients read to learn a chain's types, calls, events and storage.
// Encoded like everything else, so a blob that somebody else made decodes into these structs too.
// Source: frame-metadata V14 and scale-info.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "primitives/codec/scale.hpp"

namespace tally::metadata {

using TypeId = Compact<std::uint32_t>;
using Docs = std::vector<std::string>;

struct FieldInfo {
  std::optional<std::string> name;
  TypeId type;
  std::optional<std::string> type_name;
  Docs docs;
  friend bool operator==(const FieldInfo&, const FieldInfo&) = default;
};
TALLY_DESCRIBE(FieldInfo, name, type, type_name, docs);

struct VariantInfo {
  std::string name;
  std::vector<FieldInfo> fields;
  std::uint8_t index{};
  Docs docs;
  friend bool operator==(const VariantInfo&, const VariantInfo&) = default;
};
TALLY_DESCRIBE(VariantInfo, name, fields, index, docs);

struct Composite {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "Composite";
  std::vector<FieldInfo> fields;
  friend bool operator==(const Composite&, const Composite&) = default;
};
TALLY_DESCRIBE(Composite, fields);
struct Variant {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "Variant";
  std::vector<VariantInfo> variants;
  friend bool operator==(const Variant&, const Variant&) = default;
};
TALLY_DESCRIBE(Variant, variants);
struct Sequence {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "Sequence";
  TypeId item;
  friend bool operator==(const Sequence&, const Sequence&) = default;
};
TALLY_DESCRIBE(Sequence, item);
struct Array {
  static constexpr std::uint8_t kIndex = 3;
  static constexpr std::string_view kName = "Array";
  std::uint32_t length{};
  TypeId item;
  friend bool operator==(const Array&, const Array&) = default;
};
TALLY_DESCRIBE(Array, length, item);
struct Tuple {
  static constexpr std::uint8_t kIndex = 4;
  static constexpr std::string_view kName = "Tuple";
  std::vector<TypeId> items;
  friend bool operator==(const Tuple&, const Tuple&) = default;
};
TALLY_DESCRIBE(Tuple, items);

enum class PrimitiveKind : std::uint8_t {
  boolean = 0,
  text = 2,
  u8 = 3,
  u16 = 4,
  u32 = 5,
  u64 = 6,
  u128 = 7,
  i8 = 9,
  i16 = 10,
  i32 = 11,
  i64 = 12,
  i128 = 13,
};
TALLY_DESCRIBE_ENUM(PrimitiveKind, boolean, text, u8, u16, u32, u64, u128, i8, i16, i32, i64, i128);
struct Primitive {
  static constexpr std::uint8_t kIndex = 5;
  static constexpr std::string_view kName = "Primitive";
  PrimitiveKind kind{};
  friend bool operator==(const Primitive&, const Primitive&) = default;
};
TALLY_DESCRIBE(Primitive, kind);
struct CompactOf {
  static constexpr std::uint8_t kIndex = 6;
  static constexpr std::string_view kName = "Compact";
  TypeId item;
  friend bool operator==(const CompactOf&, const CompactOf&) = default;
};
TALLY_DESCRIBE(CompactOf, item);
using Definition = std::variant<Composite, Variant, Sequence, Array, Tuple, Primitive, CompactOf>;

struct TypeParameter {
  std::string name;
  std::optional<TypeId> type;
  friend bool operator==(const TypeParameter&, const TypeParameter&) = default;
};
TALLY_DESCRIBE(TypeParameter, name, type);

struct TypeInfo {
  std::vector<std::string> path;
  std::vector<TypeParameter> params;
  Definition definition;
  Docs docs;
  friend bool operator==(const TypeInfo&, const TypeInfo&) = default;
};
TALLY_DESCRIBE(TypeInfo, path, params, definition, docs);

struct PortableType {
  TypeId id;
  TypeInfo type;
  friend bool operator==(const PortableType&, const PortableType&) = default;
};
TALLY_DESCRIBE(PortableType, id, type);

struct PlainEntry {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "Plain";
  TypeId value;
  friend bool operator==(const PlainEntry&, const PlainEntry&) = default;
};
TALLY_DESCRIBE(PlainEntry, value);
struct MapEntry {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "Map";
  std::vector<std::uint8_t> hashers;
  TypeId key;  // several hashers: the tuple of the keys
  TypeId value;
  friend bool operator==(const MapEntry&, const MapEntry&) = default;
};
TALLY_DESCRIBE(MapEntry, hashers, key, value);

struct StorageEntryInfo {
  std::string name;
  std::uint8_t modifier{};
  std::variant<PlainEntry, MapEntry> type;
  Bytes fallback;
  Docs docs;
  friend bool operator==(const StorageEntryInfo&, const StorageEntryInfo&) = default;
};
TALLY_DESCRIBE(StorageEntryInfo, name, modifier, type, fallback, docs);

struct StorageInfo {
  std::string prefix;
  std::vector<StorageEntryInfo> entries;
  friend bool operator==(const StorageInfo&, const StorageInfo&) = default;
};
TALLY_DESCRIBE(StorageInfo, prefix, entries);

struct ConstantInfo {
  std::string name;
  TypeId type;
  Bytes value;
  Docs docs;
  friend bool operator==(const ConstantInfo&, const ConstantInfo&) = default;
};
TALLY_DESCRIBE(ConstantInfo, name, type, value, docs);

struct ModuleInfo {
  std::string name;
  std::optional<StorageInfo> storage;
  std::optional<TypeId> calls;
  std::optional<TypeId> events;
  std::vector<ConstantInfo> constants;
  std::optional<TypeId> errors;
  std::uint8_t index{};
  friend bool operator==(const ModuleInfo&, const ModuleInfo&) = default;
};
TALLY_DESCRIBE(ModuleInfo, name, storage, calls, events, constants, errors, index);

struct ExtensionInfo {
  std::string identifier;
  TypeId type;
  TypeId additional_signed;
  friend bool operator==(const ExtensionInfo&, const ExtensionInfo&) = default;
};
TALLY_DESCRIBE(ExtensionInfo, identifier, type, additional_signed);

struct ExtrinsicInfo {
  TypeId type;
  std::uint8_t version{};
  std::vector<ExtensionInfo> extensions;
  friend bool operator==(const ExtrinsicInfo&, const ExtrinsicInfo&) = default;
};
TALLY_DESCRIBE(ExtrinsicInfo, type, version, extensions);

struct MetadataV14 {
  std::array<std::uint8_t, 4> magic{'m', 'e', 't', 'a'};
  std::uint8_t version = 14;
  std::vector<PortableType> types;
  std::vector<ModuleInfo> modules;
  ExtrinsicInfo extrinsic;
  TypeId runtime;
  friend bool operator==(const MetadataV14&, const MetadataV14&) = default;
};
TALLY_DESCRIBE(MetadataV14, magic, version, types, modules, extrinsic, runtime);

}  // namespace tally::metadata
