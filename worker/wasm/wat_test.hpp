// Guests for the tests, in WebAssembly's text form.
#pragma once

#include <wabt/binary-writer.h>
#include <wabt/feature.h>
#include <wabt/ir.h>
#include <wabt/wast-lexer.h>
#include <wabt/wast-parser.h>

#include <string>

#include "primitives/assert.hpp"
#include "primitives/bytes.hpp"

namespace tally::wasm {

// Every feature is on: what a guest may not have must be refused by us. Not validated.
inline Bytes wat(const std::string& text) {
  wabt::Errors errors;
  wabt::Features features;
  features.EnableAll();
  const auto lexer = wabt::WastLexer::CreateBufferLexer("test", text.data(), text.size(), &errors);
  wabt::WastParseOptions parse(features);
  std::unique_ptr<wabt::Module> module;
  const bool parsed = wabt::Succeeded(wabt::ParseWatModule(lexer.get(), &module, &errors, &parse));
  if (!errors.empty()) throw std::runtime_error(errors.front().message + " in " + text);
  TALLY_ASSERT(parsed);
  wabt::MemoryStream stream;
  wabt::WriteBinaryOptions options;
  options.features = features;
  TALLY_ASSERT(wabt::Succeeded(wabt::WriteBinaryModule(&stream, module.get(), options)));
  return stream.output_buffer().data;
}

// What a guest is made of; a test replaces one part.
struct Guest {
  std::string memory = "(memory (export \"memory\") 1 4)";
  std::string globals;
  std::string functions;
  std::string buffer = "i32.const 0";
  std::string init;
  std::string step = "i32.const 1";
  std::string result = "i32.const 0";
  std::string result_size = "i32.const 4";

  std::string text() const {
    return "(module " + memory + globals + functions +
           "(func (export \"tally_buffer\") (param i32) (result i32) " + buffer + ")" +
           "(func (export \"tally_init\") (param i32 i32) " + init + ")" +
           "(func (export \"tally_step\") (result i32) " + step + ")" +
           "(func (export \"tally_result\") (result i32) " + result + ")" +
           "(func (export \"tally_result_size\") (result i32) " + result_size + "))";
  }
  Bytes bytes() const { return wat(text()); }
};

}  // namespace tally::wasm
