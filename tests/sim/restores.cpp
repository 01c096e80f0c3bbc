// An operator's mistake: a validator's whole data folder is put back to an older copy, votes and
// high-water file included.
#include "tests/sim/node_state.hpp"

namespace tally::sim {

void World::restore_folder(const WorldOptions::Restore& restore) {
  const auto copy = nodes_[faulty_]->node->disk().copy();
  note(faulty_, "its data folder is copied", {});
  at(restore.restore_ms, [this, restore, copy] {
    SimNode& node = *nodes_[faulty_]->node;
    if (!node.running()) return;
    crash_node(faulty_, restore.down_ms);
    note(faulty_, "its data folder is an older copy", {});
    node.disk().restore(*copy);
    restores_ += 1;
  });
}

}  // namespace tally::sim
