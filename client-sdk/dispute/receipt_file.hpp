// The receipts that a requester keeps: with one of these files a wrong result becomes a dispute.
//
// A file, <folder>/<channel id, hex>/<task id>.receipt, mode 0600, written synced:
//
//   "tallystick/receipt-file/v1" ‖ SCALE(ReceiptFile) ‖ blake2_256 of all that stands before
//
// The input is inside up to 64 KiB; a longer one lies beside, in <folder>/inputs/<its hash, hex>,
// once for all tasks that share it. That folder can be served as it is (content/server.hpp).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "client-sdk/content/folder.hpp"
#include "client-sdk/task/receipt.hpp"
#include "primitives/crypto/vrf.hpp"

namespace tally::dispute {

constexpr std::size_t kMaxInlineInput = 64 << 10;

struct InlineInput {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "inline";
  Bytes bytes;
  friend bool operator==(const InlineInput&, const InlineInput&) = default;
};
TALLY_DESCRIBE(InlineInput, bytes);
// In the folder `inputs`, under the receipt's input_hash.
struct StoredInput {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "stored";
  std::uint64_t size_bytes{};
  friend bool operator==(const StoredInput&, const StoredInput&) = default;
};
TALLY_DESCRIBE(StoredInput, size_bytes);

// That the requester's VRF chose the task to be done again, and no hand: task::choice_is_valid().
struct Choice {
  std::uint32_t fraction_ppm{};  // the share of tasks that were to be checked, in millionths
  VrfKey key;
  VrfProof proof;  // over task::choice_bytes(receipt)
  friend bool operator==(const Choice&, const Choice&) = default;
};
TALLY_DESCRIBE(Choice, fraction_ppm, key, proof);

// What came out when the task was done by somebody else.
struct KeptCheck {
  Hash expected;                 // the output hash that this machine, or most workers, got
  std::optional<Choice> choice;  // none: the task was given to several workers
  friend bool operator==(const KeptCheck&, const KeptCheck&) = default;
};
TALLY_DESCRIBE(KeptCheck, expected, choice);

struct ReceiptFile {
  task::SignedReceipt receipt;
  Bytes spec;
  std::variant<InlineInput, StoredInput> input;
  Balance agreed_price;
  std::string endpoint;         // where the worker answered; empty: not known
  DurationMs challenge_period;  // of the channel, which its id was made from; 0: not known
  TimestampMs kept_at;          // this machine's clock
  std::optional<KeptCheck> check;
  friend bool operator==(const ReceiptFile&, const ReceiptFile&) = default;
};
TALLY_DESCRIBE(ReceiptFile, receipt, spec, input, agreed_price, endpoint, challenge_period, kept_at,
               check);

// Whether a check found another output than the worker signed.
bool is_bad(const ReceiptFile& file);

// Checks checksum, hashes of spec and inline input, and the worker's signature: a file that is read
// can be disputed as far as its bytes go. The error says which of them does not hold.
Result<ReceiptFile, Error> read_receipt(const std::filesystem::path& path);
// The input of a file that was read from `path`; checked against the receipt.
Result<Bytes, Error> read_input(const std::filesystem::path& path, const ReceiptFile& file);

struct KeepRequest {
  task::SignedReceipt receipt;
  ByteView spec;
  ByteView input;
  Balance agreed_price;
  std::string endpoint;
  DurationMs challenge_period;
  TimestampMs kept_at;
};

struct ListedReceipt {
  std::filesystem::path path;
  Result<ReceiptFile, Error> file;
};

class ReceiptFolder {
 public:
  // Makes the folder if it is missing.
  static Result<ReceiptFolder, Error> open(const std::filesystem::path& folder);

  // Written and synced when it returns the file's path.
  Result<std::filesystem::path, Error> keep(const KeepRequest& request) const;
  // Adds the check's outcome to a file of this folder.
  Result<void, Error> add_check(const std::filesystem::path& path, const KeptCheck& check) const;
  // All files, oldest task first; a damaged one with its error.
  std::vector<ListedReceipt> list() const;
  std::filesystem::path path_of(const task::Receipt& receipt) const;
  // Where the longer inputs are, for a content server.
  const content::ContentFolder& inputs() const { return inputs_; }
  // Removes receipts that finished before the time, and inputs that none of the rest needs; returns
  // how many receipts went. A receipt older than a day can no longer be disputed.
  Result<std::size_t, Error> forget_before(TimestampMs time) const;

 private:
  ReceiptFolder(std::filesystem::path folder, content::ContentFolder inputs)
      : folder_(std::move(folder)), inputs_(std::move(inputs)) {}
  std::filesystem::path folder_;
  content::ContentFolder inputs_;
};

}  // namespace tally::dispute
