#include "worker/wasm/module.hpp"

#include <wabt/binary-reader-ir.h>
#include <wabt/binary-reader.h>
#include <wabt/binary-writer.h>
#include <wabt/validator.h>

#include <algorithm>

#include "worker/wasm/features.hpp"
#include "worker/wasm/meter.hpp"
#include "worker/wasm/screen.hpp"

namespace tally::wasm {

namespace {

using wabt::Type;
using wabt::TypeVector;

constexpr const char* kName = "module";

Failure<Error> refuse(const std::string& why) {
  return fail_with("the module cannot be run: " + why);
}

std::string first_of(const wabt::Errors& errors) {
  return errors.empty() ? "no reason is known" : errors.front().message;
}

Result<void, Error> read_ir(ByteView bytes, wabt::Module& module) {
  wabt::ReadBinaryOptions options;
  options.features = guest_features();
  wabt::Errors errors;
  if (wabt::Failed(
          wabt::ReadBinaryIr(kName, bytes.data(), bytes.size(), options, &errors, &module))) {
    return refuse("it is malformed: " + first_of(errors));
  }
  if (wabt::Failed(
          wabt::ValidateModule(&module, &errors, wabt::ValidateOptions(guest_features())))) {
    return refuse("it is not valid: " + first_of(errors));
  }
  return {};
}

struct Wanted {
  const char* name;
  TypeVector params;
  TypeVector results;
  const char* text;
};

Result<std::uint32_t, Error> entry_point(const wabt::Module& module, const Wanted& wanted) {
  const wabt::Export* found = module.GetExport(wanted.name);
  const bool function = found != nullptr && found->kind == wabt::ExternalKind::Func;
  const wabt::Func* target = function ? module.GetFunc(found->var) : nullptr;
  if (target == nullptr || target->decl.sig.param_types != wanted.params ||
      target->decl.sig.result_types != wanted.results) {
    return refuse(std::string("it must export the function ") + wanted.name + wanted.text +
                  (function ? ", and its type is another" : ", and does not"));
  }
  return module.GetFuncIndex(found->var);
}

Result<EntryPoints, Error> entry_points(const wabt::Module& module) {
  const wabt::Export* memory = module.GetExport("memory");
  if (memory == nullptr || memory->kind != wabt::ExternalKind::Memory) {
    return refuse("it must export its memory as \"memory\"");
  }
  const Type i32 = Type::I32;
  EntryPoints out;
  out.buffer = TALLY_TRY(entry_point(module, {"tally_buffer", {i32}, {i32}, "(i32) -> i32"}));
  out.init = TALLY_TRY(entry_point(module, {"tally_init", {i32, i32}, {}, "(i32, i32)"}));
  out.step = TALLY_TRY(entry_point(module, {"tally_step", {}, {i32}, "() -> i32"}));
  out.result = TALLY_TRY(entry_point(module, {"tally_result", {}, {i32}, "() -> i32"}));
  out.result_size = TALLY_TRY(entry_point(module, {"tally_result_size", {}, {i32}, "() -> i32"}));
  return out;
}

std::vector<MutableGlobal> mutable_globals(const wabt::Module& module) {
  std::vector<MutableGlobal> out;
  for (std::uint32_t i = 0; i < module.globals.size(); ++i) {
    const wabt::Global& global = *module.globals[i];
    if (!global.mutable_) continue;
    out.push_back({i, global.type == Type::I64 ? task::WasmType::i64 : task::WasmType::i32});
  }
  return out;
}

Result<Bytes, Error> write_binary(const wabt::Module& module) {
  wabt::MemoryStream stream;
  wabt::WriteBinaryOptions options;
  options.features = guest_features();
  if (wabt::Failed(wabt::WriteBinaryModule(&stream, &module, options))) {
    return refuse("rewriting it failed");
  }
  return std::move(stream.output_buffer().data);
}

}  // namespace

Result<Module, Error> load_module(ByteView bytes) {
  const Bytes stripped = TALLY_TRY(strip_custom_sections(bytes));
  TALLY_TRY(screen(stripped));
  wabt::Module ir;
  TALLY_TRY(read_ir(stripped, ir));
  Module out;
  out.entry = TALLY_TRY(entry_points(ir));
  wabt::Limits& pages = ir.memories.front()->page_limits;
  out.pages_min = static_cast<std::uint32_t>(pages.initial);
  out.pages_max = static_cast<std::uint32_t>(
      pages.has_max ? std::min<std::uint64_t>(pages.max, task::kMaxWasmPages)
                    : task::kMaxWasmPages);
  pages.max = out.pages_max;
  pages.has_max = true;
  out.globals = mutable_globals(ir);
  const MeterGlobals added = add_metering(ir);
  out.fuel_global = added.fuel;
  out.depth_global = added.depth;
  out.metered = TALLY_TRY(write_binary(ir));
  return out;
}

}  // namespace tally::wasm
