#include "node/service/signer_command.hpp"

#include <signal.h>
#include <sys/signalfd.h>

#include "node/service/folder_lock.hpp"
#include "node/signer/server.hpp"

namespace tally::service {
namespace {

template <class T>
Result<T, StartError> or_exit(Exit code, Result<T, Error> result) {
  if (!result.ok()) return fail(StartError{code, std::move(result.error().message)});
  return *std::move(result);
}

}  // namespace

Result<void, StartError> run_signer(const SignerCommand& command, const NodeConfig& config) {
  const Log log = Log::to_stderr(config.log);
  auto keys = TALLY_TRY(or_exit(Exit::bad_input, validator_keys_of(config)));
  if (!keys) {
    return fail(StartError{Exit::bad_input,
                           "expected --validator-keys FOLDER, the keys that the signer holds"});
  }
  std::optional<gid_t> group;
  if (!command.socket_group.empty()) {
    group = TALLY_TRY(or_exit(Exit::bad_input, signer::group_of(command.socket_group)));
  }
  const auto lock = FolderLock::take(command.state);
  if (!lock.ok()) {
    return fail(StartError{lock.error().in_use ? Exit::folder_in_use : Exit::cannot_start,
                           lock.error().message});
  }
  auto mark = TALLY_TRY(
      or_exit(Exit::bad_input,
              signer::SigningMark::open(store::posix_file((command.state / kMarkFile).string()),
                                        {keys->consensus_key(), command.new_mark})));
  const std::string key = "0x" + to_hex(keys->consensus_key());
  signer::SignerServer server(*std::move(keys), std::move(mark),
                              [&log](const std::string& line) { log.info(line); });
  const auto listener =
      TALLY_TRY(or_exit(Exit::cannot_start, signer::listen_unix(command.socket, group)));
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  const signer::Socket stop(::signalfd(-1, &signals, SFD_CLOEXEC));
  if (!stop.open()) return fail(StartError{Exit::cannot_start, "cannot wait for signals"});
  log.info("signer is up", {{"socket", command.socket}, {"consensus_key", key}});
  server.serve(listener, stop.file());
  log.info("signer has stopped");
  std::error_code error;
  std::filesystem::remove(command.socket, error);
  return {};
}

}  // namespace tally::service
