// The codec's kinds of types: the first byte chooses one, the rest is its input.
#include <map>
#include <set>

#include "primitives/ids.hpp"
#include "tests/fuzz/codec.hpp"

namespace tally::fuzz {
namespace {

enum class Colour : std::uint8_t { red = 1, green = 5 };
TALLY_DESCRIBE_ENUM(Colour, red, green);

struct Leaf {
  static constexpr std::uint8_t kIndex = 3;
  Compact<std::uint16_t> number;
  std::optional<std::string> name;
};
TALLY_DESCRIBE(Leaf, number, name);
struct Branch {
  static constexpr std::uint8_t kIndex = 7;
  std::vector<std::variant<Leaf>> leaves;
  BoundedVec<Colour, 3> colours;
  std::map<std::string, Compact<Balance>> amounts;
};
TALLY_DESCRIBE(Branch, leaves, colours, amounts);

using Decode = void (*)(ByteView);
constexpr Decode kDecoders[] = {
    decode_strictly<Compact<std::uint8_t>>,
    decode_strictly<Compact<std::uint64_t>>,
    decode_strictly<Compact<Balance>>,
    decode_strictly<std::string>,
    decode_strictly<std::vector<std::string>>,
    decode_strictly<std::vector<std::vector<Bytes>>>,
    decode_strictly<BoundedVec<std::uint32_t, 5>>,
    decode_strictly<std::optional<std::optional<bool>>>,
    decode_strictly<std::map<std::uint8_t, std::string>>,
    decode_strictly<std::set<Bytes>>,
    decode_strictly<std::tuple<Hash, Compact<BlockNumber>, Colour>>,
    decode_strictly<std::variant<Leaf, Branch>>,
};

}  // namespace

void run(ByteView input) {
  if (input.empty()) return;
  kDecoders[input[0] % std::size(kDecoders)](input.subspan(1));
}

}  // namespace tally::fuzz
