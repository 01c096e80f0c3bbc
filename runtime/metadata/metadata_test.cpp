#include "runtime/metadata/metadata.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "genesis/chain_spec.hpp"
#include "primitives/crypto/hash.hpp"
#include "runtime/version.hpp"

namespace tally::metadata {
namespace {

const Parameters kLocal{DurationMs(100)};

MetadataV14 vector_metadata() {
  std::ifstream file(TALLY_SOURCE_DIR "/tests/vectors/substrate/metadata.json");
  REQUIRE(file.good());
  const auto json = nlohmann::json::parse(file);
  const auto blob = from_hex(json.at("without_metadata_hash").at("v14_hex").get<std::string>());
  REQUIRE(blob.has_value());
  auto decoded = decode<MetadataV14>(*blob);
  REQUIRE(decoded.ok());
  CHECK(encode(*decoded) == *blob);
  return *decoded;
}

std::string path_text(const TypeInfo& type) {
  std::string out;
  for (const std::string& part : type.path) out += (out.empty() ? "" : "::") + part;
  return out;
}

std::string shape(const MetadataV14& metadata, TypeId id, unsigned depth);

std::string fields_text(const MetadataV14& metadata, const std::vector<FieldInfo>& fields,
                        unsigned depth) {
  std::string out = "{";
  for (const FieldInfo& field : fields) {
    out += field.name.value_or("_") + ":" + shape(metadata, field.type, depth) + " ";
  }
  return out + "}";
}

// A type written out, so that two registries can be compared although their numbers differ.
std::string shape(const MetadataV14& metadata, TypeId id, unsigned depth) {
  const TypeInfo& type = metadata.types.at(id.value).type;
  std::string out = path_text(type);
  if (depth == 0) return out;
  for (const TypeParameter& param : type.params) out += "<" + param.name + ">";
  const auto inner = [&](TypeId item) { return shape(metadata, item, depth - 1); };
  std::visit(
      [&](const auto& definition) {
        using D = std::decay_t<decltype(definition)>;
        if constexpr (std::is_same_v<D, Composite>) {
          out += fields_text(metadata, definition.fields, depth - 1);
        } else if constexpr (std::is_same_v<D, Variant>) {
          for (const VariantInfo& variant : definition.variants) {
            out += "|" + std::to_string(variant.index) + variant.name +
                   fields_text(metadata, variant.fields, depth - 1);
          }
        } else if constexpr (std::is_same_v<D, Array>) {
          out += "[" + inner(definition.item) + ";" + std::to_string(definition.length) + "]";
        } else if constexpr (std::is_same_v<D, Tuple>) {
          for (const TypeId item : definition.items) out += "(" + inner(item) + ")";
        } else if constexpr (std::is_same_v<D, Primitive>) {
          out += enumerator_name(definition.kind);
        } else if constexpr (std::is_same_v<D, Sequence>) {
          out += "[" + inner(definition.item) + "]";
        } else {
          out += "compact " + inner(definition.item);
        }
      },
      type.definition);
  return out;
}

std::map<std::string, TypeId> by_path(const MetadataV14& metadata) {
  std::map<std::string, TypeId> out;
  for (const PortableType& type : metadata.types) {
    if (path_text(type.type) != "Option") out[path_text(type.type)] = type.id;
  }
  out.erase("");
  return out;
}

TEST_CASE("the types that clients know have the shapes of a blob that clients accepted") {
  const MetadataV14 accepted = vector_metadata();
  const MetadataV14 ours = build(kLocal);
  const auto theirs = by_path(accepted);
  const auto mine = by_path(ours);
  for (const char* path : {"sp_core::crypto::AccountId32",
                           "primitive_types::H256",
                           "sp_runtime::MultiSignature",
                           "sp_runtime::generic::era::Era",
                           "sp_weights::weight_v2::Weight",
                           "frame_support::dispatch::DispatchClass",
                           "frame_support::dispatch::Pays",
                           "frame_system::DispatchEventInfo",
                           "sp_runtime::ModuleError",
                           "sp_arithmetic::ArithmeticError",
                           "frame_system::Phase",
                           "sp_version::RuntimeVersion",
                           "frame_system::extensions::check_non_zero_sender::CheckNonZeroSender",
                           "frame_system::extensions::check_spec_version::CheckSpecVersion",
                           "frame_system::extensions::check_tx_version::CheckTxVersion",
                           "frame_system::extensions::check_genesis::CheckGenesis",
                           "frame_system::extensions::check_mortality::CheckMortality",
                           "frame_system::extensions::check_nonce::CheckNonce",
                           "frame_system::extensions::check_weight::CheckWeight",
                           "pallet_transaction_payment::ChargeTransactionPayment"}) {
    CAPTURE(path);
    REQUIRE(theirs.contains(path));
    REQUIRE(mine.contains(path));
    CHECK(shape(ours, mine.at(path), 5) == shape(accepted, theirs.at(path), 5));
  }
  for (const char* path : {"frame_system::EventRecord", "frame_system::AccountInfo",
                           "sp_runtime::generic::unchecked_extrinsic::UncheckedExtrinsic"}) {
    CAPTURE(path);
    REQUIRE(mine.contains(path));
    CHECK(shape(ours, mine.at(path), 1) == shape(accepted, theirs.at(path), 1));
  }
}

TEST_CASE("signed extensions are the eight of the format, in order") {
  const MetadataV14 accepted = vector_metadata();
  const MetadataV14 ours = build(kLocal);
  REQUIRE(ours.extrinsic.extensions.size() == 8);
  REQUIRE(accepted.extrinsic.extensions.size() >= 8);
  for (std::size_t i = 0; i < 8; ++i) {
    const ExtensionInfo& mine = ours.extrinsic.extensions[i];
    const ExtensionInfo& theirs = accepted.extrinsic.extensions[i];
    CHECK(mine.identifier == theirs.identifier);
    CHECK(shape(ours, mine.type, 3) == shape(accepted, theirs.type, 3));
    CHECK(shape(ours, mine.additional_signed, 3) == shape(accepted, theirs.additional_signed, 3));
  }
}

void check_fields(const std::vector<FieldInfo>& fields, std::size_t types) {
  const std::set<std::string> renamed{"size", "hash", "keys", "entries", "new", "registry"};
  std::size_t named = 0;
  for (const FieldInfo& field : fields) {
    CHECK(field.type.value < types);
    if (!field.name) continue;
    ++named;
    CHECK_FALSE(renamed.contains(*field.name));
  }
  CHECK((named == 0 || named == fields.size()));
}

void check_variant(const Variant& variant, std::size_t types) {
  std::set<std::uint8_t> indices;
  std::set<std::string> names;
  for (const VariantInfo& alternative : variant.variants) {
    CHECK(indices.insert(alternative.index).second);
    CHECK(names.insert(alternative.name).second);
    check_fields(alternative.fields, types);
  }
}

TEST_CASE("the registry keeps the rules whose violation breaks clients") {
  const MetadataV14 metadata = build(kLocal);
  std::set<std::string> seen;
  for (std::size_t i = 0; i < metadata.types.size(); ++i) {
    const TypeInfo& type = metadata.types[i].type;
    CAPTURE(i, path_text(type));
    CHECK(metadata.types[i].id.value == i);
    const auto* composite = std::get_if<Composite>(&type.definition);
    const auto* variant = std::get_if<Variant>(&type.definition);
    if (composite != nullptr || variant != nullptr) {
      std::string identity = path_text(type);
      CHECK_FALSE(identity.empty());
      for (const TypeParameter& param : type.params) {
        identity += "," + std::to_string(param.type ? param.type->value : 0);
      }
      CHECK(seen.insert(identity).second);
    }
    if (composite != nullptr) check_fields(composite->fields, metadata.types.size());
    if (variant != nullptr) check_variant(*variant, metadata.types.size());
    if (const auto* array = std::get_if<Array>(&type.definition)) CHECK(array->length <= 2'048);
  }
}

TEST_CASE(
    "every module is there under its index, and its calls are an alternative of RuntimeCall") {
  const MetadataV14 metadata = build(kLocal);
  const auto types = by_path(metadata);
  const TypeId calls = types.at("tallystick_runtime::RuntimeCall");
  const auto& call = std::get<Variant>(metadata.types[calls.value].type.definition);
  for (const ModuleInfo& module : metadata.modules) {
    CAPTURE(module.name);
    CHECK(module.name == module_name(static_cast<ModuleIndex>(module.index)));
    const auto found = std::find_if(call.variants.begin(), call.variants.end(),
                                    [&](const VariantInfo& v) { return v.index == module.index; });
    REQUIRE((found != call.variants.end()) == module.calls.has_value());
    if (!module.calls) continue;
    CHECK(found->name == module.name);
    REQUIRE(found->fields.size() == 1);
    CHECK(found->fields[0].type == *module.calls);
    CHECK_FALSE(found->fields[0].name.has_value());
  }
}

// A layout that changes without a new spec_version leaves clients with the old metadata: raise
// kSpecVersion, then pin the new hash here.
TEST_CASE("the metadata of this spec_version is what it was") {
  CHECK(runtime::kSpecVersion == 1);
  CHECK(to_hex(blake2_256(encoded(kLocal))) ==
        "6203b3feefea0b358d444181a0a958c732a769a22da41aacdac38f84cbc670f7");
}

TEST_CASE("MinimumPeriod follows the chain spec") {
  const auto period_ms = [](std::uint64_t interval_ms) {
    const MetadataV14 metadata = build({DurationMs(interval_ms)});
    return *decode<std::uint64_t>(metadata.modules.back().constants.at(0).value);
  };
  CHECK(period_ms(100) == 50);
  CHECK(period_ms(400) == 200);
}

}  // namespace
}  // namespace tally::metadata
