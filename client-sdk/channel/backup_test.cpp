#include "client-sdk/channel/backup.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>

#include "modules/channels/signing.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::channel {
namespace {

KeyPair key(std::string_view name) {
  return *KeyPair::from_secret(KeyScheme::ecdsa, Secret(blake2_256(as_bytes(name)).bytes));
}

Backup sample() {
  const KeyPair a = key("alice");
  const KeyPair b = key("bob");
  Record record;
  record.terms.channel_id.bytes.fill(5);
  record.terms.opener = a.account();
  record.terms.counterparty = b.account();
  record.stage = Stage::ready;
  record.highest_signed = ChannelVersion(3);
  ChannelState state{
      record.terms.channel_id, ChannelVersion(3), Balance(60), Balance(40), {}, 0, {}};
  const Bytes bytes = channels::update_bytes(state);
  record.newest = CoSignedState{state, a.sign(bytes), b.sign(bytes)};
  return {Hash{}, TimestampMs(7), {record}};
}

}  // namespace

TEST_CASE("a backup comes back with its password and with no other") {
  const Backup backup = sample();
  const auto sealed = seal_backup(backup, "correct horse", BackupCost::least());
  REQUIRE(sealed.ok());
  const auto opened = open_backup(*sealed, "correct horse");
  REQUIRE(opened.ok());
  CHECK(*opened == backup);
  CHECK_FALSE(open_backup(*sealed, "correct horsf").ok());
  CHECK_FALSE(seal_backup(backup, "", BackupCost::least()).ok());
}

TEST_CASE("a changed or shortened backup is refused at every byte") {
  const auto sealed = seal_backup(sample(), "pw", BackupCost::least());
  REQUIRE(sealed.ok());
  const std::size_t step = 13;
  for (std::size_t at = 0; at < sealed->size(); at += step) {
    // The highest bit: a cost that this makes huge is refused before it is paid.
    Bytes bad = *sealed;
    bad[at] ^= 0x80;
    CHECK_FALSE(open_backup(bad, "pw").ok());
    CHECK_FALSE(open_backup(ByteView(*sealed).first(at), "pw").ok());
  }
}

TEST_CASE("a backup says what it could bring back") {
  Backup backup = sample();
  const auto good = verify_backup(backup);
  REQUIRE(good.size() == 1);
  CHECK(good.front().newest == ChannelVersion(3));
  CHECK(good.front().mine == Balance(60));
  CHECK(good.front().theirs == Balance(40));
  CHECK(good.front().signatures_valid);
  backup.records.front().newest->state.balance_a = Balance(61);
  CHECK_FALSE(verify_backup(backup).front().signatures_valid);
}

TEST_CASE("a backup file is private and replaces an older one") {
  const auto path =
      std::filesystem::temp_directory_path() / ("tally-backup-" + std::to_string(::getpid()));
  REQUIRE(write_backup(path, sample(), "pw", BackupCost::least()).ok());
  REQUIRE(write_backup(path, sample(), "pw2", BackupCost::least()).ok());
  CHECK(read_backup(path, "pw2").ok());
  CHECK_FALSE(read_backup(path, "pw").ok());
  using std::filesystem::perms;
  CHECK((std::filesystem::status(path).permissions() & (perms::group_all | perms::others_all)) ==
        perms::none);
  std::filesystem::remove(path);
}

}  // namespace tally::channel
