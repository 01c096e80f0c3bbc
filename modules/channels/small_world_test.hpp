// The real module in the small world of small_model_test.hpp: a model's whole storage, a step as
// the module's call, and both compared.
//
// Signatures are checked by verify_sealed() here (CMakeLists.txt): a seal of account and message in
// place of a curve's signature, so that a million calls take seconds.
#pragma once

#include <deque>

#include "modules/channels/dispatch.hpp"
#include "modules/channels/small_model_test.hpp"
#include "modules/channels/storage.hpp"
#include "modules/credits/api.hpp"
#include "modules/credits/errors.hpp"
#include "modules/credits/storage.hpp"
#include "modules/system/api.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::channels::small {

inline AccountId account_of(int number) {
  if (number == kPool) return credits::reward_pool_account();
  AccountId out;
  out.bytes.fill(static_cast<std::uint8_t>(number + 1));
  return out;
}
inline Balance micro(int amount) {
  return Balance(static_cast<u128>(amount));
}
inline TimestampMs time_of(int ms) {
  return TimestampMs(static_cast<std::uint64_t>(ms));
}
inline DurationMs span_of(int ms) {
  return DurationMs(static_cast<std::uint64_t>(ms));
}
inline BlockNumber block_of(int number) {
  return BlockNumber(static_cast<std::uint32_t>(number));
}
inline ChannelVersion version_of(int version) {
  return ChannelVersion(static_cast<std::uint64_t>(version));
}

inline MultiSignature seal(int who, ByteView message) {
  Bytes all = to_bytes(account_of(who));
  append(all, message);
  const Hash hash = blake2_256(all);
  SignedEd25519 out;
  out.signature.bytes.fill(0);
  std::copy(hash.bytes.begin(), hash.bytes.end(), out.signature.bytes.begin());
  return out;
}

inline Config small_config(const Rules& rules) {
  Config config;
  config.period_min = span_of(1);
  config.period_max = span_of(100);
  config.period_default = span_of(rules.period);
  config.request_factor = kRequestFactor;
  config.open_max = kOpenMax;
  config.settlements_max = static_cast<std::uint32_t>(rules.settlements_max);
  config.deadline_bucket = span_of(1);
  config.deposit_min = micro(kDepositMin);
  config.fee_per_thousand = kHalf;
  config.request_penalty_per_thousand = kHalf;
  config.request_penalty_max = micro(kPenaltyMax);
  config.tower_per_thousand = kHalf;
  return config;
}
inline credits::Config small_credits() {
  credits::Config config;
  config.existential_deposit = micro(kExistential);
  config.debts_max = 1;
  return config;
}

inline ChannelId id_of(int channel, const Rules& rules) {
  return channel_id_of({Hash{}, account_of(kA), account_of(kB), static_cast<std::uint64_t>(channel),
                        span_of(rules.period)});
}

// ---- The storage

using Entries = std::map<Bytes, Bytes>;

template <class Key, class Value>
void put(Entries& out, const Key& key, const Value& value) {
  out[to_bytes(key)] = encode(value);
}

inline Position position_of(const Place& place) {
  return {version_of(place.version), micro(place.a), micro(place.b), 0};
}

inline Challenge challenge_of(const Quarrel& q) {
  Challenge out;
  out.standing = position_of(q.standing);
  out.started = time_of(q.started);
  out.deadline = time_of(q.deadline);
  out.period = span_of(q.period);
  if (q.requester >= 0) out.requester = static_cast<Side>(q.requester);
  out.request_refuted = q.request_refuted;
  for (const Side side : kBothSides) {
    const auto i = static_cast<std::size_t>(side);
    if (q.posted[i] >= 0) out.posted[i] = version_of(q.posted[i]);
    if (q.fraud[i] != Mark::none) out.fraud[i] = FraudMark{};
    if (q.fraud[i] == Mark::proved_by_tower) out.fraud[i]->tower = account_of(kT);
    out.fees_owed[i] = micro(q.owed[i]);
  }
  if (q.refuted_in >= 0) out.refuted_in = block_of(q.refuted_in);
  return out;
}

