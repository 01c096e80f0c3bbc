#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "client-sdk/content/files.hpp"
#include "client-sdk/dispute/buyer.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/derivation.hpp"

namespace tally::dispute {
namespace {

namespace fs = std::filesystem;

const KeyPair kWorker = dev_key(KeyScheme::ecdsa, "Bob");
const KeyPair kRequester = dev_key(KeyScheme::ecdsa, "Alice");

struct Fixture {
  fs::path path = fs::temp_directory_path() / ("tally-receipts-" + std::to_string(getpid()));
  Fixture() {
    fs::remove_all(path);
    folder.emplace(*ReceiptFolder::open(path));
  }
  ~Fixture() { fs::remove_all(path); }

  std::optional<ReceiptFolder> folder;
  Bytes spec = encode(task::PrimeSpec{0, 100});
  std::uint64_t next_task = 1;

  task::SignedReceipt receipt(ByteView input, const Hash& output = blake2_256({})) {
    return task::sign_receipt(kWorker, {.worker = kWorker.account(),
                                        .requester = kRequester.account(),
                                        .task_id = next_task,
                                        .environment = task::executor_environment(),
                                        .spec_hash = blake2_256(spec),
                                        .input_hash = blake2_256(input),
                                        .output_hash = output,
                                        .price = Balance(7),
                                        .finished_ms = TimestampMs(1'000 * next_task++)});
  }
  fs::path keep(ByteView input) {
    const auto kept = folder->keep({.receipt = receipt(input),
                                    .spec = spec,
                                    .input = input,
                                    .agreed_price = Balance(7),
                                    .endpoint = "127.0.0.1:9950",
                                    .kept_at = TimestampMs(5)});
    if (!kept) FAIL(kept.error().message);
    return *kept;
  }
};

TEST_CASE("a receipt that was kept comes back, with its input, in private files") {
  Fixture f;
  for (const std::size_t size : {std::size_t{0}, kMaxInlineInput, kMaxInlineInput + 1}) {
    const Bytes input(size, 7);
    const fs::path path = f.keep(input);
    const auto file = read_receipt(path);
    if (!file) FAIL(file.error().message);
    CHECK(std::holds_alternative<InlineInput>(file->input) == (size <= kMaxInlineInput));
    CHECK(*read_input(path, *file) == input);
    CHECK(file->agreed_price == Balance(7));
    struct stat info {};
    REQUIRE(stat(path.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
  }
  const auto all = f.folder->list();
  REQUIRE(all.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(all[i].file->receipt.receipt.task_id == i + 1);
}

// Shown to fail by leaving out the checksum: a flipped bit in the endpoint then goes unnoticed.
TEST_CASE("no bit of a receipt file can change unnoticed") {
  Fixture f;
  const fs::path path = f.keep(Bytes(40, 1));
  const Bytes good = *content::read_whole(path, 1 << 20);
  for (std::size_t at = 0; at < good.size(); ++at) {
    Bytes bad = good;
    bad[at] ^= 0x10;
    REQUIRE(content::write_durably(path, bad).ok());
    CAPTURE(at);
    CHECK_FALSE(read_receipt(path).ok());
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, good.size() - 1}) {
    REQUIRE(content::write_durably(path, ByteView(good).first(size)).ok());
    CHECK_FALSE(read_receipt(path).ok());
  }
  REQUIRE(content::write_durably(path, good).ok());
  CHECK(read_receipt(path).ok());
}

// Shown to fail, one by one, by leaving out each of the three comparisons in read_receipt().
TEST_CASE("a file whose parts do not belong together is refused") {
  Fixture f;
  const auto refused = [&](KeepRequest request) {
    const auto kept = f.folder->keep(request);
    REQUIRE(kept.ok());
    return !read_receipt(*kept).ok();
  };
  const Bytes input(10, 1);
  const Bytes other(10, 2);
  const KeepRequest good{.receipt = f.receipt(input), .spec = f.spec, .input = input};
  CHECK_FALSE(refused(good));
  KeepRequest bad = good;
  bad.spec = other;
  CHECK(refused(bad));
  bad = good;
  bad.input = other;
  CHECK(refused(bad));
  bad = good;
  bad.receipt.receipt.price = Balance(8);
  CHECK(refused(bad));
}

TEST_CASE("old receipts go, and inputs with them unless a newer one needs them") {
  Fixture f;
  const Bytes shared(kMaxInlineInput + 1, 1);
  const Bytes lone(kMaxInlineInput + 1, 2);
  f.keep(shared);
  f.keep(lone);
  const fs::path newest = f.keep(shared);
  CHECK(f.folder->inputs().all().size() == 2);
  CHECK(*f.folder->forget_before(TimestampMs(3'000)) == 2);
  CHECK(f.folder->list().size() == 1);
  CHECK(f.folder->inputs().all() == std::vector<Hash>{blake2_256(shared)});
  CHECK(*read_input(newest, *read_receipt(newest)) == shared);
  CHECK_FALSE(f.folder->inputs().has(blake2_256(lone)));
}

// A file of an older version must stay readable: a change of this hash is a new tag.
TEST_CASE("the bytes of a receipt file are pinned") {
  ReceiptFile file;
  file.receipt.signature = SignedEd25519{};
  file.receipt.receipt.task_id = 7;
  file.spec = {1, 2, 3};
  file.input = StoredInput{70'000};
  file.agreed_price = Balance(6);
  file.endpoint = "127.0.0.1:9950";
  file.challenge_period = DurationMs(10'000);
  file.kept_at = TimestampMs(5);
  file.check = KeptCheck{.expected = blake2_256({}), .choice = Choice{.fraction_ppm = 100'000}};
  CHECK(to_hex(blake2_256(encode(file))) ==
        "a31da9034484c12afd2dbca10c47ea13d0e6af0c3c2fa711d99154c79c5f0232");
}

// A worker that answers with these output hashes, one after the other.
struct Stall {
  Fixture& f;
  std::vector<Hash> answers;
  std::size_t at = 0;
  int paid = 0;

  Seller seller() {
    return {
        .run_unpaid =
            [this](const task::TaskRequest& request) -> Result<task::TaskReply, task::TaskError> {
          return task::TaskReply{
              .receipt = f.receipt(task::whole_input(request), answers[at++ % answers.size()])};
        },
        .pay = [this](const task::TaskReply&) -> Result<void, task::TaskError> {
          ++paid;
          return {};
        },
        .endpoint = "127.0.0.1:9950"};
  }
};

struct BuyerFixture : Fixture {
  Secret seed = task::spot_check_seed(kRequester);
  Hash right = blake2_256(Bytes{1});
  Hash wrong = blake2_256(Bytes{2});
  int done_again = 0;

  Buyer buyer(std::uint32_t check_ppm) {
    return Buyer({.receipts = *folder,
                  .vrf_seed = seed,
                  .check_ppm = check_ppm,
                  .again = [this](task::TaskType, ByteView, ByteView) -> Result<Hash, Error> {
                    ++done_again;
                    return right;
                  },
                  .clock = [] { return TimestampMs(9); }});
  }
  task::TaskRequest request() const {
    return {.type = task::TaskType::prime_calculation, .spec = spec, .input = {}};
  }
};

// Shown to fail by paying before the check.
TEST_CASE("a wrong result that is checked is not paid, and leaves its evidence") {
  BuyerFixture f;
  Stall stall{f, {f.right, f.wrong}};
  const Buyer buyer = f.buyer(task::kEveryTask);
  const auto good = buyer.run(stall.seller(), f.request(), 0);
  REQUIRE(good.ok());
  CHECK(good->checked);
  CHECK_FALSE(is_bad(*read_receipt(good->receipt_file)));
  CHECK(stall.paid == 1);

  const auto bad = buyer.run(stall.seller(), f.request(), 0);
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.error().task.code == "wrong_result");
  CHECK(stall.paid == 1);
  REQUIRE(bad.error().receipt_file);
  const auto file = read_receipt(*bad.error().receipt_file);
  REQUIRE(file.ok());
  CHECK(is_bad(*file));
  REQUIRE(file->check->choice);
  const Choice& choice = *file->check->choice;
  CHECK(task::choice_is_valid(choice.key, file->receipt.receipt, choice.proof, 1'000'000));
  CHECK_FALSE(
      task::choice_is_valid(choice.key, good->reply.receipt.receipt, choice.proof, 1'000'000));
  CHECK_FALSE(task::choice_is_valid(choice.key, file->receipt.receipt, choice.proof, 0));
}

TEST_CASE("the audit band of a worker raises how much is checked") {
  BuyerFixture f;
  Stall stall{f, {f.right}};
  const Buyer buyer = f.buyer(0);
  const auto checks = [&](workers::AuditBand band, int tasks) {
    f.done_again = 0;
    for (int i = 0; i < tasks; ++i) {
      REQUIRE(buyer.run(stall.seller(), f.request(), audit_duty_ppm(band)).ok());
    }
    return f.done_again;
  };
  CHECK(checks(workers::AuditBand::every_task, 20) == 20);
  CHECK(checks(workers::AuditBand::none, 20) == 0);
  const int tenth = checks(workers::AuditBand::one_in_ten, 300);
  CHECK(tenth > 10);
  CHECK(tenth < 60);
  CHECK(f.folder->list().size() == 340);
}

// A choice that anyone but the account can foresee would tell a worker when to lie.
TEST_CASE("the seed of the choices comes from the account's secret") {
  CHECK(equal(task::spot_check_seed(kRequester).view(), task::spot_check_seed(kRequester).view()));
  CHECK_FALSE(
      equal(task::spot_check_seed(kRequester).view(), task::spot_check_seed(kWorker).view()));
}

}  // namespace
}  // namespace tally::dispute
