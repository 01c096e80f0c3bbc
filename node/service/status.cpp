#include "node/service/status.hpp"

#include <algorithm>

namespace tally::service {
namespace {

using consensus::Silence;
using ports::NodeState;

constexpr std::uint32_t kNearlyThere = 3;      // blocks: as in sync()
constexpr std::uint64_t kStallIntervals = 10;  // without a final block
constexpr std::uint64_t kStallMsMin = 10'000;

constexpr const char* kCheckNetwork = "Check the network of this machine and --bootnode.";

std::string seconds(DurationMs time) {
  return std::to_string(time.value / 1'000) + " s";
}

std::string of_quorum(const StatusInputs& in) {
  return "validators of weight " + std::to_string(in.linked_weight) +
         " are linked, itself included, and " + std::to_string(in.quorum) + " are needed";
}

bool stands_still(const StatusInputs& in) {
  return in.since_final.value > std::max(kStallIntervals * in.idle_interval.value, kStallMsMin);
}

bool is_member(const StatusInputs& in) {
  return in.core.standing.silence != Silence::not_a_member;
}

std::optional<Judgement> syncing(const StatusInputs& in) {
  const auto& core = in.core;
  if (core.snapshot) {
    Judgement out{NodeState::syncing_snapshot,
                  "takes the state of a recent final block from peers",
                  {},
                  ports::NodeStatus::Progress{core.snapshot->done, core.snapshot->total}};
    if (in.peers == 0) {
      out.reason += ", and none is connected";
      out.advice = kCheckNetwork;
    }
    return out;
  }
  const std::uint32_t here = core.head.number.value;
  const std::uint32_t target = sync_target(in).value;
  if (target <= here + kNearlyThere) return std::nullopt;
  const bool shown = core.best_seen.value == target;
  Judgement out{NodeState::syncing_blocks,
                "is at block " + std::to_string(here) + " and a peer " +
                    (shown ? "shows" : "claims") + " block " + std::to_string(target),
                {},
                ports::NodeStatus::Progress{here, target}};
  if (!shown) {
    out.reason += ", but no peer serves the blocks";
    out.advice = kCheckNetwork;
  } else if (core.pruned_everywhere) {
    out.reason += ", but no peer keeps the next block any more";
    out.advice =
        "Name a node that keeps all blocks (--pruning archive) with --bootnode, or leave out "
        "`--sync blocks` to take a snapshot.";
  }
  return out;
}

Judgement listening(const StatusInputs& in) {
  const auto& standing = in.core.standing;
  Judgement out{NodeState::listening,
                "listens for another copy of this validator before it votes",
                {},
                ports::NodeStatus::Progress{standing.listened.value, standing.listens_for.value}};
  if (in.linked_weight < in.quorum) {
    out.reason += ", and hears too few validators: " + of_quorum(in);
    out.advice = "Check the network and --bootnode: validators vote over direct links.";
  }
  return out;
}

// In the set, and says nothing.
Judgement silent(const StatusInputs& in) {
  const auto& standing = in.core.standing;
  const std::string wait = "Nothing to do: it votes again in the next epoch.";
  switch (standing.silence) {
    case Silence::log_damaged:
      return {NodeState::not_voting,
              "the vote log is damaged, so that what this validator has signed is not known",
              wait + " Check the disk: synced data does not change by itself.",
              {}};
    case Silence::votes_missing:
      return {NodeState::not_voting,
              "votes.log and high-water are missing, so that what this validator has signed is not "
              "known",
              wait +
                  " --trust-missing-votes votes at once, and is right only if no copy of this "
                  "validator has voted in this epoch.",
              {}};
    case Silence::database_behind:
      return {NodeState::not_voting,
              "this validator has signed in a later epoch than its database knows of",
              "Nothing to do: it votes again once it has caught up and an epoch has passed. If "
              "db/ was restored from an old copy, that is why.",
              {}};
    case Silence::another_copy:
      return {NodeState::not_voting,
              "another copy of this validator has voted: " + standing.detail,
              "If a second node runs with these keys, stop one of the two for good. If the data "
              "folder was restored from an old copy, leave it running: it votes again in the next "
              "epoch. After a second node was stopped, start this one anew.",
              {}};
    case Silence::signer_away:
      return {NodeState::not_voting,
              "the signer does not answer: " + standing.detail,
              "Start `tallyd signer` on the socket that --signer names; this node goes on by "
              "itself.",
              {}};
    case Silence::signer_refuses:
      return {NodeState::not_voting,
              "the signer refuses to sign: " + standing.detail,
              "Its mark is ahead of what this node knows: another node has used this signer, or "
              "the data folder is an old copy. Nothing to do if this node is the only one: it "
              "votes again in later views.",
              {}};
    case Silence::none:
    case Silence::not_a_member:
    case Silence::listening:
      break;
  }
  return {NodeState::not_voting, standing.detail, {}, {}};
}

Judgement voting(const StatusInputs& in) {
  const std::string network = "Check the network of this machine and --bootnode; nothing is lost.";
  if (in.linked_weight < in.quorum) {
    return {NodeState::not_voting,
            "too few validators are connected to make a block final: " + of_quorum(in),
            network,
            {}};
  }
  Judgement out{
      NodeState::validating, "votes in epoch " + std::to_string(in.core.hint.epoch.value), {}, {}};
  if (stands_still(in)) {
    out.reason += ", but no block became final for " + seconds(in.since_final);
    out.advice =
        "A third of the validators or more may be away or cut off from each other: ask their "
        "operators.";
  }
  return out;
}

Judgement following(const StatusInputs& in) {
  Judgement out{NodeState::following, "follows the chain as a full node", {}, {}};
  if (in.has_keys) {
    out.reason = "follows the chain: this validator is not in the set of epoch " +
                 std::to_string(in.core.hint.epoch.value);
    out.advice = "`tally validator show` says whether it has a bond and is out.";
  }
  if (in.peers == 0 && in.quorum > 0) {
    out.reason = "no peer is connected: what it shows may be old";
    out.advice = kCheckNetwork;
  } else if (stands_still(in)) {
    out.reason +=
        ", but no block became final for " + seconds(in.since_final) + ": what it shows may be old";
    out.advice = std::string(kCheckNetwork) +
                 " If other nodes stand as well, it is for the validators' operators to mend.";
  }
  return out;
}

}  // namespace

// Where no block becomes final, nothing speaks against what peers claim and do not show; but a
// validator to which too few others are linked lacks those first.
BlockNumber sync_target(const StatusInputs& in) {
  const bool lacks_links = is_member(in) && in.linked_weight < in.quorum;
  const bool believes = stands_still(in) && !lacks_links;
  return believes ? std::max(in.core.best_seen, in.core.doubtful) : in.core.best_seen;
}

Judgement judge(const StatusInputs& in) {
  if (in.stopped) {
    return {NodeState::stopped,
            *in.stopped,
            "Read the log; see \"Bad days\" in docs/operators.md.",
            {}};
  }
  // One bootnode that says so is not enough for a node that the others let in.
  const bool shut_out = in.has_keys ? in.linked_weight < in.quorum : in.peers == 0;
  if (in.key_is_in_use && shut_out) {
    return {in.has_keys ? NodeState::not_voting : NodeState::starting,
            "another node has this node's key, and peers are linked to that one",
            "A copy of this data folder is in use: stop one of the two nodes for good.",
            {}};
  }
  const Silence silence = in.core.standing.silence;
  const bool alone = is_member(in) && in.linked_weight >= in.quorum;
  if (!in.had_peers && in.peers == 0 && !alone) {
    return {NodeState::starting,
            "waits for the first peer",
            "If this lasts: check the network and --bootnode.",
            {}};
  }
  if (auto behind = syncing(in)) return *std::move(behind);
  if (!is_member(in)) return following(in);
  if (silence == Silence::listening) return listening(in);
  return silence == Silence::none ? voting(in) : silent(in);
}

ports::NodeStatus::Disk disk_use(const std::filesystem::path& base_path) {
  ports::NodeStatus::Disk out;
  std::error_code error;
  const auto size_of = [&](const std::filesystem::path& file) -> std::uint64_t {
    const auto size = std::filesystem::file_size(file, error);
    return error ? 0 : size;
  };
  for (std::filesystem::directory_iterator at(base_path / "db", error), end; !error && at != end;
       at.increment(error)) {
    out.database_bytes += size_of(at->path());
  }
  for (const char* name : {"votes.log", "high-water"}) out.votes_bytes += size_of(base_path / name);
  const auto space = std::filesystem::space(base_path, error);
  if (!error) out.free_bytes = space.available;
  return out;
}

}  // namespace tally::service