inline Channel channel_of(const Chan& c, const Rules& rules) {
  Channel out;
  out.opener = account_of(kA);
  out.counterparty = account_of(kB);
  out.challenge_period = span_of(rules.period);
  out.opened_in = block_of(c.opened_in);
  out.phase = static_cast<Phase>(static_cast<int>(c.stage) - 1);
  out.held = {micro(c.held[0]), micro(c.held[1])};
  out.base_b = BalanceDelta(c.base_b);
  out.floor = position_of(c.floor);
  if (c.quarrel) out.challenge = challenge_of(*c.quarrel);
  return out;
}

inline void put_money(Entries& out, const Model& m) {
  put(out, credits::kTotalIssuance.key(), micro(m.issued));
  for (int who = 0; who <= kPool; ++who) {
    if (!m.alive(who)) continue;
    system::AccountInfo info;
    info.providers = 1;
    info.data.free = micro(m.free[at(who)]);
    if (who <= kB) info.data.reserved = micro(m.held[at(who)]);
    put(out, system::kAccount.key(account_of(who)), info);
    if (who > kB || m.held[at(who)] == 0) continue;
    put(out, credits::kHolds.key(account_of(who), credits::HoldReason::channel),
        micro(m.held[at(who)]));
  }
  if (!m.held_used) return;
  put(out, credits::kHeldTotal.key(credits::HoldReason::channel), micro(m.held[0] + m.held[1]));
}

inline Entries storage_of(const Model& m) {
  Entries out;
  put_money(out, m);
  int locked = 0;
  std::uint32_t open = 0;
  for (int i = 0; i < 2; ++i) {
    const Chan& c = m.channels[at(i)];
    if (c.stage == Stage::none) continue;
    locked += c.locked();
    ++open;
    put(out, kChannels.key(id_of(i, m.rules)), channel_of(c, m.rules));
  }
  if (open > 0) put(out, kOpenCount.key(account_of(kA)), open);
  if (m.opened > 0) {
    put(out, kCounter.key(account_of(kA)), static_cast<std::uint64_t>(m.opened));
  }
  if (m.locked_used) put(out, kLocked.key(), micro(locked));
  if (!m.queue_used) return out;
  std::uint64_t size = 0;
  for (const auto& [bucket, ids] : m.queue) {
    const auto number = static_cast<std::uint64_t>(bucket);
    for (std::uint32_t place = 0; place < ids.size(); ++place) {
      put(out, kDeadlines.entries.key(number, place), id_of(ids[place], m.rules));
    }
    put(out, kDeadlines.length.key(number), static_cast<std::uint32_t>(ids.size()));
    size += ids.size();
  }
  put(out, kDeadlines.size.key(), size);
  put(out, kDeadlines.next.key(), static_cast<std::uint64_t>(m.queue_next));
  return out;
}

// ---- A step as a call

inline ChannelState state_of(const Step& s, const Rules& rules) {
  return {id_of(s.channel, rules), version_of(s.version), micro(s.a), micro(s.b), Hash{}, 0,
          version_of(s.acked)};
}

inline CoSignedState signed_by_both(const Step& s, const ChannelState& state, ByteView message) {
  return {state, seal(s.forged_a ? kB : kA, message), seal(s.forged_b ? kA : kB, message)};
}

inline Call open_call(const Step& s, const Model& before) {
  Open call{account_of(kB), {micro(s.a)}, {micro(s.b)}, std::nullopt, span_of(before.rules.period)};
  if (s.consent == Consent::none) return call;
  const BlockNumber until = block_of(s.consent == Consent::expired ? before.number - 1 : 9);
  const OpenConsent consent{id_of(before.opened, before.rules), micro(s.a), micro(s.b), until};
  // An expired one is badly signed as well.
  const int signer = s.consent == Consent::good ? kB : kA;
  call.consent = channels::Consent{until, seal(signer, open_consent_bytes(consent))};
  return call;
}

inline Call splice_call(const Step& s, const Model& before) {
  const SpliceBody body{state_of(s, before.rules), BalanceDelta(s.delta_a), BalanceDelta(s.delta_b),
                        block_of(s.expired ? before.number - 1 : 9)};
  const CoSignedState both = signed_by_both(s, body.state, splice_bytes(body));
  return Splice{body, both.signature_a, both.signature_b};
}

