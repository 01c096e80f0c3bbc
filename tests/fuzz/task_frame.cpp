// Frames of the task stream at the worker, as a requester that has proved its account sends them.
// The first byte chooses: a frame as it is; a task whose payload is these bytes, sealed as it
// should be.
#include "primitives/crypto/seal.hpp"
#include "rpc/proto/task.pb.h"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/target.hpp"
#include "worker/service/connection.hpp"

namespace tally::fuzz {
namespace {

const worker::ServiceConfig& config() {
  static const worker::ServiceConfig kConfig = [] {
    const Secret seal(std::array<std::uint8_t, 32>{7});
    worker::ServiceConfig out{
        .listen = {},
        .key = *KeyPair::from_secret(KeyScheme::ed25519, Secret(std::array<std::uint8_t, 32>{8})),
        .seal_secret = seal,
        .genesis_hash = {},
        .offer = {}};
    out.offer.seal_key = seal_public(seal);
    out.offer.max_input_bytes = 4'096;
    out.offer.max_timeout_ms = 60'000;
    for (const auto& type : tally_describe_enum(task::TaskType{})) {
      (void)out.offer.prices.push_back({type.value, Balance(3), 1});
    }
    return out;
  }();
  return kConfig;
}

}  // namespace

void run(ByteView input) {
  if (input.empty()) return;
  worker::KeptParts kept;
  worker::proto::Frame frame;
  if (input[0] == 'f') {
    if (!frame.ParseFromString(std::string(as_text(input.subspan(1))))) return;
    if (!frame.has_task()) return;
    const auto job = worker::read_task(config(), AccountId{}, frame.task(), kept);
    TALLY_ASSERT(job.ok() || !job.error().code.empty());
    return;
  }
  Input draw(input.subspan(1));
  worker::proto::Task& task = *frame.mutable_task();
  task.set_channel_id(std::string(32, '\x01'));
  task.set_id(draw.byte());
  task.set_type(draw.byte() % 8);
  task.set_priority(draw.byte() % 4);
  task.set_timeout_ms(1'000);
  task.set_max_price("1000000000000");
  const auto sealed =
      seal(config().offer.seal_key, draw.rest(),
           task::task_context({*ChannelId::from(as_bytes(task.channel_id())), task.id()}));
  TALLY_ASSERT(sealed.has_value());
  task.set_sealed_payload(std::string(as_text(*sealed)));
  for (int i = 0; i < 2; ++i) {  // the second time with the parts that were to be kept
    const auto job = worker::read_task(config(), AccountId{}, task, kept);
    TALLY_ASSERT(job.ok() || !job.error().code.empty());
  }
}

}  // namespace tally::fuzz
