// A new node joins a long chain that three real nodes serve: by snapshot, by snapshot through a
// kill -9 on the way, and block by block, keeping everything or the newest blocks only. How long it
// takes, what it receives, and what it needs of disk and memory.
#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <thread>

#include "node/keystore/validator_keys.hpp"
#include "rpc/proto/chain.grpc.pb.h"
#include "rpc/proto/node.grpc.pb.h"
#include "tests/support/process.hpp"
#include "tools/benchmarks/made_chain.hpp"
#include "tools/benchmarks/measure.hpp"

namespace tally::bench {
namespace {

namespace fs = std::filesystem;
namespace proto = tallystick::v1;
using Clock = std::chrono::steady_clock;

constexpr ChainSize kShort{.blocks = 3'000, .accounts = 24'000};
constexpr ChainSize kFull{.blocks = 100'000, .accounts = 100'000};
constexpr std::size_t kServers = 3;
constexpr std::size_t kPortsEach = 3;  // peers, gRPC, metrics
constexpr std::chrono::minutes kPatience{60};
constexpr auto kPoll = std::chrono::milliseconds(50);
constexpr auto kLook = std::chrono::milliseconds(500);  // at the size of a folder
constexpr double kKilledAt = 0.25;  // the share of the snapshot from which on it may be
constexpr double kMiB = 1024 * 1024;
constexpr double kMinute = 60;

double seconds_since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

std::string uri_of(std::size_t server) {
  constexpr std::array<const char*, kServers> kNames{"//Alice", "//Bob", "//Charlie"};
  return kNames.at(server);
}

// At full size it takes long.
void tell(const std::string& what, double seconds) {
  std::cerr << "sync: " << what << ", " << seconds << " s" << std::endl;
}

// The node may drop a file meanwhile.
double folder_mib(const fs::path& folder) {
  double bytes = 0;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    const auto size = at->file_size(gone);
    if (!gone) bytes += static_cast<double>(size);
  }
  return bytes / kMiB;
}

std::string http_get(std::uint16_t port, const std::string& path) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 &&
      write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size())) {
    std::array<char, 16'384> part;
    for (ssize_t n = 0; (n = read(fd, part.data(), part.size())) > 0;) {
      answer.append(part.data(), static_cast<std::size_t>(n));
    }
  }
  close(fd);
  return answer;
}

class Node {
 public:
  struct Settings {
    fs::path spec;
    fs::path folder;
    const std::uint16_t* ports{};
    std::vector<std::string> more;
  };
  explicit Node(const Settings& settings)
      : folder_(settings.folder), metrics_port_(settings.ports[2]) {
    std::vector<std::string> command{std::string(TALLY_BINARY_DIR) + "/bin/tallyd",
                                     "--chain",
                                     settings.spec.string(),
                                     "--base-path",
                                     folder_.string(),
                                     "--port",
                                     std::to_string(settings.ports[0]),
                                     "--rpc-port",
                                     std::to_string(settings.ports[1]),
                                     "--metrics-port",
                                     std::to_string(settings.ports[2])};
    command.insert(command.end(), settings.more.begin(), settings.more.end());
    process_.emplace(command, fs::path(folder_.string() + ".log"));
    const auto channel = grpc::CreateChannel("127.0.0.1:" + std::to_string(settings.ports[1]),
                                             grpc::InsecureChannelCredentials());
    chain_ = proto::Chain::NewStub(channel);
    node_ = proto::Node::NewStub(channel);
  }

