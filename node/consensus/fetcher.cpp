#include "node/consensus/fetcher.hpp"

namespace tally::consensus {

void Fetcher::begin() {
  for (auto& [want, open] : open_) open.declared = false;
}

void Fetcher::want(const Want& want, std::vector<PeerId> preferred) {
  Open& open = open_[want];
  open.declared = true;
  if (open.asked == 0) open.preferred = std::move(preferred);
}

std::vector<Asking> Fetcher::due(const Peers& peers, Instant now) {
  if (open_.empty()) return {};  // at nearly every frame: peers are many
  std::vector<Asking> out;
  const std::vector<PeerId> everyone = peers.ids();
  for (auto it = open_.begin(); it != open_.end();) {
    Open& open = it->second;
    if (!open.declared) {
      it = open_.erase(it);
      continue;
    }
    if (!everyone.empty() && (open.asked == 0 || open.at <= now)) {
      Asking asking{it->first, {}};
      if (open.asked == 0) {
        for (const PeerId& peer : open.preferred) {
          if (peers.find(peer) != nullptr && asking.peers.size() < 2) asking.peers.push_back(peer);
        }
      }
      // Two others in turn, so that one peer that stays silent costs one interval.
      if (asking.peers.empty()) {
        const std::size_t first = 2 * open.asked;
        asking.peers.push_back(everyone[first % everyone.size()]);
        if (everyone.size() > 1) asking.peers.push_back(everyone[(first + 1) % everyone.size()]);
      }
      open.asked += 1;
      open.at = now + retry_;
      out.push_back(std::move(asking));
    }
    ++it;
  }
  return out;
}

std::optional<Instant> Fetcher::next() const {
  std::optional<Instant> first;
  for (const auto& [want, open] : open_) {
    if (open.asked > 0 && (!first || open.at < *first)) first = open.at;
  }
  return first;
}

}  // namespace tally::consensus
