#include "tools/cli/session.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "client-sdk/chain/events.hpp"
#include "client-sdk/chain/trust_file.hpp"
#include "client-sdk/chain/trust_root.hpp"
#include "primitives/derivation.hpp"
#include "tools/cli/hints.hpp"

namespace tally::cli {

namespace fs = std::filesystem;

namespace {

fs::path wallet_folder(const Options& options) {
  return options.wallet.empty() ? client::default_wallet_folder() : fs::path(options.wallet);
}

fs::path trust_file(const Options& options, const Hash& genesis) {
  return wallet_folder(options).parent_path() / "trust" / (to_hex(genesis) + ".bin");
}

bool is_dev_uri(const std::string& text) {
  return text.starts_with("//");
}

std::optional<std::string> read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string first_line(std::string text) {
  text.resize(std::min(text.size(), text.find_first_of("\r\n")));
  return text;
}

}  // namespace

Fault to_fault(const client::ClientError& error) {
  using Kind = client::ClientErrorKind;
  const auto exit = [&] {
    switch (error.kind) {
      case Kind::unreachable:
        return Exit::unreachable;
      case Kind::wrong_chain:
      case Kind::not_proved:
        return Exit::not_proved;
      case Kind::not_found:
      case Kind::pruned:
        return Exit::not_found;
      case Kind::rejected:
      case Kind::expired:
        return Exit::refused;
      case Kind::invalid:
        return Exit::usage;
      case Kind::cancelled:
        return Exit::interrupted;
    }
    return Exit::failure;
  }();
  return {exit,
          error.code,
          error.message,
          {},
          error.check ? std::string(enumerator_name(*error.check)) : std::string()};
}

Json error_json(const Fault& fault) {
  Json out{{"code", fault.code}, {"message", fault.message}};
  if (!fault.check.empty()) out["check"] = fault.check;
  if (!fault.file.empty()) out["file"] = fault.file;
  return out;
}

CliResult<const genesis::ChainSpec*> Session::spec() {
  if (spec_) return &*spec_;
  auto named = genesis::preset(options.chain);
  if (!named.ok()) {
    const auto text = read_text(options.chain);
    if (!text) {
      return fail(
          usage_fault("--chain names a preset (dev, local4, bench) or a chain spec file; \"" +
                      options.chain + "\" is neither"));
    }
    named = genesis::parse_chain_spec(*text);
    if (!named.ok()) {
      return fail(
          Fault{Exit::usage, "bad_chain_spec", options.chain + ": " + named.error().message});
    }
  }
  spec_ = *std::move(named);
  return &*spec_;
}

CliResult<client::ChainClient*> Session::client() {
  if (client_) return client_.get();
  const genesis::ChainSpec* chain = TALLY_TRY(spec());
  client::ClientConfig config;
  config.endpoint = options.node;
  std::optional<client::TrustedBlock> block;
  if (!options.trust_block.empty()) {
    const auto parsed = client::parse_trusted_block(options.trust_block);
    if (!parsed.ok()) return fail(usage_fault("--trust-block: " + parsed.error().message));
    block = *parsed;
  }
  auto connected = client::ChainClient::connect(config, client::trust_root(*chain));
  if (!connected.ok()) return fail(to_fault(connected.error()));
  auto made = *std::move(connected);
  const fs::path file = trust_file(options, made->root().genesis_hash);
  TALLY_TRY(or_fault(client::begin_trust(*made, {file, block})));
  client_ = std::move(made);
  return client_.get();
}

void Session::save_trust() {
  if (client_) save_trust(client_->root().genesis_hash, client_->save_trust());
}

void Session::save_trust(const Hash& genesis, ByteView saved) {
  const auto written = client::keep_trust(saved, trust_file(options, genesis));
  if (!written.ok()) progress("the chain of trust was not saved: " + written.error().message);
}

Bytes Session::saved_trust(const Hash& genesis) const {
  return client::read_trust(trust_file(options, genesis));
}

CliResult<client::Wallet> Session::wallet() const {
  auto opened = client::Wallet::open(wallet_folder(options));
  if (!opened.ok()) return fail(key_fault(opened.error()));
  return *std::move(opened);
}

CliResult<AccountId> Session::account(const std::string& text) {
  if (is_dev_uri(text)) {
    const KeyPair key = TALLY_TRY(signer(text));
    return key.account();
  }
  if (client::wallet_name_is_valid(text)) {
    const client::Wallet mine = TALLY_TRY(wallet());
    const auto found = mine.find(text);
    if (found.ok()) return found->account;
    if (!parse_account(text).ok()) return fail(key_fault(found.error()));
  }
  const auto parsed = parse_account(text);
  if (!parsed.ok()) return fail(usage_fault(parsed.error().message));
  return *parsed;
}

CliResult<KeyPair> Session::signer(const std::string& text) {
  if (!is_dev_uri(text)) {
    if (const auto open = unlocked_.find(text); open != unlocked_.end()) return open->second;
    const client::Wallet mine = TALLY_TRY(wallet());
    const auto known = mine.find(text);
    if (!known.ok()) return fail(key_fault(known.error()));
    const std::string secret = TALLY_TRY(password("Password of " + text));
    auto key = mine.unlock(text, secret);
    if (!key.ok()) return fail(key_fault(key.error()));
    unlocked_.emplace(text, *key);
    return *std::move(key);
  }
  const genesis::ChainSpec* chain = TALLY_TRY(spec());
  if (chain->chain_type == "Live") {
    return fail(usage_fault("everybody knows the key of " + text +
                            ": on a live chain name an account of your wallet"));
  }
  auto key = key_from_uri(KeyScheme::ecdsa, text);
  if (!key.ok()) return fail(key_fault(key.error()));
  return *std::move(key);
}

CliResult<std::string> Session::password(const std::string& prompt, bool confirm) {
  if (!options.password_file.empty()) {
    const auto text = read_text(options.password_file);
    if (text) return first_line(*text);
    return fail(
        Fault{Exit::keys, "keys", "cannot read the password from " + options.password_file});
  }
  if (const char* given = std::getenv("TALLY_PASSWORD")) return std::string(given);
  const std::string typed = TALLY_TRY(read_secret(prompt, stop));
  if (!confirm) return typed;
  const std::string again = TALLY_TRY(read_secret("Once more", stop));
  if (typed != again) return fail(Fault{Exit::keys, "keys", "the two passwords differ"});
  return typed;
}

CliResult<client::TxOutcome> Session::submit(const KeyPair& key, const Bytes& call, Balance tip) {
  client::ChainClient* chain = TALLY_TRY(client());
  client::SubmitOptions submit_options;
  submit_options.tip = tip;
  submit_options.stop = stop;
  submit_options.on_progress = [this](const Hash& hash, const client::TxProgress& step) {
    if (const auto* at = std::get_if<client::TxInBlock>(&step)) {
      progress(fmt::format("in block {}, waiting until it is final", at->number.value));
    } else {
      progress("submitted " + to_hex_prefixed(hash));
    }
  };
  auto outcome = TALLY_TRY(or_fault(chain->submit(key, call, submit_options)));
  save_trust();
  if (outcome.failure) {
    const std::string code = runtime::to_text(*outcome.failure);
    const std::string hint = hint_for(code);
    return fail(
        Fault{Exit::refused, code,
              fmt::format("the call failed in block {} with {}{}{}; only its fee of {} was paid",
                          outcome.at.number.value, code, hint.empty() ? "" : ": ", hint,
                          to_text(fee_of(outcome)))});
  }
  return outcome;
}

CliResult<Balance> amount(const std::string& text) {
  const auto parsed = parse_balance(text);
  if (!parsed.ok()) return fail(usage_fault(parsed.error().message));
  return *parsed;
}

Balance fee_of(const client::TxOutcome& outcome) {
  const auto records = client::decode_events(outcome.events.records);
  if (!records.ok()) return {};
  const auto paid = client::find_event<credits::FeePaid>(*records, outcome.at.index);
  if (!paid) return {};
  return checked_add(paid->fee, paid->tip).value_or(paid->fee);
}

Json outcome_json(const client::TxOutcome& outcome) {
  Json out = Json::object();
  out["extrinsic_hash"] = to_json(outcome.extrinsic_hash);
  out["block"] =
      Json{{"number", outcome.at.number.value}, {"hash", to_json(outcome.at.block_hash)}};
  out["index"] = outcome.at.index;
  out["finality_ms"] = outcome.finality_ms;
  out["fee"] = to_json(fee_of(outcome));
  return out;
}

Sheet outcome_sheet(const client::TxOutcome& outcome) {
  return {{"transaction", to_hex_prefixed(outcome.extrinsic_hash)},
          {"final in block", std::to_string(outcome.at.number.value)},
          {"after", fmt::format("{} ms", outcome.finality_ms)},
          {"fee", to_text(fee_of(outcome))}};
}

}  // namespace tally::cli
