// Reading the vector files of this folder: see README.md.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "primitives/bytes.hpp"

namespace tally::vectors {

using Json = nlohmann::json;

inline Json read_json(const std::string& path) {
  std::ifstream file(path);
  INFO("vector file " << path);
  REQUIRE(file.good());
  return Json::parse(file);
}

// "substrate/keys.json", from the folder that TALLY_VECTORS names, or else this one.
inline Json load(const std::string& name) {
  const char* folder = std::getenv("TALLY_VECTORS");
  return read_json((folder ? std::string(folder) : TALLY_SOURCE_DIR "/tests/vectors") + "/" + name);
}

// A list of a vector file, never an empty one. By value: a range-for over load(…)[…] would run over
// what is already destroyed.
inline Json cases(const std::string& name, const std::string& list) {
  Json out = load(name).at(list);
  REQUIRE_FALSE(out.empty());
  return out;
}

inline Json load_own(const std::string& name) {
  return read_json(TALLY_SOURCE_DIR "/tests/vectors/own/" + name);
}

inline Bytes bytes_of(const Json& hex) {
  const auto out = from_hex(hex.get<std::string>());
  REQUIRE(out.has_value());
  return *out;
}

template <class Fixed>
Fixed fixed_of(const Json& hex) {
  const auto out = Fixed::from(bytes_of(hex));
  REQUIRE(out.has_value());
  return *out;
}

}  // namespace tally::vectors
