#include "worker/wasm/screen.hpp"

#include <wabt/binary-reader-nop.h>
#include <wabt/binary-reader.h>

#include <algorithm>
#include <array>

#include "worker/wasm/cost.hpp"
#include "worker/wasm/features.hpp"
#include "worker/wasm/module.hpp"

namespace tally::wasm {

namespace {

using wabt::Index;
using wabt::Type;
using Outcome = wabt::Result;

constexpr std::array<std::uint8_t, 8> kHeader = {0, 'a', 's', 'm', 1, 0, 0, 0};
constexpr std::uint8_t kCustomSection = 0;
constexpr std::uint8_t kPassiveSegment = 1;  // bits of a segment's flags
constexpr std::uint8_t kSegmentOfExpressions = 4;

std::string number(std::uint64_t value) {
  return to_decimal(value);
}

bool is_float(Type type) {
  return type == Type::F32 || type == Type::F64;
}

bool is_integer(Type type) {
  return type == Type::I32 || type == Type::I64;
}

// Refuses by returning an error to the reader, with the reason in `reason`.
class Screen : public wabt::BinaryReaderNop {
 public:
  std::string reason;

  bool OnError(const wabt::Error& error) override {
    if (reason.empty()) reason = "it is malformed: " + error.message;
    return true;
  }

  Outcome OnTypeCount(Index count) override { return at_most("types", count, kMaxTypes); }
  Outcome OnFuncType(Index, Index params, Type* param_types, Index results,
                     Type* result_types) override {
    if (at_most("parameters of a function", params, kMaxParameters) == Outcome::Error ||
        at_most("results of a function", results, kMaxResults) == Outcome::Error) {
      return Outcome::Error;
    }
    for (Index i = 0; i < params; ++i) {
      if (value_type(param_types[i]) == Outcome::Error) return Outcome::Error;
    }
    for (Index i = 0; i < results; ++i) {
      if (value_type(result_types[i]) == Outcome::Error) return Outcome::Error;
    }
    return Outcome::Ok;
  }
  Outcome OnStructType(Index, Index, wabt::TypeMut*) override { return refuse("struct types"); }
  Outcome OnArrayType(Index, wabt::TypeMut) override { return refuse("array types"); }

  Outcome OnImport(Index, wabt::ExternalKind kind, std::string_view module,
                   std::string_view field) override {
    return fail_because("it imports the " + std::string(wabt::GetKindName(kind)) + " " +
                        printable(module) + "." + printable(field) +
                        "; a guest has no imports, only its exports");
  }
  Outcome OnFunctionCount(Index count) override {
    return at_most("functions", count, kMaxFunctions);
  }
  Outcome OnTableCount(Index count) override { return at_most("tables", count, 1); }
  Outcome OnTable(Index, Type type, const wabt::Limits* limits) override {
    if (type != Type::FuncRef) return refuse("tables of references");
    return at_most("elements of a table", limits->initial, kMaxTableElements);
  }
  Outcome OnMemoryCount(Index count) override { return at_most("memories", count, 1); }
  Outcome OnMemory(Index, const wabt::Limits* limits) override {
    if (limits->is_shared || limits->is_64) return refuse("shared or 64-bit memories");
    return at_most("pages of memory", limits->initial, task::kMaxWasmPages);
  }
  Outcome OnGlobalCount(Index count) override {
    return at_most("globals", count, task::kMaxWasmGlobals);
  }
  Outcome BeginGlobal(Index, Type type, bool) override { return value_type(type); }
  Outcome OnTagCount(Index) override { return refuse("exception tags"); }
  Outcome OnStartFunction(Index) override {
    return fail_because("it has a start function; let tally_init do that work");
  }

  Outcome BeginFunctionBody(Index index, wabt::Offset size) override {
    function_ = index;
    locals_ = 0;
    nesting_ = 0;
    return at_most("bytes of a function", size, kMaxFunctionBytes);
  }
  Outcome OnLocalDecl(Index, Index count, Type type) override {
    locals_ += count;
    if (value_type(type) == Outcome::Error) return Outcome::Error;
    return at_most("locals of a function", locals_, kMaxLocals);
  }
  Outcome OnOpcode(wabt::Opcode opcode) override {
    if (fuel_of({opcode.GetPrefix(), opcode.GetCode()})) {
      return at_most("instructions", ++instructions_, kMaxInstructions);
    }
    const std::string name = opcode.GetName();
    const bool floating = name.starts_with("f32.") || name.starts_with("f64.") ||
                          name.find("_f32") != name.npos || name.find("_f64") != name.npos;
    return fail_because("function " + number(function_) + " has the instruction " + name +
                        (floating ? "; floating point is not allowed: build with integers only"
                                  : ", which is not allowed"));
  }
  Outcome OnBlockExpr(Type) override { return open_block(); }
  Outcome OnLoopExpr(Type) override { return open_block(); }
  Outcome OnIfExpr(Type) override { return open_block(); }
  Outcome OnEndExpr() override {
    if (nesting_ > 0) --nesting_;
    return Outcome::Ok;
  }