  void require_running() {
    if (!process_->running()) throw std::runtime_error("a node ended:\n" + process_->log());
  }
  // Zero while it does not answer.
  std::uint32_t height() {
    grpc::ClientContext context;
    patient(context);
    proto::Heads heads;
    return chain_->GetHeads(&context, {}, &heads).ok() ? heads.finalized().number() : 0;
  }
  std::string hash(std::uint32_t number) {
    grpc::ClientContext context;
    proto::GetHeaderRequest request;
    request.mutable_at()->set_number(number);
    proto::Header header;
    const auto status = chain_->GetHeader(&context, request, &header);
    if (!status.ok()) throw std::runtime_error("GetHeader: " + status.error_message());
    return header.block().hash();
  }
  // The share of a snapshot that is here, while one is being taken.
  std::optional<double> share() {
    grpc::ClientContext context;
    patient(context);
    proto::NodeStatus status;
    if (!node_->GetStatus(&context, {}, &status).ok()) return std::nullopt;
    if (status.state() != "syncing_snapshot" || status.progress().total() == 0) return std::nullopt;
    return static_cast<double>(status.progress().done()) /
           static_cast<double>(status.progress().total());
  }
  double received_mib() const {
    const std::string text = http_get(metrics_port_, "/metrics");
    const std::string name = "\ntally_network_bytes_received_total ";
    const auto at = text.find(name);
    if (at == std::string::npos) throw std::runtime_error("the node's metrics lack" + name);
    return std::stod(text.substr(at + name.size())) / kMiB;
  }
  double memory_peak_mib() const {
    std::ifstream status("/proc/" + std::to_string(process_->pid()) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.rfind("VmHWM:", 0) == 0) return std::stod(line.substr(6)) / 1024;
    }
    throw std::runtime_error("no VmHWM for a node that should be running");
  }
  double database_mib() const { return folder_mib(folder_ / "db"); }
  void kill() {
    process_->signal(SIGKILL);
    process_->wait(std::chrono::seconds(10));
  }
  void stop() {
    process_->signal(SIGTERM);
    if (process_->wait(std::chrono::seconds(60)) != 0) {
      throw std::runtime_error("a node did not end well:\n" + process_->log());
    }
  }
  std::string log() const { return process_->log(); }

 private:
  // A call that fails at once does not drive the connection: it would stand seconds later.
  static void patient(grpc::ClientContext& context) {
    context.set_wait_for_ready(true);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));
  }

  fs::path folder_;
  std::uint16_t metrics_port_;
  std::optional<tests::Process> process_;
  std::unique_ptr<proto::Chain::Stub> chain_;
  std::unique_ptr<proto::Node::Stub> node_;
};

struct Joined {
  double seconds{};
  double received_mib{};
  double database_mib{};
  double database_peak_mib{};
  double memory_peak_mib{};
  double killed_at{};   // the share of the snapshot that was there
  double resumed_at{};  // the first that the next start showed
};

class World {
 public:
  explicit World(const ChainSize& size)
      : size_(size), ports_(tests::free_ports(kPortsEach * (kServers + 1))) {
    const auto began = Clock::now();
    make_chain({.spec = spec(), .data_folder = folder_.path() / "server0"}, size);
    made_in_ = seconds_since(began);
    tell("the chain is made", made_in_);
    for (std::size_t i = 1; i < kServers; ++i) {
      fs::copy(server_folder(0), server_folder(i), fs::copy_options::recursive);
    }
    for (std::size_t i = 0; i < kServers; ++i) start_server(i);
    for (const auto& server : servers_) {
      wait_for(*server, size.blocks);
    }
    hash_ = servers_[0]->hash(size.blocks);
  }

  double made_in() const { return made_in_; }
  double database_mib() const { return servers_[1]->database_mib(); }

  // From the start of the process on an empty folder to the last of the blocks. With `kill`, the
  // node is killed when it has half of the snapshot, and the time goes on through the next start.
  Joined join(const std::string& name, const std::vector<std::string>& options, bool kill = false) {
    const Node::Settings settings{spec(), folder_.path() / name, &ports_[kPortsEach * kServers],
                                  joiner_options(options)};
    Joined out;
    const auto began = Clock::now();
    auto node = std::make_unique<Node>(settings);
    if (kill) {
      out.killed_at = wait_for_part(*node);
      out.received_mib = node->received_mib();
      node->kill();
      node.reset();
      node = std::make_unique<Node>(settings);
      std::optional<double> share;
      wait([&] { return (share = node->share()) || node->height() > 0; }, *node);
      out.resumed_at = share.value_or(1);
    }
    Clock::time_point look_at;
    wait(
        [&] {
          if (Clock::now() >= look_at) {
            out.database_peak_mib = std::max(out.database_peak_mib, node->database_mib());
            look_at = Clock::now() + kLook;
          }
          return node->height() >= size_.blocks;
        },
        *node);
    out.seconds = seconds_since(began);
    tell(name + " is there", out.seconds);
    if (node->hash(size_.blocks) != hash_) throw std::runtime_error("it has another block");
    out.received_mib += node->received_mib();
    out.memory_peak_mib = node->memory_peak_mib();
    node->stop();
    out.database_mib = node->database_mib();
    fs::remove_all(settings.folder);
    return out;
  }

 private:
  fs::path spec() const { return folder_.path() / "chain.json"; }
  fs::path server_folder(std::size_t i) const {
    return folder_.path() / ("server" + std::to_string(i));
  }
  std::string address(std::size_t i) const {
    const auto secret = keystore::dev_node_secret(uri_of(i));
    return to_hex(ed25519_public(*secret)) + "@127.0.0.1:" + std::to_string(ports_[kPortsEach * i]);
  }

