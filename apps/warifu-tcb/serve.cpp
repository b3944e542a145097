#include "warifu-tcb/serve.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>

#include "base/time.h"
#include "crypto/system_entropy.h"
#include "keystore/files.h"
#include "keystore/folder_lock.h"
#include "keystore/state_folder.h"
#include "local_socket/server.h"
#include "process/confinement.h"
#include "process/privileges.h"
#include "process/service_manager.h"
#include "process/stop_signal.h"
#include "tcb/service.h"
#include "tcb_protocol/codec.h"
#include "tcb_protocol/service.h"
#include "tpm_device/care.h"
#include "tpm_device/tcb_tpm.h"
#include "tpm_device/tcti.h"
#include "warifu-tcb/ek_pin.h"

namespace warifu::tcb_program {
namespace {

constexpr std::uint32_t kRoot = 0;
constexpr std::size_t kProbeSize = 8;
constexpr Timestamp kBuiltAt{std::chrono::days(WARIFU_BUILT_ON_DAY)};

Result<keystore::FolderLock> open_state(const Settings& settings) {
  TRY_STATUS(keystore::make_private_folder(settings.state));
  if (settings.own_user && ::chown(settings.state.c_str(), settings.own_user->user, settings.own_user->group) != 0)
    return Error{ErrorKind::kUnavailable, "file.write",
                 fmt::format("cannot give {} to the user: {}", settings.state.string(), std::strerror(errno))};
  TRY(auto lock, keystore::FolderLock::acquire(settings.state));
  TRY_STATUS(keystore::remove_unfinished(settings.state));
  return lock;
}

Result<local_socket::Listener> open_socket(const Settings& settings) {
  TRY(auto inherited, local_socket::Listener::inherit());
  if (inherited) return std::move(*inherited);
  return local_socket::Listener::bind(settings.socket);
}

// Takes the auth values out of the settings: one copy of them is enough.
Result<std::unique_ptr<tpm_device::TcbTpm>> open_tpm(Settings& settings, StateFiles& files) {
  TRY(const auto kept, kept_ek_name(files));
  TRY(const auto pin, choose_ek_name(settings.ek_name, kept));
  const bool is_dps = settings.ek_template == device_config::EkTemplate::kDps;
  return tpm_device::TcbTpm::open(settings.tcti, {.ek_profile = is_dps ? tpm::EkProfile::kL1Dps : tpm::EkProfile::kL1,
                                                  .ek_name = pin,
                                                  .owner_auth = std::move(settings.owner_auth),
                                                  .endorsement_auth = std::move(settings.endorsement_auth)});
}

Result<process::Confinement> confinement_of(const Settings& settings) {
  using Network = process::Confinement::Network;
  TRY(const auto tcti, tpm_device::TctiAddress::parse(settings.tcti));
  // Such a TPM is connected to anew for each command.
  const bool needs_network = tcti.is_emulator() && tcti.path().empty();
  return process::Confinement{.network = needs_network ? Network::kInternet : Network::kUnixSockets,
                              .has_threads = false,
                              .readable = {},
                              .writable = {settings.state}};
}

// Root is given up after what only root can open was opened, and everything else before anybody is listened to.
Status give_up_rights(const Settings& settings, Log& log) {
  if (settings.own_user) TRY_STATUS(process::become(*settings.own_user));
  if (process::runs_as_root())
    log.warn("runs as root: start it by its systemd unit, or with --user, so that it is a user of its own");
  if (!settings.is_confined) {
    log.warn("NOT CONFINED (--unconfined): whoever takes over this process can do all that its user can");
    return {};
  }
  TRY(const auto confinement, confinement_of(settings));
  if (confinement.network == process::Confinement::Network::kInternet)
    log.warn("the TPM is behind a network, so this process keeps the network too");
  TRY(const auto confined, process::confine(confinement));
  if (confined.landlock_version == 0)
    log.warn("this kernel has no Landlock: files are protected by their owner and mode only");
  return {};
}

// Makes sure that it is this device's TPM, and remembers it at the first start.
Result<tpm::Name> know_tpm(tpm_device::TcbTpm& tpm, StateFiles& files, Log& log) {
  TRY(const auto ek, tpm.device().ek());
  TRY(const auto kept, kept_ek_name(files));
  if (kept) return ek.name();
  TRY_STATUS(keep_ek_name(files, ek.name()));
  log.info(fmt::format("first start with this TPM: from now on only the EK {} is this device's", ek.name().text()));
  return ek.name();
}

// Who may ask at all, by the kernel's word.
class Door {
 public:
  Door(std::uint32_t agent, Log& log) : agent_(agent), log_(log) {}