  Outcome BeginElemSegment(Index, Index, std::uint8_t flags) override {
    if ((flags & (kPassiveSegment | kSegmentOfExpressions)) == 0) return Outcome::Ok;
    return refuse("passive element segments, or such of expressions");
  }
  Outcome BeginDataSegment(Index, Index, std::uint8_t flags) override {
    if ((flags & kPassiveSegment) == 0) return Outcome::Ok;
    return refuse("passive data segments");
  }

 private:
  Outcome fail_because(std::string why) {
    if (reason.empty()) reason = std::move(why);
    return Outcome::Error;
  }
  Outcome refuse(std::string_view what) {
    return fail_because(std::string(what) + " are not allowed");
  }
  Outcome at_most(std::string_view what, std::uint64_t came, std::uint64_t most) {
    if (came <= most) return Outcome::Ok;
    return fail_because("expected at most " + number(most) + " " + std::string(what) + ", got " +
                        number(came));
  }
  Outcome value_type(Type type) {
    if (is_integer(type)) return Outcome::Ok;
    return fail_because(is_float(type)
                            ? "it has values of type " + type.GetName() +
                                  "; floating point is not allowed: build with integers only"
                            : "values of type " + type.GetName() + " are not allowed");
  }
  Outcome open_block() {
    ++nesting_;
    return at_most("blocks in blocks", nesting_, kMaxNesting);
  }
  static std::string printable(std::string_view name) {
    std::string out;
    for (const char c : name.substr(0, 64)) out.push_back(c > ' ' && c < 0x7f ? c : '?');
    return out;
  }

  Index function_ = 0;
  std::uint64_t locals_ = 0;
  std::uint64_t instructions_ = 0;
  std::uint32_t nesting_ = 0;
};

// A section's length: unsigned LEB128 of at most 5 bytes. Moves `at` behind it.
std::optional<std::uint32_t> read_length(ByteView bytes, std::size_t& at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    if (at >= bytes.size()) return std::nullopt;
    const std::uint8_t byte = bytes[at++];
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) != 0) continue;
    if (value > ~std::uint32_t{0}) return std::nullopt;
    return static_cast<std::uint32_t>(value);
  }
  return std::nullopt;
}

}  // namespace

Result<Bytes, Error> strip_custom_sections(ByteView module) {
  if (module.size() > task::kMaxWasmModule) {
    return fail_with("expected a module of at most " + number(task::kMaxWasmModule) +
                     " bytes, got " + number(module.size()));
  }
  if (module.size() < kHeader.size() ||
      !std::equal(kHeader.begin(), kHeader.end(), module.begin())) {
    return fail_with(
        "this is no WebAssembly module: expected it to begin with \\0asm and version 1, got " +
        to_hex_prefixed(module.first(std::min(module.size(), kHeader.size()))));
  }
  Bytes out(kHeader.begin(), kHeader.end());
  for (std::size_t at = kHeader.size(); at < module.size();) {
    const std::size_t begin = at;
    const std::uint8_t id = module[at++];
    const auto length = read_length(module, at);
    if (!length || *length > module.size() - at) {
      return fail_with("the module is cut off, or damaged, in the section at byte " +
                       number(begin));
    }
    at += *length;
    if (id != kCustomSection) append(out, module.subspan(begin, at - begin));
  }
  return out;
}

Result<void, Error> screen(ByteView stripped) {
  Screen delegate;
  wabt::ReadBinaryOptions options;
  options.features = guest_features();
  if (wabt::Failed(wabt::ReadBinary(stripped.data(), stripped.size(), &delegate, options)) ||
      !delegate.reason.empty()) {
    return fail_with("the module cannot be run: " +
                     (delegate.reason.empty() ? "it is malformed" : delegate.reason));
  }
  return {};
}

}  // namespace tally::wasm
