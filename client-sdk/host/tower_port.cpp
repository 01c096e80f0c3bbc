#include "client-sdk/host/tower_port.hpp"

#include <fstream>

#include "primitives/keystore/durable_file.hpp"

namespace tally::client {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kWatchBytesMax = 4'096;

}  // namespace

Result<channel::Watch, Error> read_watch(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    return fail_with(path.string() + " is not a file that can be read");
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(kWatchBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  const auto watch = decode<channel::Watch>(as_bytes(text));
  if (watch.ok()) return *watch;
  return fail_with(path.string() + " is not a state for a watchtower (" + to_text(watch.error()) +
                   "): `tally channel appoint` writes one");
}

Result<void, Error> write_watch(const fs::path& path, const channel::Watch& watch) {
  const Bytes bytes = encode(watch);
  return write_private_file(path, as_text(bytes), true);
}

fs::path tower_states(const fs::path& folder) {
  return folder / "states";
}

fs::path tower_held(const fs::path& folder, const ChannelId& channel) {
  return folder / "held" / (to_hex(channel) + std::string(kWatchExtension));
}

// A name a version: the tower may be removing the last one just now.
Result<void, Error> FolderTower::give(const channel::Watch& watch) {
  const channels::ChannelState& state = watch.update.state;
  std::error_code error;
  if (!fs::is_directory(tower_states(folder_), error)) {
    return fail_with("expected a watchtower's folder, " + tower_states(folder_).string() +
                     " is not there: start `tally channel watch --folder " + folder_.string() +
                     "` once");
  }
  const auto before = given_.find(state.channel_id);
  if (before != given_.end() && before->second.version >= state.version) return {};
  const fs::path path =
      tower_states(folder_) / (to_hex(state.channel_id) + "-" + to_decimal(state.version.value) +
                               std::string(kWatchExtension));
  TALLY_TRY(write_watch(path, watch));
  // If the tower has not taken the older one, this one is better.
  if (before != given_.end()) fs::remove(before->second.path, error);
  given_[state.channel_id] = {state.version, path};
  return {};
}

std::optional<channels::CoSignedState> FolderTower::newest(const ChannelId& channel) {
  std::optional<channels::CoSignedState> found;
  const auto look = [&](const fs::path& path) {
    const auto watch = read_watch(path);
    if (!watch.ok() || watch->update.state.channel_id != channel) return;
    if (!found || watch->update.state.version > found->state.version) found = watch->update;
  };
  look(tower_held(folder_, channel));
  std::error_code error;
  const std::string prefix = to_hex(channel);
  for (const auto& entry : fs::directory_iterator(tower_states(folder_), error)) {
    if (entry.path().filename().string().starts_with(prefix)) look(entry.path());
  }
  return found;
}

}  // namespace tally::client