  std::optional<tcb::Caller> caller(const local_socket::Peer& peer) const {
    if (peer.user == kRoot) return tcb::Caller::kAdministrator;
    if (peer.user == agent_) return tcb::Caller::kAgent;
    return std::nullopt;
  }
  std::optional<SecretBytes> refusal(const local_socket::Peer& peer) {
    if (caller(peer)) return std::nullopt;
    tell(peer);
    return tcb_protocol::encode_error(
        {}, {ErrorKind::kRefused, "tcb.denied", "only the agent's user and root may speak with the TCB"});
  }

 private:
  // Not more often than this: a stranger could fill the log.
  static constexpr std::chrono::seconds kPause{10};

  void tell(const local_socket::Peer& peer) {
    const auto now = std::chrono::steady_clock::now();
    if (told_at_ && now - *told_at_ < kPause) {
      ++untold_;
      return;
    }
    log_.warn(fmt::format("refused uid={} pid={}: neither the agent's user nor root ({} more since the last such line)",
                          peer.user, peer.process, untold_));
    told_at_ = now;
    untold_ = 0;
  }

  std::uint32_t agent_;
  Log& log_;
  std::optional<std::chrono::steady_clock::time_point> told_at_;
  std::uint64_t untold_ = 0;
};

Status run(local_socket::Server server, const process::StopSignal& stop, tpm_device::TcbTpm& tpm, Log& log) {
  if (const auto told = process::notify_service_manager("READY=1"); !told) log.warn(told.error().message);
  Status served = server.serve_until(stop.descriptor());
  log.info("stopping");
  if (const auto told = process::notify_service_manager("STOPPING=1"); !told) log.warn(told.error().message);
  if (const auto done = tpm_device::shut_down(tpm.device()); !done)
    log.warn("the TPM was not shut down in order: " + to_string(done.error()));
  return served;
}

}  // namespace

Result<std::vector<process::ForbiddenTry>> check_confinement(const Settings& settings) {
  TRY(const auto lock, open_state(settings));
  if (settings.own_user) TRY_STATUS(process::become(*settings.own_user));
  TRY(const auto confinement, confinement_of(settings));
  return process::try_forbidden(confinement);
}

Status serve(Settings settings, Log& log) {
  const process::StopSignal stop;
  TRY(const auto lock, open_state(settings));
  keystore::StateFolder files(keystore::kernel_files(), settings.state.string());
  TRY(auto listener, open_socket(settings));
  TRY(const auto tpm, open_tpm(settings, files));
  TRY_STATUS(give_up_rights(settings, log));
  TRY(const auto ek_name, know_tpm(*tpm, files, log));

  const SystemClock clock;
  crypto::SystemEntropy entropy;
  tcb::Service service({*tpm, files, clock, entropy, log, kBuiltAt}, {std::move(settings.root), settings.server_name},
                       {settings.id_scope, settings.registration_id});
  Door door(settings.agent.user, log);
  bool tpm_is_lost = false;
  local_socket::Server server(
      tcb_protocol::kService, std::move(listener), [&](const auto& peer) { return door.refusal(peer); },
      [&](const auto& peer, ByteView request_frame) {
        const auto caller = door.caller(peer);
        if (!caller) return SecretBytes();
        auto answer = service.answer(*caller, request_frame);
        // Asked once more, so that it is not for one bad moment.
        tpm_is_lost = service.has_lost_tpm() && !tpm->random(kProbeSize);
        if (tpm_is_lost) process::StopSignal::give();
        return answer;
      });
  fmt::print("warifu-tcb ready socket={} ek-name={}\n", settings.socket.string(), ek_name.text());
  std::fflush(stdout);
  TRY_STATUS(run(std::move(server), stop, *tpm, log));
  if (!tpm_is_lost) return {};
  // A process that is confined cannot open it again: the service manager starts another one (Restart=on-failure).
  return Error{ErrorKind::kUnavailable, tcb::kTpmUnreachable, "the TPM does not answer any more"};
}

}  // namespace warifu::tcb_program
