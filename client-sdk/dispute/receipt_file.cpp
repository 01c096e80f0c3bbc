#include "client-sdk/dispute/receipt_file.hpp"

#include <algorithm>
#include <set>

#include "client-sdk/content/files.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::dispute {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHashSize = 32;
constexpr std::uint64_t kMaxFileBytes = 256 << 10;
constexpr const char* kInputs = "inputs";
constexpr std::string_view kEnding = ".receipt";

Bytes file_bytes(const ReceiptFile& file) {
  Bytes out = domain_tag("receipt-file");
  append(out, encode(file));
  append(out, blake2_256(out));
  return out;
}

Failure<Error> bad_file(const fs::path& path, const std::string& what) {
  return fail_with("the receipt file " + path.string() + " " + what);
}

Result<ReceiptFile, Error> parse(const fs::path& path, ByteView bytes) {
  const Bytes tag = domain_tag("receipt-file");
  if (bytes.size() < tag.size() + kHashSize || !equal(bytes.first(tag.size()), tag)) {
    return bad_file(path, "does not begin like one");
  }
  const ByteView covered = bytes.first(bytes.size() - kHashSize);
  if (!equal(blake2_256(covered), bytes.last(kHashSize))) {
    return bad_file(path, "is damaged: its checksum does not fit");
  }
  auto file = decode<ReceiptFile>(covered.subspan(tag.size()));
  if (!file) return bad_file(path, "is malformed: " + to_text(file.error()));
  return *std::move(file);
}

fs::path stored_input_of(const fs::path& path, const ReceiptFile& file) {
  return path.parent_path().parent_path() / kInputs / to_hex(file.receipt.receipt.input_hash);
}

}  // namespace

bool is_bad(const ReceiptFile& file) {
  return file.check && file.check->expected != file.receipt.receipt.output_hash;
}

Result<ReceiptFile, Error> read_receipt(const fs::path& path) {
  const Bytes bytes = TALLY_TRY(content::read_whole(path, kMaxFileBytes));
  auto file = TALLY_TRY(parse(path, bytes));
  const task::Receipt& receipt = file.receipt.receipt;
  if (blake2_256(file.spec) != receipt.spec_hash) {
    return bad_file(path, "has a spec with another hash than the worker signed");
  }
  const auto* inside = std::get_if<InlineInput>(&file.input);
  if (inside != nullptr && blake2_256(inside->bytes) != receipt.input_hash) {
    return bad_file(path, "has an input with another hash than the worker signed");
  }
  if (!task::receipt_signature_is_valid(file.receipt)) {
    return bad_file(path, "has a signature that is not the worker's");
  }
  return file;
}

Result<Bytes, Error> read_input(const fs::path& path, const ReceiptFile& file) {
  if (const auto* inside = std::get_if<InlineInput>(&file.input)) return inside->bytes;
  const fs::path stored = stored_input_of(path, file);
  auto bytes = TALLY_TRY(content::read_whole(stored, content::kMaxContentBytes));
  if (blake2_256(bytes) == file.receipt.receipt.input_hash) return bytes;
  return fail_with("the input " + stored.string() +
                   " is damaged: it has another hash than the worker signed");
}

Result<ReceiptFolder, Error> ReceiptFolder::open(const fs::path& folder) {
  TALLY_TRY(content::make_private_folder(folder));
  auto inputs = TALLY_TRY(content::ContentFolder::open(folder / kInputs));
  return ReceiptFolder(folder, std::move(inputs));
}

fs::path ReceiptFolder::path_of(const task::Receipt& receipt) const {
  return folder_ / to_hex(receipt.channel_id) /
         (to_decimal(receipt.task_id) + std::string(kEnding));
}

Result<fs::path, Error> ReceiptFolder::keep(const KeepRequest& request) const {
  ReceiptFile file{.receipt = request.receipt,
                   .spec = to_bytes(request.spec),
                   .input = InlineInput{},
                   .agreed_price = request.agreed_price,
                   .endpoint = request.endpoint,
                   .challenge_period = request.challenge_period,
                   .kept_at = request.kept_at,
                   .check = std::nullopt};
  if (request.input.size() <= kMaxInlineInput) {
    file.input = InlineInput{to_bytes(request.input)};
  } else {
    TALLY_TRY(inputs_.put(request.input));
    file.input = StoredInput{request.input.size()};
  }
  const fs::path path = path_of(request.receipt.receipt);
  TALLY_TRY(content::make_private_folder(path.parent_path()));
  TALLY_TRY(content::write_durably(path, file_bytes(file)));
  return path;
}

Result<void, Error> ReceiptFolder::add_check(const fs::path& path, const KeptCheck& check) const {
  auto file = TALLY_TRY(read_receipt(path));
  file.check = check;
  return content::write_durably(path, file_bytes(file));
}

std::vector<ListedReceipt> ReceiptFolder::list() const {
  std::vector<ListedReceipt> out;
  std::error_code error;
  for (const auto& channel : fs::directory_iterator(folder_, error)) {
    for (const fs::path& path : content::files_in(channel.path(), kEnding)) {
      out.push_back({path, read_receipt(path)});
    }
  }
  const auto order = [](const ListedReceipt& listed) {
    const auto finished = listed.file ? listed.file->receipt.receipt.finished_ms : TimestampMs{};
    return std::pair(finished, listed.path);
  };
  std::sort(out.begin(), out.end(),
            [&](const auto& a, const auto& b) { return order(a) < order(b); });
  return out;
}

Result<std::size_t, Error> ReceiptFolder::forget_before(TimestampMs time) const {
  std::size_t gone = 0;
  std::set<Hash> needed;
  bool damaged = false;
  for (const ListedReceipt& listed : list()) {
    if (!listed.file) {
      damaged = true;
      continue;
    }
    const task::Receipt& receipt = listed.file->receipt.receipt;
    if (receipt.finished_ms < time) {
      TALLY_TRY(content::remove_durably(listed.path));
      ++gone;
    } else {
      needed.insert(receipt.input_hash);
    }
  }
  // What a damaged file needs is not known: then every input stays.
  if (damaged) return gone;
  for (const Hash& hash : inputs_.all()) {
    if (!needed.contains(hash)) TALLY_TRY(inputs_.remove(hash));
  }
  return gone;
}

}  // namespace tally::dispute
