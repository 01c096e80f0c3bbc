// Four validators on this machine: the memory of an idle node, the finality of a lone transfer,
// committed transfers a second, and how fast a node with an empty disk imports them. Transactions
// are signed before the clock starts and handed in over gRPC, each to one node, many calls at a
// time; blocks are durable on every node.
#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>

#include "tools/benchmarks/measure.hpp"
#include "tools/benchmarks/nodes.hpp"
#include "tools/benchmarks/transfers.hpp"

namespace tally::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kSenders = 4'000;
constexpr std::uint32_t kRounds = 10;         // transfers of each sender
constexpr std::size_t kWindow = 20;           // calls under way at a node: what one client may
constexpr std::size_t kBacklog = 8'000;       // handed in and not final yet
constexpr std::uint32_t kLoneSender = 9'000;  // not one of the senders
constexpr std::size_t kLoneTransfers = 15;
constexpr auto kIdle = std::chrono::seconds(5);
constexpr auto kPause = std::chrono::milliseconds(2);
constexpr auto kStandstill = std::chrono::seconds(30);

// By node: those of one sender go to one node, in the order of their nonces.
std::vector<std::vector<std::string>> sign_all(const Transfers& transfers) {
  std::vector<std::vector<std::string>> out(kNodes);
  for (std::uint32_t nonce = 0; nonce < kRounds; ++nonce) {
    for (std::uint32_t i = 0; i < kSenders; ++i) {
      out[i % kNodes].push_back(transfers.sign({i, nonce}));
    }
  }
  return out;
}

double median_finality_ms(Nodes& nodes, const Transfers& transfers) {
  std::vector<double> times;
  for (std::uint32_t i = 0; i < kLoneTransfers; ++i) {
    times.push_back(lone_finality_ms(nodes.author(0), transfers.sign({kLoneSender, i})));
  }
  return median(std::move(times));
}

constexpr std::size_t kAll = std::size_t{kSenders} * kRounds;

// What is under way between those who submit and the one who counts final blocks.
struct Progress {
  std::atomic<std::size_t> submitted{0};
  std::atomic<std::size_t> final{0};
  std::atomic<bool> stop{false};

  bool full() const { return submitted > final + kBacklog; }
};

struct Call {
  std::size_t index{};
  grpc::ClientContext context;
  proto::SubmitResponse reply;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<proto::SubmitResponse>> reader;
};

// Hands everything in at one node, kWindow calls at a time; what a full pool refuses comes again.
void submit_all(proto::Author::Stub& author, const std::vector<std::string>& extrinsics,
                Progress& progress) {
  grpc::CompletionQueue queue;
  const auto send = [&](std::size_t index) {
    while (!progress.stop && progress.full()) std::this_thread::sleep_for(kPause);
    auto* call = new Call;  // the completion queue carries it as a bare pointer
    call->index = index;
    proto::SubmitRequest request;
    request.set_extrinsic(extrinsics[index]);
    call->reader = author.AsyncSubmit(&call->context, request, &queue);
    call->reader->Finish(&call->reply, &call->status, call);
  };
  std::size_t next = 0;
  std::size_t under_way = 0;
  for (; next < std::min(kWindow, extrinsics.size()); ++next, ++under_way) send(next);
  void* tag = nullptr;
  bool ok = false;
  while (under_way > 0 && queue.Next(&tag, &ok)) {
    const std::unique_ptr<Call> done(static_cast<Call*>(tag));
    --under_way;
    if (progress.stop) continue;
    if (done->status.ok()) {
      ++progress.submitted;
      if (next == extrinsics.size()) continue;
      send(next++);
    } else {
      std::this_thread::sleep_for(kPause);
      send(done->index);
    }
    ++under_way;
  }
}

// Transfers a second from the first block that has some to the one that has the last of them.
double count_final(Nodes& nodes, std::uint32_t from, Progress& progress) {
  std::uint32_t next = from;
  std::size_t first = 0;
  Clock::time_point began;
  Clock::time_point moved = Clock::now();
  while (progress.final < kAll) {
    for (const std::uint32_t height = nodes.final_height(0); next <= height; ++next) {
      const std::size_t transactions = nodes.block(0, next).transactions;
      if (transactions == 0) continue;
      moved = Clock::now();
      if (first == 0) {
        first = transactions;
        began = moved;
      }
      progress.final += transactions;
    }
    if (Clock::now() - moved > kStandstill) {
      progress.stop = true;
      throw std::runtime_error("only " + std::to_string(progress.final) + " of " +
                               std::to_string(kAll) + " transfers became final");
    }
    std::this_thread::sleep_for(kPause);
  }
  const double seconds = std::chrono::duration<double>(moved - began).count();
  return static_cast<double>(progress.final - first) / seconds;
}

double committed_per_second(Nodes& nodes, const Transfers& transfers) {
  const auto extrinsics = sign_all(transfers);
  const std::uint32_t height = nodes.final_height(0);
  Progress progress;
  std::vector<std::jthread> submitters;
  for (std::size_t i = 0; i < kNodes; ++i) {
    submitters.emplace_back([&, i] { submit_all(nodes.author(i), extrinsics[i], progress); });
  }
  const double out = count_final(nodes, height + 1, progress);
  submitters.clear();
  const std::uint32_t end = nodes.final_height(0);
  for (std::size_t i = 1; i < kNodes; ++i) {
    const auto same = [&] {
      return nodes.final_height(i) >= end && nodes.block(i, end).hash == nodes.block(0, end).hash;
    };
    if (!tests::eventually(kStandstill, same)) throw std::runtime_error("the nodes disagree");
  }
  return out;
}

}  // namespace

std::vector<Row> network_rows() {
  const Transfers transfers;
  const double checks = checks_per_second_all_cores();
  Nodes nodes;
  std::this_thread::sleep_for(kIdle);
  double memory = 0;
  for (std::size_t i = 0; i < kNodes; ++i) memory = std::max(memory, nodes.memory(i));
  const double finality = median_finality_ms(nodes, transfers);
  const double committed = committed_per_second(nodes, transfers);
  const std::uint32_t end = nodes.final_height(0);
  const double import_seconds = nodes.catch_up(end, nodes.block(0, end).hash);
  return {{.name = "committed transfers, 4 validators on this machine, signed, durable",
           .value = committed,
           .unit = "/s",
           .limit = checks / 4,
           .limit_text = "ECDSA checks of all cores / 4",
           .target = 0.6},
          {.name = "block import while catching up, transfers of an empty node from its start",
           .value = kAll / import_seconds,
           .unit = "/s",
           .limit = checks,
           .limit_text = "ECDSA checks of all cores",
           .target = 0.7},
          {.name = "finality of a lone transfer, 4 validators on this machine, median",
           .value = finality,
           .unit = "ms"},
          {.name = "memory of an idle node",
           .value = memory,
           .unit = "MiB",
           .target = 150,
           .less_is_better = true}};
}

}  // namespace tally::bench
