#pragma once

#include <memory>

#include "agent/bundle_follower.h"
#include "agent/care.h"
#include "agent/certificate_fallback.h"
#include "agent/client_identity.h"
#include "agent/outside.h"
#include "base/time.h"
#include "crypto/system_entropy.h"
#include "device_config/device_config.h"
#include "http_client/https_client.h"
#include "keystore/files.h"
#include "keystore/state_folder.h"
#include "local_socket/client.h"
#include "tcb_protocol/codec.h"
#include "warifu-agent/commands.h"
#include "warifu-agent/measurement_files.h"
#include "warifu-agent/rights.h"
#include "warifu-agent/signal_waiter.h"

namespace warifu::agent_app {

// Steps and notes on standard error.
class StderrProgress final : public agent::Progress {
 public:
  // Steps up to this one are not told.
  explicit StderrProgress(int silent_to) : silent_to_(silent_to) {}
  void step(int number, std::string_view what) override;
  void note(std::string_view what) override;

 private:
  const int silent_to_;
};

// The object graph of a command that speaks with the server: configuration, TCB, server, state. To have one is to have
// given up one's rights.
class Device {
 public:
  enum class Tells { kEverything, kFromTheThirdStep, kNotes };

  // Reads the configuration and the root certificate, opens the logs, and then gives up the process's rights for good
  // (rights.h). Connects to nothing.
  static Result<std::unique_ptr<Device>> open(const Context& context, Tells tells);
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  agent::Outside& outside() { return outside_; }
  const device_config::DeviceConfig& config() const { return config_; }
  agent::MeasurementLogs& logs() { return *logs_; }
  agent::TcbClientIdentity& identity() { return identity_; }

  // What the TCB answers; if it must know the server first, after a contact with it.
  template <class R>
  Result<typename R::Answer> ask(const R& request) {
    auto answer = tcb_protocol::call(tcb_, request);
    if (answer || answer.error().code != "tcb.server.unverified") return answer;
    TRY_STATUS(meet_server());
    return tcb_protocol::call(tcb_, request);
  }
  // The escrow chain, as agent::meet().
  Result<std::vector<Bytes>> meet_server() { return agent::meet(outside_, follower_); }

 private:
  Device(const RightsGivenUp&, device_config::DeviceConfig config, std::unique_ptr<MeasurementFiles> logs,
         http_client::TrustedRoot root, int silent_to);

  const device_config::DeviceConfig config_;
  const std::unique_ptr<MeasurementFiles> logs_;
  const SystemClock clock_;
  crypto::SystemEntropy entropy_;
  SignalWaiter waiter_;
  StderrProgress progress_;
  local_socket::Client tcb_;
  agent::TcbServerCheck server_check_;
  agent::TcbClientIdentity identity_;
  http_client::HttpsClient connection_;
  agent::CertificateFallback transport_;
  keystore::StateFolder files_;
  agent::Outside outside_;
  agent::BundleFollower follower_{outside_};
};

}  // namespace warifu::agent_app
