// Golden bytes: for every type in the state and on the wire, the hash of the encodings of 64 values
// made from its description. A change here changes what old blocks and states mean; it comes with a
// new spec_version. Every encoding is decoded again on the way.
#include <catch2/catch.hpp>

#include "modules/channels/storage.hpp"
#include "modules/credits/storage.hpp"
#include "modules/disputes/calls.hpp"
#include "modules/disputes/storage.hpp"
#include "modules/storage_registry/calls.hpp"
#include "modules/storage_registry/storage.hpp"
#include "modules/system/storage.hpp"
#include "modules/validators/storage.hpp"
#include "modules/workers/storage.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/header.hpp"
#include "runtime/events.hpp"
#include "runtime/version.hpp"

namespace tally::runtime {
namespace {

// splitmix64: the same values everywhere, for ever.
class Source {
 public:
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t limit) { return next() % limit; }

 private:
  std::uint64_t state_ = 1;
};

template <class T>
struct Make;

template <class T>
void fill(Source& source, T& value) {
  Make<T>::fill(source, value);
}

template <tally::detail::Integer T>
struct Make<T> {
  static void fill(Source& source, T& value) {
    // Small and large values alike, so that every length of a compact comes up.
    const u128 wide = (u128{source.next()} << 64) | source.next();
    value = static_cast<T>(wide >> source.below(128));
  }
};
template <>
struct Make<bool> {
  static void fill(Source& source, bool& value) { value = source.below(2) == 1; }
};
template <>
struct Make<std::string> {
  static void fill(Source& source, std::string& value) {
    value.resize(source.below(9));
    for (char& c : value) c = static_cast<char>('a' + source.below(26));
  }
};
template <tally::detail::StrongInteger T>
struct Make<T> {
  static void fill(Source& source, T& value) { runtime::fill(source, value.value); }
};
template <tally::detail::StrongBytes T>
struct Make<T> {
  static void fill(Source& source, T& value) {
    for (auto& byte : value.bytes) byte = static_cast<std::uint8_t>(source.next());
  }
};
template <>
struct Make<Balance> {
  static void fill(Source& source, Balance& value) { runtime::fill(source, value.micro); }
};
template <>
struct Make<BalanceDelta> {
  static void fill(Source& source, BalanceDelta& value) { runtime::fill(source, value.micro); }
};
template <class T>
struct Make<Compact<T>> {
  static void fill(Source& source, Compact<T>& value) { runtime::fill(source, value.value); }
};
template <>
struct Make<Era> {
  static void fill(Source& source, Era& value) {
    const auto current = BlockNumber(static_cast<std::uint32_t>(source.next()));
    value = source.below(4) == 0 ? Era::immortal() : Era::mortal(source.below(70'000), current);
  }
};
template <class T>
struct Make<std::vector<T>> {
  static void fill(Source& source, std::vector<T>& value) {
    value.resize(source.below(5));
    for (T& item : value) runtime::fill(source, item);
  }
};
template <class T, std::size_t Max>
struct Make<BoundedVec<T, Max>> {
  static void fill(Source& source, BoundedVec<T, Max>& value) {
    std::vector<T> items(source.below(std::min<std::size_t>(Max, 4) + 1));
    for (T& item : items) runtime::fill(source, item);
    value = *BoundedVec<T, Max>::from(std::move(items));
  }
};
template <class T, std::size_t N>
struct Make<std::array<T, N>> {
  static void fill(Source& source, std::array<T, N>& value) {
    for (T& item : value) runtime::fill(source, item);
  }
};
template <class T>
struct Make<std::optional<T>> {
  static void fill(Source& source, std::optional<T>& value) {
    value.reset();
    if (source.below(2) == 1) runtime::fill(source, value.emplace());
  }
};
template <class A, class B>
struct Make<std::pair<A, B>> {
  static void fill(Source& source, std::pair<A, B>& value) {
    runtime::fill(source, value.first);
    runtime::fill(source, value.second);
  }
};
template <class... Alternatives>
struct Make<std::variant<Alternatives...>> {
  static void fill(Source& source, std::variant<Alternatives...>& value) {
    const std::size_t wanted = source.below(sizeof...(Alternatives));
    std::size_t at = 0;
    ((at++ == wanted ? runtime::fill(source, value.template emplace<Alternatives>()) : void()),
     ...);
  }
};
template <ModuleIndex Module, class Inner>
struct Make<OfModule<Module, Inner>> {
  static void fill(Source& source, OfModule<Module, Inner>& value) {
    runtime::fill(source, value.value);
  }
};
template <>
struct Make<DispatchError> {
  static void fill(Source& source, DispatchError& value) { runtime::fill(source, value.kind); }
};
template <DescribedEnum E>
struct Make<E> {
  static void fill(Source& source, E& value) {
    const auto all = tally_describe_enum(E{});
    value = all[source.below(all.size())].value;
  }
};
template <Described T>
struct Make<T> {
  static void fill(Source& source, T& value) {
    for_each_field(value, [&](std::string_view, auto& member) {
      runtime::fill(source, member);
      return true;
    });
  }
};

template <class T>
std::string fingerprint() {
  Source source;
  Bytes all;
  for (int i = 0; i < 64; ++i) {
    T value{};
    fill(source, value);
    const Bytes bytes = encode(value);
    const auto again = decode<T>(bytes);
    REQUIRE(again.ok());
    CHECK(*again == value);
    append(all, bytes);
  }
  return to_hex(blake2_128(all));
}

TEST_CASE("types in the state have the bytes that they had") {
  CHECK(fingerprint<system::AccountInfo>() == "e5e4e047de895ec42413155c84a1d608");
  CHECK(fingerprint<system::LaneUsage>() == "705d8ae3b7d42b031f81abfba10ce676");
  CHECK(fingerprint<system::Config>() == "d23dfff3c5215fc2e41bd74489522259");
  CHECK(fingerprint<credits::Config>() == "efef4f1c0fdb5774be8009a75f318eb8");
  CHECK(fingerprint<credits::DebtTotals>() == "4a34350b17cc3a3a157e6f5bf8c4e501");
  CHECK(fingerprint<credits::HoldReason>() == "0cbb8a184f2ca020abe9032deec2f8b2");
  CHECK(fingerprint<channels::Channel>() == "a9fda01bf9f3a69a8ee634255ce8790d");
  CHECK(fingerprint<channels::Config>() == "00eb5d22ec484cc372e81d42d693a1ad");
  CHECK(fingerprint<workers::Worker>() == "92f95be27b75e2f74ca4836ea82f96c5");
  CHECK(fingerprint<workers::Profile>() == "e93f7962e21adaeed53313b8c6245e55");
  CHECK(fingerprint<workers::Uptime>() == "d654d1ff17e37dfa242fb36249078d6b");
  CHECK(fingerprint<workers::Delegation>() == "3854f50d6f1918a28f4626b7665619b0");
  CHECK(fingerprint<workers::PoolId>() == "15da8129c71f993208bce25336ba49c9");
  CHECK(fingerprint<workers::Motion>() == "762212644a10a6b3d747d3561d19152e");
  CHECK(fingerprint<workers::Council>() == "663d4767622031fc2440acf8e588a2f0");
  CHECK(fingerprint<workers::EpochRewards>() == "f90c48f2a2d89276251259b1ba742d84");
  CHECK(fingerprint<disputes::Dispute>() == "3a918e8358e34cf9a6ea9d65741bf5f5");
  CHECK(fingerprint<disputes::Case>() == "ccf3c3cdff9332aa18be0f5759bd24d4");
  CHECK(fingerprint<disputes::Pool>() == "5503f97d52f831665072547e1dd24676");
  CHECK(fingerprint<disputes::DisputedReceipt>() == "701379048f348688eaf300b6b808bd69");
  CHECK(fingerprint<disputes::WaitingDraw>() == "56e3ae7f3386d6a1817fec557a97de5c");
  CHECK(fingerprint<disputes::WaitingLine>() == "46a091a1de06f68d1ecbec8191ace531");
  CHECK(fingerprint<disputes::VerifierPay>() == "ca95c8f7fa680e9cc07702c8885f4c58");
  CHECK(fingerprint<disputes::Config>() == "4bb1c6048378da548c8aa2f67d0870bb");
  CHECK(fingerprint<storage_registry::Checkpoint>() == "8af7893e4b460f9b0de9ee9e090fddc9");
  CHECK(fingerprint<storage_registry::Owner>() == "3ee6d3f34a26d5ff9fc4b463c952987d");
  CHECK(fingerprint<storage_registry::Attesters>() == "da48714b5dab73dfd2e5bacd246c2077");
  CHECK(fingerprint<storage_registry::Config>() == "5d128fa1dc4f986b675f8d26ef5cda26");
  CHECK(fingerprint<workers::Config>() == "2845f35fd8cf29c8505a61afc78c9534");
  CHECK(fingerprint<validators::EpochInfo>() == "75fc6c1032d3e4faf88fed0e9bf12faf");
  CHECK(fingerprint<validators::Config>() == "cbf0f0d43bbcc0bb0b90c3d25acc8501");
  CHECK(fingerprint<validators::Candidate>() == "250bb199cb74d0e1fae3a0fabcef9677");
  CHECK(fingerprint<validators::Delegation>() == "f9b5b99dca0fab2465dac77a5973b100");
  CHECK(fingerprint<validators::EpochSet>() == "5b89f014c19e95eabcfaa723f71f7bc7");
  CHECK(fingerprint<validators::Offence>() == "c0fcbd1ae297c18c3d5db58194fa794d");
  CHECK(fingerprint<validators::DrawWindow>() == "9efc487b6e223c15392db82902f7402f");
  CHECK(fingerprint<ValidatorSet>() == "704bb4d7d8a3a5f615d3e98b1544fe4c");
}

TEST_CASE("types on the wire have the bytes that they had") {
  CHECK(fingerprint<system::Call>() == "78c2150c0623ebfbc9b141ccb10ab443");
  CHECK(fingerprint<credits::Call>() == "0d9ceabc4eae20acb517f9302b415022");
  CHECK(fingerprint<channels::Call>() == "5a830ba80bf63088c48fd1486f9d878c");
  CHECK(fingerprint<disputes::Call>() == "5bb6936e9c861b1bd6622a4b1b0987f5");
  CHECK(fingerprint<storage_registry::Call>() == "ce34936a2490cfd8bc9f1f43ddf1f746");
  CHECK(fingerprint<workers::Call>() == "31c50f32a621e0b18e7309e9747e00be");
  CHECK(fingerprint<validators::Call>() == "e90204866b4f9715c371881a42815145");
  CHECK(fingerprint<RuntimeCall>() == "a694d215bf9251772b4dd424b0f61b16");
  CHECK(fingerprint<system::Event>() == "84c903eb31197795432627a77f0b0215");
  CHECK(fingerprint<credits::Event>() == "b6a0662e600a84dc6f79a63f7d17b3f3");
  CHECK(fingerprint<channels::Event>() == "15daf35f33b768b24c57bbfa7061fa78");
  CHECK(fingerprint<disputes::Event>() == "727c30484baca08c0e524c0ea4dd7b3d");
  CHECK(fingerprint<storage_registry::Event>() == "5f2013097faa2b17151ea7830dae38b1");
  CHECK(fingerprint<workers::Event>() == "7532a530e872e128e88cdcb18bc6315d");
  CHECK(fingerprint<validators::Event>() == "16540182a3ca36a8e341857e34e012d7");
  CHECK(fingerprint<EventRecord>() == "aebe927f1a686a1a6597bf429bb7a1db");
  CHECK(fingerprint<DispatchError>() == "cbb6758ac8130879670ee9d515118eed");
  CHECK(fingerprint<RuntimeVersion>() == "c2d48132eba83b3e04bed812574ad0af");
  CHECK(fingerprint<ConsensusDigest>() == "0870ec51961b3cc0be46be70170bdfee");
  CHECK(fingerprint<Header>() == "7d7eef91977bd68094a544eae846235d");
  CHECK(fingerprint<ExtrinsicSignature>() == "7337beeee312870c1cf9b6b3ef2e797b");
  CHECK(fingerprint<SignedAdditional>() == "cfda75861371149d41d72d9a1055ea81");
}

}  // namespace
}  // namespace tally::runtime
