// What the other party of a channel says, and the record of a channel on disk.
#include "client-sdk/channel/messages.hpp"

#include "client-sdk/channel/record.hpp"
#include "tests/fuzz/codec.hpp"

namespace tally::fuzz {

void run(ByteView input) {
  const auto message = channel::decode_message(input);
  if (message.ok()) {
    TALLY_ASSERT(equal(channel::encode_message(*message), input));
    (void)channel::channel_of(*message);
  }
  decode_strictly<channel::Record>(input);
}

}  // namespace tally::fuzz
