#include "client-sdk/chain/light.hpp"

#include <algorithm>

#include "client-sdk/chain/connection.hpp"

namespace tally::client {

namespace {

bool is_lie(const ClientError& error) {
  // What is known here can be too old, and that is not the node's doing.
  return (error.kind == ClientErrorKind::not_proved && error.check != Check::trust_period) ||
         error.kind == ClientErrorKind::wrong_chain;
}

// That many blocks behind its head every node keeps that is of use.
constexpr std::uint32_t kKeptBlocks = 64;

bool is_gone(const ClientError& error) {
  return error.kind == ClientErrorKind::pruned || error.kind == ClientErrorKind::not_found;
}

ClientError not_compared(const LightNode& old, const LightNode& best) {
  return {ClientErrorKind::not_proved, "stale",
          "the newest final block that the node at " + old.endpoint + " shows, " +
              std::to_string(old.head->number.value) + ", is older than those that " +
              best.endpoint +
              " keeps: the node is behind, and whether it has the same chain is "
              "not known; ask another node",
          Check::freshness};
}

ClientError two_histories(const FinalHead& one, const FinalHead& other) {
  return {ClientErrorKind::not_proved, "two_histories",
          "two blocks of height " + std::to_string(one.number.value) + " are final, " +
              to_hex_prefixed(one.hash) + " and " + to_hex_prefixed(other.hash) +
              ": validators of a third of the weight or more have signed both; believe neither, "
              "stop paying, and tell the operators",
          Check::history};
}

}  // namespace

LightClient::LightClient(LightConfig config, TrustRoot root)
    : config_(std::move(config)),
      root_(std::move(root)),
      trust_(config_.saved_trust),
      start_(root_.genesis_hash) {
  TALLY_ASSERT(!config_.nodes.empty());
  for (const std::string& endpoint : config_.nodes) nodes_.push_back({endpoint, {}, {}, false});
  clients_.resize(nodes_.size());
}

ClientResult<ChainClient*> LightClient::connected(std::size_t index) {
  if (clients_[index]) return clients_[index].get();
  ClientConfig config = config_.client;
  config.endpoint = nodes_[index].endpoint;
  auto client = TALLY_TRY(ChainClient::connect(config, root_));
  const bool restored = !trust_.empty() && client->restore_trust(trust_);
  if (config_.from && !(restored && client->trust_start() == config_.from->hash)) {
    TALLY_TRY(begin_at(*client, *config_.from));
    trust_ = client->save_trust();  // what was saved began elsewhere
  }
  start_ = client->trust_start();
  clients_[index] = std::move(client);
  return clients_[index].get();
}

ClientResult<FinalHead> LightClient::ask(std::size_t index) {
  ChainClient* client = TALLY_TRY(connected(index));
  client->restore_trust(trust_);  // no step of the chain of trust is fetched twice
  const auto head = client->newest(config_.max_age);
  // Every step that was learnt holds, whatever came after it.
  trust_ = client->save_trust();
  reached_ = std::max(reached_, client->reached());
  return head;
}

void LightClient::refuse(std::size_t index, const ClientError& error) {
  nodes_[index].head.reset();
  nodes_[index].error = error;
  // An old head is no proof of a lie: the node may catch up.
  nodes_[index].set_aside = is_lie(error) && error.check != Check::freshness;
}

bool LightClient::counts(const LightNode& node) const {
  return node.head && node.head->number >= reached_;
}

std::optional<std::size_t> LightClient::best() const {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!counts(nodes_[i])) continue;
    if (!found || nodes_[*found].head->number < nodes_[i].head->number) found = i;
  }
  return found;
}

ClientResult<void> LightClient::one_history(std::size_t best) {
  const FinalHead newest = *nodes_[best].head;
  for (LightNode& node : nodes_) {
    if (!counts(node) || node.head->number == BlockNumber(0)) continue;
    const auto same = node.head->number == newest.number
                          ? ClientResult<FinalHead>(newest)
                          : clients_[best]->finalized_at(node.head->number);
    if (!same.ok()) {
      const bool far = newest.number.value - node.head->number.value > kKeptBlocks;
      if (!far || !is_gone(same.error())) return fail(same.error());
      node.error = not_compared(node, nodes_[best]);
      node.head.reset();
    } else if (same->hash != node.head->hash) {
      return fail(two_histories(*same, *node.head));
    }
  }
  return {};
}

ClientError LightClient::first_error() const {
  const ClientError* found = nullptr;
  for (const LightNode& node : nodes_) {
    if (!node.error) continue;
    if (found == nullptr || (is_lie(*node.error) && !is_lie(*found))) found = &*node.error;
  }
  TALLY_ASSERT(found != nullptr);
  return *found;
}

ClientResult<FinalHead> LightClient::advance() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].set_aside) continue;
    nodes_[i].error.reset();
    const auto head = ask(i);
    if (head.ok()) {
      nodes_[i].head = *head;
    } else {
      refuse(i, head.error());
    }
  }
  for (LightNode& node : nodes_) {
    if (node.head && !counts(node)) {
      node.error = stale_head(node.endpoint, node.head->number, reached_);
    }
  }
  while (const auto index = best()) {
    const auto agreed = one_history(*index);
    if (agreed.ok()) {
      if (!head_ || head_->number <= nodes_[*index].head->number) head_ = nodes_[*index].head;
      return *head_;
    }
    if (agreed.error().check == Check::history) return fail(agreed.error());
    refuse(*index, agreed.error());
  }
  const bool heard = std::any_of(nodes_.begin(), nodes_.end(),
                                 [](const LightNode& node) { return node.head.has_value(); });
  // From nodes that are behind it, unless it is itself below what has been proved since.
  if (head_ && heard && head_->number >= reached_) return *head_;
  return fail(first_error());
}

ClientResult<std::vector<std::optional<Bytes>>> LightClient::read(const std::vector<Bytes>& keys) {
  TALLY_ASSERT(head_.has_value());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].set_aside || !nodes_[i].head) continue;
    auto values = clients_[i]->read_at(*head_, keys);
    if (values.ok()) return values;
    const bool behind = nodes_[i].head->number < head_->number;
    nodes_[i].error = values.error();
    if (is_lie(values.error())) {
      refuse(i, values.error());
    } else if (!behind) {
      nodes_[i].head.reset();
    }
  }
  return fail(first_error());
}

Traffic LightClient::traffic() const {
  Traffic sum;
  for (const auto& client : clients_) {
    if (!client) continue;
    const Traffic one = client->traffic();
    sum.answers += one.answers;
    sum.received += one.received;
    sum.sent += one.sent;
    sum.signatures += one.signatures;
  }
  return sum;
}

std::optional<Epoch> LightClient::known_epoch() const {
  std::optional<Epoch> known;
  for (const auto& client : clients_) {
    if (client && (!known || *known < client->known_epoch())) known = client->known_epoch();
  }
  return known;
}

}  // namespace tally::client
