// A watchtower as a party's host sees it: a place for its newest states that outlives this process.
//
// FolderTower is the folder of a `tally channel watch`: states go into its states/, and what the
// tower holds stands in its held/, a file a channel.
#pragma once

#include <filesystem>
#include <map>
#include <optional>

#include "client-sdk/channel/tower.hpp"

namespace tally::client {

// Called from one thread.
class TowerPort {
 public:
  virtual ~TowerPort() = default;
  // At the tower, on disk, when it returns.
  virtual Result<void, Error> give(const channel::Watch& watch) = 0;
  // The newest update of the channel that the tower has; its signatures are not checked here.
  virtual std::optional<channels::CoSignedState> newest(const ChannelId& channel) = 0;
};

class FolderTower final : public TowerPort {
 public:
  explicit FolderTower(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Result<void, Error> give(const channel::Watch& watch) override;
  std::optional<channels::CoSignedState> newest(const ChannelId& channel) override;

 private:
  struct Given {
    ChannelVersion version;
    std::filesystem::path path;
  };
  std::filesystem::path folder_;
  std::map<ChannelId, Given> given_;
};

// What both ends of the folder agree on. Whoever brings a file: what counts in it is signed.
constexpr std::string_view kWatchExtension = ".watch";
Result<channel::Watch, Error> read_watch(const std::filesystem::path& path);
Result<void, Error> write_watch(const std::filesystem::path& path, const channel::Watch& watch);
std::filesystem::path tower_states(const std::filesystem::path& folder);
std::filesystem::path tower_held(const std::filesystem::path& folder, const ChannelId& channel);

}  // namespace tally::client
