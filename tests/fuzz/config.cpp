// Configurations in TOML, of a node and of a worker.
#include "node/service/config.hpp"
#include "tests/fuzz/file.hpp"
#include "worker/service/config.hpp"

namespace tally::fuzz {

void run(ByteView input) {
  static const FuzzFolder folder;
  const auto worker = worker::parse_config(as_text(input), "worker.toml");
  TALLY_ASSERT(worker.ok() || !worker.error().message.empty());
  const auto values = service::read_toml(folder.put("node.toml", input));
  if (!values.ok()) {
    TALLY_ASSERT(!values.error().message.empty());
    return;
  }
  const auto config = service::make_config({{"node.toml", *values}});
  TALLY_ASSERT(config.ok() || !config.error().message.empty());
}

}  // namespace tally::fuzz
