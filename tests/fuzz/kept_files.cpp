// Files that requesters, workers and watchtowers keep and read back: receipts, records of duties,
// states for a tower. The first byte chooses; an odd one asks for the checksum that the file would
// have, so that what stands before it is decoded too.
#include "client-sdk/dispute/receipt_file.hpp"
#include "client-sdk/host/tower_port.hpp"
#include "primitives/crypto/hash.hpp"
#include "tests/fuzz/codec.hpp"
#include "tests/fuzz/file.hpp"
#include "worker/duty/store.hpp"

namespace tally::fuzz {
namespace {

Bytes with_checksum(const char* tag, ByteView content) {
  Bytes out = domain_tag(tag);
  append(out, content);
  append(out, blake2_256(out));
  return out;
}

void run_receipt(const FuzzFolder& folder, ByteView content) {
  const auto path = folder.put("1.receipt", content);
  const auto file = dispute::read_receipt(path);
  if (!file.ok()) {
    TALLY_ASSERT(!file.error().message.empty());
    return;
  }
  (void)dispute::is_bad(*file);
  (void)dispute::read_input(path, *file).ok();
}

void run_duty(const FuzzFolder& folder, ByteView content) {
  const auto duties = folder.path() / "duties";
  std::filesystem::create_directories(duties);
  folder.put("duties/0.duty", content);
  const auto store = worker::DutyStore::open(duties);
  if (!store.ok()) {
    TALLY_ASSERT(!store.error().message.empty());
    return;
  }
  TALLY_ASSERT((*store)->loaded().size() == 1);
}

void run_watch(const FuzzFolder& folder, ByteView content) {
  const auto watch = client::read_watch(folder.put("state.watch", content));
  if (!watch.ok()) {
    TALLY_ASSERT(!watch.error().message.empty());
    return;
  }
  TALLY_ASSERT(equal(encode(*watch), content));
  client::FolderTower tower(folder.path() / "nobody");
  (void)tower.give(*watch).ok();
  (void)tower.newest(watch->update.state.channel_id);
}

}  // namespace

void run(ByteView input) {
  static const FuzzFolder folder;
  if (input.empty()) return;
  const ByteView rest = input.subspan(1);
  switch (input[0] % 6) {
    case 0:
      return run_receipt(folder, rest);
    case 1:
      return run_receipt(folder, with_checksum("receipt-file", rest));
    case 2:
      return run_duty(folder, rest);
    case 3:
      return run_duty(folder, with_checksum("duty", rest));
    case 4:
      return run_watch(folder, rest);
    default:
      return decode_strictly<dispute::ReceiptFile>(rest);
  }
}

}  // namespace tally::fuzz