  void start_server(std::size_t i) {
    // The first is the chain's validator; of the votes in the made blocks there is no log.
    std::vector<std::string> more{"--validator", uri_of(i), "--pruning", "archive",
                                  "--trust-missing-votes"};
    for (std::size_t other = 0; other < i; ++other) {
      more.insert(more.end(), {"--bootnode", address(other)});
    }
    if (i == 0) more.insert(more.end(), {"--bootnode", "none"});
    servers_.push_back(std::make_unique<Node>(
        Node::Settings{spec(), server_folder(i), &ports_[kPortsEach * i], std::move(more)}));
  }
  std::vector<std::string> joiner_options(std::vector<std::string> options) const {
    for (std::size_t i = 0; i < kServers; ++i) {
      options.insert(options.end(), {"--bootnode", address(i)});
    }
    return options;
  }

  template <class Condition>
  void wait(Condition&& condition, Node& node) {
    const auto until = Clock::now() + kPatience;
    while (!condition()) {
      node.require_running();
      if (Clock::now() > until) throw std::runtime_error("it takes too long:\n" + node.log());
      std::this_thread::sleep_for(kPoll);
    }
  }
  void wait_for(Node& node, std::uint32_t height) {
    wait([&] { return node.height() >= height; }, node);
  }
  double wait_for_part(Node& node) {
    double share = 0;
    wait(
        [&] {
          share = node.share().value_or(0);
          return share >= kKilledAt || node.height() > 0;
        },
        node);
    if (node.height() > 0) throw std::runtime_error("it was there before it could be killed");
    return share;
  }

  ChainSize size_;
  std::vector<std::uint16_t> ports_;
  tests::TempFolder folder_;
  double made_in_ = 0;
  std::vector<std::unique_ptr<Node>> servers_;
  std::string hash_;
};

void append_rows(std::vector<Row>& rows, const std::string& how, const Joined& joined) {
  rows.push_back(
      {.name = how + ": received, inside TLS", .value = joined.received_mib, .unit = "MiB"});
  rows.push_back(
      {.name = how + ": database after it", .value = joined.database_mib, .unit = "MiB"});
  rows.push_back(
      {.name = how + ": database at most", .value = joined.database_peak_mib, .unit = "MiB"});
  rows.push_back(
      {.name = how + ": memory at most", .value = joined.memory_peak_mib, .unit = "MiB"});
}

}  // namespace

std::vector<Row> sync_rows() {
  const ChainSize size = full_size() ? kFull : kShort;
  World world(size);
  std::vector<Row> rows;
  rows.push_back({.name = "a chain of " + std::to_string(size.blocks) + " blocks and " +
                          std::to_string(size.accounts) + " accounts, made in",
                  .value = world.made_in(),
                  .unit = "s"});
  rows.push_back({.name = "its database: all blocks, 256 states",
                  .value = world.database_mib(),
                  .unit = "MiB"});

  const Joined taken = world.join("snapshot", {"--sync", "snapshot"});
  rows.push_back({.name = "join by snapshot",
                  .value = taken.seconds,
                  .unit = "s",
                  .target = kMinute,
                  .less_is_better = true});
  append_rows(rows, "join by snapshot", taken);

  if (full_size()) {  // a short chain's state is there before anybody could kill the node
    const Joined killed = world.join("killed", {"--sync", "snapshot"}, true);
    rows.push_back({.name = "join by snapshot, kill -9 at " +
                            std::to_string(static_cast<int>(100 * killed.killed_at)) +
                            " %, resumed at " +
                            std::to_string(static_cast<int>(100 * killed.resumed_at)) + " %",
                    .value = killed.seconds,
                    .unit = "s",
                    .target = kMinute,
                    .less_is_better = true});
    append_rows(rows, "join by snapshot through kill -9", killed);
  }

  for (const char* pruning : {"archive", "256"}) {
    const std::string how = std::string("join by blocks, --pruning ") + pruning;
    const Joined replayed = world.join(pruning, {"--sync", "blocks", "--pruning", pruning});
    rows.push_back({.name = how, .value = replayed.seconds, .unit = "s"});
    rows.push_back(
        {.name = how + ": blocks a second", .value = size.blocks / replayed.seconds, .unit = "/s"});
    append_rows(rows, how, replayed);
  }
  return rows;
}

}  // namespace tally::bench
