#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>

#include "base/time.h"
#include "crypto/system_entropy.h"
#include "frames/frame.h"
#include "keystore/files.h"
#include "keystore/folder_lock.h"
#include "keystore/journal.h"
#include "local_socket/connected.h"
#include "local_socket/server.h"
#include "process/confinement.h"
#include "process/privileges.h"
#include "process/service_manager.h"
#include "process/stop_signal.h"
#include "signer/service.h"
#include "signer_protocol/service.h"
#include "warifu-signer/commands.h"
#include "warifu-signer/place_keys.h"

namespace warifu::signer_app {
namespace {

constexpr std::uint32_t kRoot = 0;

void log(const char* level, const std::string& message) {
  std::fprintf(stderr, "%s %s warifu-signer: %s\n", to_rfc3339(SystemClock().now()).c_str(), level, message.c_str());
}

// The journal in the signer's folder. Several signers of one folder take turns.
class FolderJournal final : public signer::Journal {
 public:
  explicit FolderJournal(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Status add(boost::json::object entry) override {
    TRY(const auto lock, keystore::FolderLock::wait(folder_));
    return keystore::Journal(keystore::kernel_files(), folder_.string()).add(std::move(entry));
  }
  // Not more often than this: whoever asks could fill the log.
  void tell(const std::string& refusal) override {
    const auto now = std::chrono::steady_clock::now();
    if (told_at_ && now - *told_at_ < kPause) {
      ++untold_;
      return;
    }
    log("warning", fmt::format("{} ({} more since the last such line)", refusal, untold_));
    told_at_ = now;
    untold_ = 0;
  }

 private:
  static constexpr std::chrono::seconds kPause{10};

  std::filesystem::path folder_;
  std::optional<std::chrono::steady_clock::time_point> told_at_;
  std::uint64_t untold_ = 0;
};

Result<std::uint32_t> server_user_of(const ServeRequest& request) {
  if (request.server_user.empty()) return static_cast<std::uint32_t>(::geteuid());
  TRY(const auto user, process::find_user(request.server_user));
  return user.user;
}

// What is left: its own folder, and the way to the TPM that was opened before.
Status give_up_rights(const ServeRequest& request, const Folder& folder, const Settings& settings) {
  if (settings.backend.kind() == signing_keys::KeyBackend::Kind::kPkcs11) {
    // The token's module reads files and talks to devices that nobody here knows of.
    log("warning", "a token's module cannot be confined from here: confine it in the unit of the service manager");
    return {};
  }
  if (!request.is_confined) {
    log("warning", "NOT CONFINED (--unconfined): whoever takes over this process can do all that its user can");
    return {};
  }
  TRY(const bool needs_network, settings.backend.needs_network());
  using Network = process::Confinement::Network;
  TRY(const auto confined, process::confine({.network = needs_network ? Network::kInternet : Network::kUnixSockets,
                                             .has_threads = true,
                                             .readable = {folder.keys()},
                                             .writable = {folder.journal()}}));
  if (confined.landlock_version == 0)
    log("warning", "this kernel has no Landlock: files are protected by their owner and mode only");
  return {};
}

// Who is who, by the kernel's word.
class Door {
 public:
  explicit Door(std::uint32_t server_user) : server_user_(server_user) {}

  signer::Caller caller(const local_socket::Peer& peer) const {
    return {.user = peer.user,
            .is_server = peer.user == server_user_,
            .is_administrator = peer.user == kRoot || peer.user == ::geteuid()};
  }
  std::optional<SecretBytes> refusal(const local_socket::Peer& peer) const {
    const auto who = caller(peer);
    if (who.is_server || who.is_administrator) return std::nullopt;
    log("warning",
        fmt::format("refused uid={} pid={}: neither the server's user nor an administrator", peer.user, peer.process));
    return frames::encode_error(signer_protocol::kProtocol, {},
                                {ErrorKind::kRefused, "signer.denied",
                                 "only the server's user, root and the signer's own user may speak with the signer"});
  }

 private:
  std::uint32_t server_user_;
};

// For the one client that started this program: it ends with it, and with nothing else.
Status serve_client(const local_socket::Handler& handler) {
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_IGN);
  const local_socket::Descriptor never(::eventfd(0, EFD_CLOEXEC));
  return local_socket::serve_connected(signer_protocol::kService, local_socket::Descriptor(::dup(STDIN_FILENO)),
                                       handler, never.get());
}

Status serve_all(local_socket::Listener listener, const std::filesystem::path& socket, const Door& door,
                 local_socket::Handler handler, const process::StopSignal& stop) {
  local_socket::Server server(
      signer_protocol::kService, std::move(listener), [&](const auto& peer) { return door.refusal(peer); },
      std::move(handler));
  fmt::print("warifu-signer ready socket={}\n", socket.string());
  std::fflush(stdout);
  if (const auto told = process::notify_service_manager("READY=1"); !told) log("warning", told.error().message);
  Status served = server.serve_until(stop.descriptor());
  if (const auto told = process::notify_service_manager("STOPPING=1"); !told) log("warning", told.error().message);
  return served;
}

Result<local_socket::Listener> open_socket(const ServeRequest& request) {
  TRY(auto inherited, local_socket::Listener::inherit());
  if (inherited) return std::move(*inherited);
  return local_socket::Listener::bind(request.socket);
}

}  // namespace

Status serve(const ServeRequest& request) {
  std::optional<process::StopSignal> stop;
  std::optional<local_socket::Listener> listener;
  if (!request.is_connected) {
    stop.emplace();
    TRY(auto opened, open_socket(request));
    listener.emplace(std::move(opened));
  }
  TRY(const auto server_user, server_user_of(request));
  const Folder folder(request.folder);
  TRY(const auto settings, folder.read_settings());
  TRY_STATUS(folder.check_user());
  TRY(const auto organisation, folder.read_organisation(settings));
  crypto::SystemEntropy entropy;
  TRY(const auto keys, PlaceKeys::open(folder, settings, organisation, entropy));
  TRY_STATUS(give_up_rights(request, folder, settings));

  const SystemClock clock;
  const SystemMonotonicClock monotonic;
  FolderJournal journal(folder.journal());
  signer::Service service({organisation, *keys, journal, clock, monotonic, entropy}, {.names = settings.server_names});
  const Door door(server_user);
  const local_socket::Handler handler = [&](const local_socket::Peer& peer, ByteView frame) {
    return service.answer(door.caller(peer), frame);
  };
  if (request.is_connected) return serve_client(handler);
  return serve_all(std::move(*listener), request.socket, door, handler, *stop);
}

}  // namespace warifu::signer_app
