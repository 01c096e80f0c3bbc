#include "client-sdk/chain/trust_file.hpp"

#include "client-sdk/chain/connection.hpp"
#include "primitives/keystore/durable_file.hpp"

namespace tally::client {

namespace {

constexpr std::size_t kTrustBytesMax = 16u << 20;

}  // namespace

Result<TrustedBlock, Error> parse_trusted_block(std::string_view text) {
  const Failure<Error> refused = fail_with(
      "expected a trusted block as NUMBER:HASH or HASH, the hash with 0x and 64 digits, came \"" +
      std::string(text) + "\"");
  TrustedBlock out;
  const auto colon = text.find(':');
  if (colon != std::string_view::npos) {
    const auto number = parse_decimal(text.substr(0, colon));
    if (!number || *number > ~std::uint32_t{0}) return refused;
    out.number = BlockNumber(static_cast<std::uint32_t>(*number));
    text.remove_prefix(colon + 1);
  }
  if (!text.starts_with("0x")) return refused;
  const auto bytes = from_hex(text.substr(2));
  const auto hash = bytes ? Hash::from(*bytes) : std::nullopt;
  if (!hash) return refused;
  out.hash = *hash;
  return out;
}

ClientResult<void> begin_at(ChainClient& client, const TrustedBlock& block) {
  const std::string name = "the trusted block " + to_hex_prefixed(block.hash);
  auto begun = client.trust_block(block.hash);
  if (!begun.ok()) {
    ClientError error = begun.error();
    const bool gone =
        error.kind == ClientErrorKind::pruned || error.kind == ClientErrorKind::not_found;
    error.message = name + ": " + error.message +
                    (gone ? "; name a newer one, or ask a node that keeps all states" : "");
    return fail(std::move(error));
  }
  if (block.number && *block.number != begun->number) {
    return fail(client_error(ClientErrorKind::invalid,
                             name + " has the number " + std::to_string(begun->number.value) +
                                 ", not " + std::to_string(block.number->value)));
  }
  return {};
}

ClientResult<void> begin_trust(ChainClient& client, const TrustSource& source) {
  auto saved = read_private_file(source.file, kTrustBytesMax);
  std::error_code error;
  if (!saved.ok() && std::filesystem::exists(source.file, error)) {
    return fail(client_error(ClientErrorKind::invalid,
                             "the trust that was saved cannot be read: " + saved.error().message));
  }
  const bool restored = saved.ok() && client.restore_trust(to_bytes(as_bytes(*saved)));
  if (!source.block || (restored && client.trust_start() == source.block->hash)) return {};
  return begin_at(client, *source.block);
}

Bytes read_trust(const std::filesystem::path& file) {
  const auto saved = read_private_file(file, kTrustBytesMax);
  return saved.ok() ? to_bytes(as_bytes(*saved)) : Bytes{};
}

Result<void, Error> keep_trust(ByteView saved, const std::filesystem::path& file) {
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  return write_private_file(file, as_text(saved), true);
}

}  // namespace tally::client
