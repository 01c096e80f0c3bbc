// What the channel and task commands share.
#pragma once

#include <memory>

#include "client-sdk/host/channel_host.hpp"
#include "client-sdk/task/steady.hpp"
#include "tools/cli/session.hpp"

namespace tally::cli {

struct ChannelOptions {
  std::string as;        // my account
  std::string folder;    // of the journal; empty: one an account, beside the wallet
  std::string tower;     // folder of a `tally channel watch`; empty: none
  std::string peer;      // the other party's account
  std::string endpoint;  // host:port of the other party
  std::string channel;   // id
  std::string value;
  std::string period;
  std::string listen = "127.0.0.1:9950";
  std::string file;
  bool alone = false;
  bool all = false;
  std::uint32_t count = 0;
  std::uint32_t reconnect_seconds = 60;                         // how long a lost worker is tried
  std::function<void(const client::Submission&)> on_submitted;  // called from other threads
};

// One account's channels, running. Members end in the opposite order.
struct Seat {
  KeyPair key;
  std::unique_ptr<client::FolderTower> tower;
  std::unique_ptr<client::ChannelHost> host;
  std::unique_ptr<task::SteadySession> session;  // to the peer, when one was named
};

std::filesystem::path journal_folder(const Session& session, const ChannelOptions& options,
                                     const AccountId& account);
CliResult<Seat> take_seat(Session& session, const ChannelOptions& options,
                          bool take_channels = false);
// Connects to the other party of the channel; --to says where it is.
CliResult<void> connect_peer(Session& session, Seat& seat, const ChannelOptions& options,
                             const ChannelId& channel);
CliResult<ChannelId> channel_id(const std::string& text);
Fault channel_fault(const Error& error);
// The chain's record of a channel, as docs/cli-json.md has it.
Json record_json(const ChannelId& id, const channels::Channel& channel);
Json view_json(const client::ChannelView& view);
Sheet view_sheet(const client::ChannelView& view);
// The chain's record, proved; a Fault when there is none.
CliResult<channels::Channel> on_chain(Session& session, const ChannelId& id);

void add_as(CLI::App& command, ChannelOptions& options);
void add_channel(CLI::App& app, Session& session);
void add_channel_serve(CLI::App& channel, Session& session);
void add_channel_tower(CLI::App& channel, Session& session);
void add_channel_backup(CLI::App& channel, Session& session);
void add_task(CLI::App& app, Session& session);

}  // namespace tally::cli
