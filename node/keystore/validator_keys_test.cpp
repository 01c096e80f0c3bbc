#include "node/keystore/validator_keys.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "genesis/chain_spec.hpp"

using namespace tally;
using namespace tally::keystore;

namespace {

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() /
                               ("tally-keys-" + to_hex(Secret::generate().view()).substr(0, 16));
  ~Folder() { std::filesystem::remove_all(path); }
};

}  // namespace

TEST_CASE("development keys are those of the presets' validators") {
  const auto spec = genesis::preset("local4");
  REQUIRE(spec.ok());
  const auto keys = dev_validator_keys("//Bob");
  REQUIRE(keys.ok());
  CHECK(spec->validators[1].consensus_key == keys->consensus_key());
  CHECK(spec->validators[1].vrf_key == keys->vrf_key());
  const auto node = dev_node_secret("//Bob");
  REQUIRE(node.ok());
  CHECK(ed25519_public(*node) != keys->consensus_key());
  for (const char* bad : {"Bob", "//", "//Bob/soft", "//Bob//hard", ""}) {
    INFO(bad);
    CHECK_FALSE(dev_validator_keys(bad).ok());
  }
}

TEST_CASE("generated keys are found again with the password only") {
  const Folder folder;
  const auto made = create_validator_keys(folder.path, "secret", KeyCost::least());
  REQUIRE(made.ok());
  const auto loaded = load_validator_keys(folder.path, "secret");
  REQUIRE(loaded.ok());
  CHECK(loaded->consensus_key() == made->consensus_key());
  CHECK(loaded->vrf_key() == made->vrf_key());
  CHECK_FALSE(load_validator_keys(folder.path, "Secret").ok());
  const auto again = create_validator_keys(folder.path, "secret", KeyCost::least());
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().message.find("already") != std::string::npos);
  // One of the two is enough to stop it, and neither file is written over.
  std::filesystem::remove(folder.path / kConsensusFile);
  CHECK_FALSE(create_validator_keys(folder.path, "secret", KeyCost::least()).ok());
  CHECK_FALSE(std::filesystem::exists(folder.path / kConsensusFile));
}

TEST_CASE("a corrupt, missing or exchanged key file is named") {
  const Folder folder;
  REQUIRE(create_validator_keys(folder.path, "secret", KeyCost::least()).ok());
  const auto consensus = folder.path / kConsensusFile;
  SECTION("corrupt") {
    std::ofstream(consensus, std::ios::trunc) << "{";
  }
  SECTION("missing") {
    std::filesystem::remove(consensus);
  }
  SECTION("exchanged") {
    std::filesystem::copy_file(folder.path / kVrfFile, consensus,
                               std::filesystem::copy_options::overwrite_existing);
  }
  const auto loaded = load_validator_keys(folder.path, "secret");
  REQUIRE_FALSE(loaded.ok());
  CHECK(loaded.error().message.find(consensus.string()) != std::string::npos);
}
