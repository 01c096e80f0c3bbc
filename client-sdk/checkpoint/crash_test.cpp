// A push that is stopped at every point and called again pays the store once and the chain for one
// record. A crash is an exception out of a callback: nothing of the push runs after it.
//
// It fails when the journal is not written before the upload, when a signed transaction is not
// kept, when look() does not search for the record, and when the nonce is compared the wrong way.
#include <catch2/catch.hpp>

#include "client-sdk/checkpoint/fixture_test.hpp"
#include "client-sdk/checkpoint/push_journal.hpp"

namespace tally::checkpoint {
namespace {

struct Crash {};

const Bytes kState = noise(5'000);

void check_done(Scene& scene, const Pushed& pushed) {
  CHECK(scene.live() == 1);
  CHECK(scene.deposits() == Balance(10'000));
  CHECK(scene.store.paid == PaidStore::kPrice);
  CHECK(scene.served.included() == 1);
  CHECK(pushed.entry.index == CheckpointIndex(0));
  CHECK_FALSE(scene.push_under_way());
  const auto pulled = scene.try_pull({scene.bob.account(), "sim"});
  REQUIRE(pulled.ok());
  CHECK(pulled->state == kState);
}

TEST_CASE("a crash at any step pays and records nothing twice") {
  for (const Step step : {Step::packed, Step::uploading, Step::uploaded, Step::read_back,
                          Step::tx_signed, Step::recorded, Step::cached}) {
    CAPTURE(static_cast<int>(step));
    Scene scene;
    PushOptions options = scene.options("sim");
    options.progress = [&](const PushProgress& progress) {
      if (progress.step == step) throw Crash{};
    };
    CHECK_THROWS_AS(scene.try_push(kState, options), Crash);
    const bool recorded = step == Step::recorded || step == Step::cached;
    CHECK(scene.live() == (recorded ? 1 : 0));
    const Pushed pushed = scene.push_now(kState);
    CHECK(pushed.was_recorded == recorded);
    check_done(scene, pushed);
  }
}

TEST_CASE("several crashes in a row, each one step further") {
  Scene scene;
  for (const Step step : {Step::packed, Step::uploading, Step::uploaded, Step::read_back,
                          Step::tx_signed, Step::recorded}) {
    PushOptions options = scene.options("sim");
    options.progress = [&](const PushProgress& progress) {
      if (progress.step == step) throw Crash{};
    };
    CHECK_THROWS_AS(scene.try_push(kState, options), Crash);
  }
  check_done(scene, scene.push_now(kState));
}

TEST_CASE("a crash between the payment and the upload") {
  Scene scene;
  scene.store.after_paying = [] { throw Crash{}; };
  CHECK_THROWS_AS(scene.push_now(kState), Crash);
  CHECK(scene.store.paid == PaidStore::kPrice);
  scene.store.after_paying = nullptr;
  check_done(scene, scene.push_now(kState));
}

TEST_CASE("a stop once the transaction is signed sends nothing, and the next push does") {
  Scene scene;
  PushOptions options = scene.options("sim");
  std::stop_source stop;
  options.stop = stop.get_token();
  options.progress = [&](const PushProgress& progress) {
    if (progress.step == Step::tx_signed) stop.request_stop();
  };
  const auto stopped = scene.try_push(kState, options);
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().fault == Fault::interrupted);
  CHECK(scene.served.included() == 0);
  check_done(scene, scene.push_now(kState));
}

TEST_CASE("a crash while the transaction is on its way, and it is included") {
  Scene scene;
  PushOptions options = scene.options("sim");
  options.progress = [&](const PushProgress& progress) {
    if (progress.step == Step::tx_signed) throw Crash{};
  };
  CHECK_THROWS_AS(scene.try_push(kState, options), Crash);
  for (const auto& entry : fs::directory_iterator(scene.folder() / "pushes")) {
    if (!entry.is_directory()) continue;
    const auto journal = PushFolder(entry.path()).read();
    REQUIRE(journal.ok());
    REQUIRE(journal->has_value());
    REQUIRE(scene.chain->submit_signed((*journal)->signed_record->extrinsic).ok());
  }
  const Pushed pushed = scene.push_now(kState);
  CHECK(pushed.was_recorded);
  check_done(scene, pushed);
}

TEST_CASE("another transaction takes the nonce of the one that was signed") {
  Scene scene;
  PushOptions options = scene.options("sim");
  options.progress = [&](const PushProgress& progress) {
    if (progress.step == Step::tx_signed) throw Crash{};
  };
  CHECK_THROWS_AS(scene.try_push(kState, options), Crash);
  scene.served.apply(
      scene.bob,
      {runtime::CreditsCall{credits::Transfer{AddressId{scene.bob.account()}, {Balance(1)}}}});
  check_done(scene, scene.push_now(kState));
}

TEST_CASE("the signed transaction's time passes before it was sent") {
  Scene scene;
  PushOptions options = scene.options("sim");
  options.progress = [&](const PushProgress& progress) {
    if (progress.step == Step::tx_signed) throw Crash{};
  };
  CHECK_THROWS_AS(scene.try_push(kState, options), Crash);
  scene.served.blocks(1'030);
  check_done(scene, scene.push_now(kState));
}

TEST_CASE("recorded, not told, and the next push of another state does not hide it") {
  Scene scene;
  PushOptions options = scene.options("sim");
  options.progress = [&](const PushProgress& progress) {
    if (progress.step == Step::recorded) throw Crash{};
  };
  CHECK_THROWS_AS(scene.try_push(kState, options), Crash);
  scene.push_now(noise(100, 2));
  const Pushed again = scene.push_now(kState);
  CHECK(again.was_recorded);
  CHECK(again.entry.index == CheckpointIndex(0));
  CHECK(scene.live() == 2);
}

TEST_CASE("a journal that does not read stops the push, and says where it is") {
  Scene scene;
  PushOptions options = scene.options("sim");
  options.progress = [&](const PushProgress& progress) {
    if (progress.step == Step::uploaded) throw Crash{};
  };
  CHECK_THROWS_AS(scene.try_push(kState, options), Crash);
  for (const auto& entry : fs::directory_iterator(scene.folder() / "pushes")) {
    if (entry.is_directory()) std::ofstream(entry.path() / "journal") << "garbage";
  }
  const auto refused = scene.try_push(kState, scene.options("sim"));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().fault == Fault::local);
  CHECK_THAT(refused.error().message, Catch::Contains("journal"));
  CHECK(scene.live() == 0);
}

}  // namespace
}  // namespace tally::checkpoint
