// What passes between requester, worker and executor: payloads, offers, receipts, mandates, job and
// answer headers; and specs, which are metered before anything else believes them.
#include "client-sdk/task/offer.hpp"
#include "client-sdk/task/payload.hpp"
#include "client-sdk/task/receipt.hpp"
#include "primitives/task/mandate.hpp"
#include "tests/fuzz/codec.hpp"
#include "worker/sandbox/job.hpp"

namespace tally::fuzz {

void run(ByteView input) {
  decode_strictly<task::TaskPayload>(input);
  decode_strictly<task::WorkerOffer>(input);
  decode_strictly<task::SignedReceipt>(input);
  decode_strictly<task::SignedMandate>(input);
  decode_strictly<sandbox::JobHeader>(input);
  decode_strictly<sandbox::AnswerHeader>(input);
  decode_strictly<task::VectorSearchOutput>(input);
  for (const auto& type : tally_describe_enum(task::TaskType{})) {
    const auto units = task::metered_units(type.value, input, input.size());
    TALLY_ASSERT(units.ok() || !units.error().message.empty());
  }
}

}  // namespace tally::fuzz