inline Call call_of(const Step& s, const Model& before) {
  const Rules& rules = before.rules;
  const ChannelId id = id_of(s.channel, rules);
  const ChannelState state = state_of(s, rules);
  switch (s.kind) {
    case Kind::open:
      return open_call(s, before);
    case Kind::accept:
      return Accept{id};
    case Kind::cancel:
      return Cancel{id};
    case Kind::close:
      return Close{signed_by_both(s, state, close_bytes(state))};
    case Kind::claim:
      return CloseUnilateral{id, signed_by_both(s, state, update_bytes(state))};
    case Kind::claim_floor:
      return CloseUnilateral{id, std::nullopt};
    case Kind::request:
      return RequestClose{id};
    case Kind::refute:
    case Kind::refute_owing: {
      Refute call{signed_by_both(s, state, update_bytes(state)), std::nullopt};
      if (s.appointed_by >= 0) {
        call.appointment = seal(s.appointed_by, appointment_bytes({id, account_of(kT)}));
      }
      return call;
    }
    case Kind::splice:
      return splice_call(s, before);
    case Kind::settle:
    case Kind::tick:
      break;
  }
  return Settle{id};
}

inline std::string text_of(const DispatchResult& result) {
  if (result.ok()) return "applied";
  const auto* module = std::get_if<ErrorModule>(&result.error().kind);
  if (module == nullptr) return "another error";
  const auto index = static_cast<ModuleIndex>(module->index);
  if (index == ModuleIndex::channels) {
    return std::string(enumerator_name(static_cast<Error>(module->error[0])));
  }
  return std::string(module_name(index)) + "." + std::to_string(module->error[0]);
}

inline std::string apply(Context& ctx, const Step& s, const Model& before) {
  if (s.kind == Kind::tick) {
    on_block_start(ctx);
    return "applied";
  }
  const Origin origin{account_of(s.who)};
  const Call call = call_of(s, before);
  if (s.kind != Kind::refute_owing) {
    return text_of(atomically(ctx, [&] { return dispatch(ctx, origin, call); }));
  }
  const OwedFee fee{origin.signer, micro(1)};
  if (!may_owe_fee(ctx.state, moment_of(ctx.block), fee, call)) return "payment";
  owe_fee(ctx, fee, call);
  return text_of(atomically(ctx, [&] { return dispatch(ctx, origin, call); }));
}

// ---- Both

inline std::string describe(const Step& s, const std::string& got, const std::string& expected) {
  const auto field = [](const char* name, int value) {
    return std::string(" ") + name + " " + std::to_string(value);
  };
  return "kind" + field("", static_cast<int>(s.kind)) + field("who", s.who) +
         field("channel", s.channel) + field("version", s.version) + field("a", s.a) +
         field("b", s.b) + field("acked", s.acked) + field("forged", s.forged_a * 2 + s.forged_b) +
         field("deltas", s.delta_a * 10 + s.delta_b) + field("stretch", s.stretch) + ": " + got +
         " for " + expected;
}

// Takes the step in both. What differs, in words; the model is in the next state afterwards, not
// rebased.
inline std::string take(const MapState& before, Model& model, const Step& step,
                        std::string& verdict) {
  const Config config = small_config(model.rules);
  static const credits::Config money = small_credits();
  ConfigSet configs;
  configs.set(config);
  configs.set(money);
  BlockContext block;
  block.number = block_of(model.number + (step.kind == Kind::tick ? 1 : 0));
  block.time = time_of(model.now + (step.kind == Kind::tick ? 1 : 0));
  block.proposer = account_of(kT);
  block.period_stretch = PeriodStretch(static_cast<std::uint32_t>(step.stretch));
  Overlay overlay(before);
  EventSink events;
  Context ctx{overlay, block, events, configs};
  const std::string got = apply(ctx, step, model);
  verdict = model.apply(step);
  if (got != verdict) return describe(step, got, verdict);
  const StateChanges changes = overlay.changes();
  if (verdict != "applied") {
    const bool traces = !changes.empty() || events.count() != 0;
    return traces ? describe(step, "a trace", got) : "";
  }
  if (const std::string wrong = model.wrong(); !wrong.empty()) return describe(step, wrong, got);
  MapState after = before;
  after.apply(changes);
  return after.entries() == storage_of(model) ? "" : describe(step, "another state", got);
}

}  // namespace tally::channels::small
