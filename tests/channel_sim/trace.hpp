// What happened in a life, in order: folded into a number, by which two lives are compared, and
// written out where someone looks.
#pragma once

#include <ostream>
#include <string>

#include "client-sdk/channel/messages.hpp"
#include "modules/channels/calls.hpp"
#include "modules/support/context.hpp"

namespace tally::channel_sim {

class Trace {
 public:
  explicit Trace(std::ostream* out) : out_(out) {}
  void note(std::string_view what, ByteView bytes = {});
  void message(std::string_view from, const channel::Message& message);
  void block(const BlockContext& block);
  void call(const AccountId& signer, const channels::Call& call, bool applied);
  std::uint64_t value() const { return value_; }

 private:
  std::ostream* out_;
  std::uint64_t value_ = 14'695'981'039'346'656'037u;
};

}  // namespace tally::channel_sim
