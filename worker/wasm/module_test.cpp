#include "worker/wasm/module.hpp"

#include <catch2/catch.hpp>

#include "worker/wasm/wat_test.hpp"

namespace tally::wasm {

namespace {

void check_refused(ByteView module, const std::string& expected) {
  const auto loaded = load_module(module);
  REQUIRE_FALSE(loaded.ok());
  CAPTURE(loaded.error().message, expected);
  CHECK(loaded.error().message.find(expected) != std::string::npos);
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

Guest with(std::string Guest::*part, const std::string& text) {
  Guest guest;
  guest.*part = text;
  return guest;
}

}  // namespace

TEST_CASE("a module that keeps the rules is loaded") {
  const auto module = load_module(Guest{}.bytes());
  REQUIRE(module.ok());
  CHECK(module->pages_min == 1);
  CHECK(module->pages_max == 4);
  CHECK(module->globals.empty());
}

TEST_CASE("memory without a maximum gets ours, and a larger maximum is cut to it") {
  Guest guest;
  guest.memory = "(memory (export \"memory\") 1)";
  CHECK(load_module(guest.bytes())->pages_max == task::kMaxWasmPages);
  guest.memory = "(memory (export \"memory\") 1 60000)";
  CHECK(load_module(guest.bytes())->pages_max == task::kMaxWasmPages);
}

TEST_CASE("what is no WebAssembly module is told by its first bytes") {
  check_refused({}, "no WebAssembly module");
  check_refused(as_bytes("#!/bin/sh\necho"), "got 0x23212f62696e2f73");
  Bytes version2 = Guest{}.bytes();
  version2[4] = 2;
  check_refused(version2, "version 1");
}

TEST_CASE("a module larger than the limit is refused before it is read") {
  check_refused(Bytes(task::kMaxWasmModule + 1), "at most 1048576 bytes, got 1048577");
}

TEST_CASE("every cut of a module is refused") {
  const Bytes module = Guest{}.bytes();
  for (std::size_t size = 0; size < module.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(load_module(ByteView(module).first(size)).ok());
  }
}

TEST_CASE("imports are refused by name, whatever they are") {
  const std::string rest = Guest{}.text().substr(8);
  check_refused(wat("(module (import \"env\" \"clock\" (func)) " + rest),
                "imports the func env.clock");
  check_refused(wat("(module (import \"wasi\" \"g\" (global i32)) " + rest), "global wasi.g");
  check_refused(wat("(module (import \"e\" \"t\" (table 1 funcref)) " + rest), "table e.t");
  check_refused(wat("(module (import \"e\" \"m\" (memory 1)) " + rest), "memory e.m");
}

TEST_CASE("floating point is refused by name, in types and in instructions") {
  check_refused(with(&Guest::functions, "(func (param f64))").bytes(), "values of type f64");
  check_refused(with(&Guest::functions, "(func (local f32))").bytes(), "values of type f32");
  check_refused(with(&Guest::globals, "(global f64 (f64.const 1))").bytes(), "type f64");
  check_refused(with(&Guest::init, "f64.const 1 drop").bytes(), "instruction f64.const");
  check_refused(with(&Guest::init, "i32.const 0 f32.convert_i32_s drop").bytes(),
                "f32.convert_i32_s; floating point");
  check_refused(with(&Guest::init, "i32.const 0 f32.load drop").bytes(), "f32.load; floating");
  check_refused(
      with(&Guest::init, "i32.const 0 f32.reinterpret_i32 i32.trunc_sat_f32_s drop").bytes(),
      "floating point");
}

TEST_CASE("what is not deterministic, or changes what a snapshot does not hold, is refused") {
  check_refused(with(&Guest::init, "i32.const 0 i8x16.splat drop").bytes(), "i8x16.splat");
  check_refused(with(&Guest::init, "i32.const 0 i32.atomic.load drop").bytes(), "i32.atomic.load");
  check_refused(with(&Guest::init, "ref.null func drop").bytes(), "ref.null");
  const std::string table = "(table 1 funcref)";
  check_refused(with(&Guest::functions, table + "(func i32.const 0 table.get 0 drop)").bytes(),
                "table.get");
  check_refused(with(&Guest::functions, table + "(func table.size 0 drop)").bytes(), "table.size");
  const std::string data = "(data $d \"x\")";
  check_refused(
      with(&Guest::functions, data + "(func i32.const 0 i32.const 0 i32.const 0 memory.init $d)")
          .bytes(),
      "memory.init");
  check_refused(with(&Guest::functions, data).bytes(), "passive data segments");
  check_refused(with(&Guest::functions, data + "(func data.drop $d)").bytes(), "data.drop");
  check_refused(with(&Guest::functions, "(elem func)").bytes(), "passive element segments");
  check_refused(with(&Guest::functions, "(func $s) (start $s)").bytes(), "start function");
  check_refused(with(&Guest::functions, "(table 1 externref)").bytes(), "tables of references");
}

TEST_CASE("limits are refused with both numbers") {
  check_refused(with(&Guest::memory, "(memory (export \"memory\") 513)").bytes(),
                "at most 512 pages of memory, got 513");
  check_refused(with(&Guest::functions, "(table 65537 funcref)").bytes(),
                "65536 elements of a table, got 65537");
  check_refused(with(&Guest::functions, "(func " + repeated("(local i32)", 1'025) + ")").bytes(),
                "at most 1024 locals");
  check_refused(with(&Guest::functions, "(func (param " + repeated("i32 ", 65) + "))").bytes(),
                "at most 64 parameters");
  check_refused(with(&Guest::init, repeated("block ", 513) + repeated("end ", 513)).bytes(),
                "at most 512 blocks in blocks, got 513");
  check_refused(with(&Guest::globals, repeated("(global i32 (i32.const 0))", 1'025)).bytes(),
                "at most 1024 globals");
  check_refused(with(&Guest::init, repeated("nop ", kMaxFunctionBytes)).bytes(),
                "at most 262144 bytes of a function");
  const std::string half = "(func " + repeated("nop ", kMaxInstructions / 2) + ")";
  check_refused(with(&Guest::functions, half + half).bytes(), "at most 250000 instructions");
  CHECK(load_module(with(&Guest::functions, half).bytes()).ok());
  CHECK(load_module(with(&Guest::init, repeated("block ", 511) + repeated("end ", 511)).bytes())
            .ok());
}

TEST_CASE("a huge number of locals in a few bytes is refused") {
  // One declaration of 2^28 - 1 locals, as no text would say it.
  Bytes module = with(&Guest::functions, "(func (local i32 i32 i32))").bytes();
  const Bytes declaration = {0x01, 0x03, 0x7f, 0x0b};
  const auto at = std::search(module.begin(), module.end(), declaration.begin(), declaration.end());
  REQUIRE(at != module.end());
  // 0x7f as count reads on into the type: the sizes stay those of the section.
  *(at + 1) = 0xff;
  CHECK_FALSE(load_module(module).ok());
}

TEST_CASE("the exports are checked with their types") {
  const auto without = [](const std::string& name) {
    std::string text = Guest{}.text();
    text.replace(text.find("\"" + name + "\""), name.size() + 2, "\"other\"");
    return wat(text);
  };
  check_refused(without("memory"), "export its memory");
  for (const char* name :
       {"tally_buffer", "tally_init", "tally_step", "tally_result", "tally_result_size"}) {
    check_refused(without(name), std::string("must export the function ") + name);
  }
  std::string text = Guest{}.text();
  text.replace(text.find("(func (export \"tally_step\") (result i32) i32.const 1)"), 53,
               "(func (export \"tally_step\"))");
  check_refused(wat(text), "tally_step() -> i32, and its type is another");
}

TEST_CASE("a module that is not valid is refused, and so is one that names our counters") {
  check_refused(with(&Guest::init, "i32.const 0").bytes(), "not valid");
  check_refused(with(&Guest::init, "i64.const 0 i32.eqz drop").bytes(), "not valid");
  // The counters are the globals after the guest's own.
  check_refused(with(&Guest::init, "i64.const 999 global.set 0").bytes(), "not valid");
  Guest own = with(&Guest::init, "i64.const 999 global.set 1");
  own.globals = "(global (mut i64) (i64.const 0))";
  check_refused(own.bytes(), "not valid");
  check_refused(with(&Guest::functions, "(export \"fuel\" (global 0))").bytes(), "");
}

TEST_CASE("custom sections are skipped, damaged or not") {
  Bytes module = Guest{}.bytes();
  const Bytes plain = load_module(module)->metered;
  append(module, Bytes{0, 5, 4, 'n', 'a', 'm', 'e'});
  append(module, Bytes{0, 3, 0xff, 0xff, 0xff});
  CHECK(load_module(module)->metered == plain);
}

}  // namespace tally::wasm
