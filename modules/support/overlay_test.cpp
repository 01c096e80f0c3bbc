#include "modules/support/overlay.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

namespace tally {
namespace {

Bytes b(std::string_view text) {
  return to_bytes(as_bytes(text));
}

MapState state_of(const std::map<Bytes, Bytes>& entries) {
  return MapState(entries);
}

TEST_CASE("reads fall through, writes stay above") {
  const MapState below = state_of({{b("a"), b("1")}});
  Overlay overlay(below);
  CHECK(overlay.get(b("a")) == b("1"));
  CHECK(overlay.get(b("b")) == std::nullopt);
  overlay.put(b("b"), b("2"));
  overlay.erase(b("a"));
  CHECK(overlay.get(b("a")) == std::nullopt);
  CHECK(overlay.get(b("b")) == b("2"));
  CHECK(below.get(b("a")) == b("1"));
  CHECK(overlay.changes() == StateChanges{{b("a"), std::nullopt}, {b("b"), b("2")}});
}

TEST_CASE("a value that was put back is no change") {
  const MapState below = state_of({{b("a"), b("1")}});
  Overlay overlay(below);
  overlay.put(b("a"), b("2"));
  overlay.put(b("a"), b("1"));
  overlay.put(b("new"), b("x"));
  overlay.erase(b("new"));
  CHECK(overlay.changes().empty());
}

TEST_CASE("nested transactions are taken back or kept one by one") {
  const MapState below = state_of({{b("a"), b("1")}});
  Overlay overlay(below);
  overlay.begin();
  overlay.put(b("a"), b("2"));
  overlay.begin();
  overlay.put(b("a"), b("3"));
  overlay.erase(b("a"));
  overlay.rollback();
  CHECK(overlay.get(b("a")) == b("2"));
  overlay.begin();
  overlay.put(b("b"), b("4"));
  overlay.commit();
  overlay.rollback();
  CHECK(overlay.get(b("a")) == b("1"));
  CHECK(overlay.get(b("b")) == std::nullopt);
  CHECK(overlay.changes().empty());
}

TEST_CASE("slots read and write like keys") {
  const MapState below;
  Overlay overlay(below);
  const Overlay::Slot slot = overlay.slot(b("k"));
  CHECK(overlay.read(slot) == std::nullopt);
  overlay.write(slot, b("v"));
  for (int i = 0; i < 5'000; ++i) overlay.put(b("filler" + std::to_string(i)), b("x"));
  CHECK(overlay.read(slot) == b("v"));
  CHECK(overlay.slot(b("k")) == slot);
}

// A stack of whole maps, one for each open transaction.
struct Model {
  std::vector<std::map<Bytes, Bytes>> stack;
};

TEST_CASE("random operations do what a stack of copies does, whatever the seed of the table") {
  const bool holds = rc::check([](std::uint64_t seed) {
    const MapState below = state_of({{b("0"), b("x")}, {b("1"), b("y")}});
    Overlay overlay(below, seed);
    Model model{{below.entries()}};
    const auto steps = *rc::gen::container<std::vector<std::pair<int, int>>>(
        rc::gen::pair(rc::gen::inRange(0, 6), rc::gen::inRange(0, 5)));
    for (const auto& [kind, which] : steps) {
      const Bytes key = b(std::to_string(which));
      if (kind == 0) {
        overlay.begin();
        model.stack.push_back(model.stack.back());
      } else if (kind == 1 && overlay.in_transaction()) {
        overlay.commit();
        auto top = std::move(model.stack.back());
        model.stack.pop_back();
        model.stack.back() = std::move(top);
      } else if (kind == 2 && overlay.in_transaction()) {
        overlay.rollback();
        model.stack.pop_back();
      } else if (kind == 3) {
        overlay.erase(key);
        model.stack.back().erase(key);
      } else {
        overlay.put(key, b(std::to_string(kind)));
        model.stack.back()[key] = b(std::to_string(kind));
      }
      for (int k = 0; k < 5; ++k) {
        const auto found = model.stack.back().find(b(std::to_string(k)));
        const auto got = overlay.get(b(std::to_string(k)));
        RC_ASSERT(got.has_value() == (found != model.stack.back().end()));
        if (got) RC_ASSERT(*got == found->second);
      }
    }
    while (overlay.in_transaction()) {
      overlay.rollback();
      model.stack.pop_back();
    }
    MapState after = below;
    after.apply(overlay.changes());
    RC_ASSERT(after.entries() == model.stack.back());
  });
  CHECK(holds);
}

}  // namespace
}  // namespace tally
