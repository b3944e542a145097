#pragma once

#include <atomic>
#include <csignal>

#include "front/api/operator_router.h"
#include "front/certificates/applicants.h"
#include "front/certificates/office.h"
#include "front/cmp/cmp_api.h"
#include "front/device/application_key_api.h"
#include "front/device/attestation_api.h"
#include "front/device/certificate_api.h"
#include "front/device/escrow_api.h"
#include "front/device/trust_bundle_api.h"
#include "front/dps/device_api.h"
#include "front/est/est_api.h"
#include "front/housekeeping/disk_watch.h"
#include "front/housekeeping/reminder.h"
#include "front/housekeeping/retention.h"
#include "front/housekeeping/silence_watch.h"
#include "front/http/dispatcher.h"
#include "front/http/idempotency.h"
#include "front/http/workers.h"
#include "front/limits/admission.h"
#include "front/metrics.h"
#include "front/outbox/sender.h"
#include "front/revocation/certificate_gate.h"
#include "front/revocation/keeper.h"
#include "front/revocation/revocation_api.h"
#include "net/server.h"
#include "operators/authenticator.h"
#include "operators/desk.h"
#include "pki/authority.h"
#include "provisioning/device_desk.h"
#include "provisioning/enrollment_desk.h"
#include "provisioning/group_desk.h"
#include "provisioning/memory_challenges.h"
#include "provisioning/registrar.h"
#include "verifier/desk.h"
#include "warifud/options.h"
#include "warifud/organisation.h"
#include "warifud/signer_issuer.h"
#include "warifud/trust.h"
#include "webhook_client/curl_poster.h"

namespace warifu::warifud {

// The object graph of a running server. What it is given outlives it.
class Service {
 public:
  // Raised by a timer, so that the main thread does what may block: it wakes net::Signals::wait().
  static constexpr int kHousekeepingSignal = SIGUSR1;

  // `server_name` is the first name of the node's certificate.
  Service(const Organisation& organisation, Trust trust, store::Store& store, frames::Channel& signer, Outside& outside,
          const ServeOptions& options, const std::string& server_name);

  // Waits for every change that was asked for: their answers call what goes away here.
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  struct Endpoints {
    net::Endpoint devices;
    net::Endpoint operators;
    std::optional<net::Endpoint> compat;
    std::optional<net::Endpoint> http;
  };
  Result<Endpoints> listen(const ServeOptions& options);
  void start();

  // Reads the trust bundles and the certificates again; open connections go on. What cannot be read stays as it was.
  Status reload();
  bool is_renewal_due() const;
  // Removes what has expired.
  void clean_up();
  // Raises alerts for devices that are missed, and tells of a disk that runs full and a trust bundle that ends.
  void watch();
  void drain(std::chrono::milliseconds deadline);

  const front::Router& device_routes() const { return devices_.router(); }
  const front::Router& operator_routes() const { return operators_.router(); }
  const front::Router& compat_routes() const { return compat_.router(); }
  const front::Router& http_routes() const { return http_.router(); }

 private:
  struct Credentials {
    net::TlsCredentials devices;
    net::TlsCredentials operators;
    net::TlsCredentials compat;
  };
  Result<Credentials> load_credentials();
  Result<net::Endpoint> listen_compat(const ListenAddress& at, const net::ListenerLimits& limits,
                                      net::TlsCredentials credentials);
  Status reload_certificates();
  Status load_trust();
  void load_role_certificates();
  // Says in the log what the newest trust bundle means for this server.
  void remind_of_trust();
  // What needs the signer now and then, and not at once.
  void look_after_certificates();
  void schedule_housekeeping();
  void schedule_diary();
  void schedule_certificates();
  // One short change; true if there is more to remove.
  bool clean_up_some();

  // Those of the server, which is made after what needs them.
  class ServerTimers final : public net::Timers {
   public:
    explicit ServerTimers(Service& service) : service_(service) {}
    void post_after(std::chrono::milliseconds delay, std::function<void()> work) override {
      service_.server_.post_after(delay, std::move(work));
    }

   private:
    Service& service_;
  };

  const SystemMonotonicClock monotonic_clock_;
  const Organisation& organisation_;
  Trust trust_;
  store::Store& store_;
  Outside& outside_;
  const std::chrono::seconds attestation_interval_;
  const bool sends_webhooks_;
  front::Metrics metrics_;
  operators::Authenticator authenticator_;
  operators::Desk desk_;
  provisioning::EnrollmentDesk enrollments_;
  provisioning::GroupDesk groups_;
  provisioning::DeviceDesk device_desk_;
  ek_trust::CertificateDesk certificates_;
  verifier::PolicyDesk policies_;
  verifier::PackageDesk packages_;
  webhooks::Desk webhooks_;
  provisioning::EscrowDesk escrow_;
  provisioning::MemoryChallenges own_challenges_;  // unless the nodes of the database share theirs
  provisioning::Registrar registrar_;
  verifier::Desk verifier_;
  attestation::ResultsKeys results_keys_;
  front::dps::AttemptLog attempts_;
  application_keys::Desk application_keys_;
  front::dps::DeviceApi device_api_;
  front::device::EscrowApi escrow_api_;
  SignerIssuer issuer_;
  device_ca::Desk device_ca_;
  front::certificates::Applicants applicants_;
  front::device::AttestationApi attestation_api_;
  front::certificates::Office office_;
  front::device::CertificateApi certificate_api_;
  front::device::ApplicationKeyApi application_key_api_;
  front::est::EstApi est_api_;
  front::cmp_door::CmpIssuer cmp_issuer_;
  front::cmp_door::CmpApi cmp_api_;
  front::device::TrustBundleApi trust_bundle_api_;
  front::revocation::Standings standings_;
  front::revocation::CertificateGate certificate_gate_;
  front::revocation::OcspDesk ocsp_;
  front::revocation::CrlDesk crl_;
  front::revocation::RevocationApi revocation_api_;
  std::vector<crypto::Certificate> node_chain_;  // as it was loaded; for the main thread, as the next one
  front::housekeeping::Reminder reminder_;
  front::housekeeping::SilenceWatch silence_watch_;
  front::housekeeping::Retention retention_;
  front::housekeeping::DiskWatch disk_watch_;
  front::api::OperatorApi operator_api_;
  front::api::EnrollmentApi enrollment_api_;
  front::api::GroupApi group_api_;
  front::api::RegistrationApi registration_api_;
  front::api::EkTrustApi ek_trust_api_;
  front::api::AttestationApi attestations_api_;
  front::api::PolicyApi policy_api_;
  front::api::DataPackageApi data_package_api_;
  front::api::VerificationApi verification_api_;
  front::api::WebhookApi webhook_api_;
  front::api::CertificateApi certificates_api_;
  front::api::ApplicationKeyApi application_keys_api_;
  front::dps_service::ServiceApi service_api_;
  ServerTimers timers_{*this};
  front::Admission device_admission_;
  front::Admission operator_admission_;
  front::Idempotency idempotency_;
  front::Workers workers_;
  front::Workers workers_for_anybody_;
  front::Dispatcher devices_;
  front::Dispatcher operators_;
  front::Dispatcher compat_;
  front::Dispatcher http_;
  front::revocation::Keeper keeper_;
  webhook_client::CurlPoster poster_;
  front::outbox::Courier courier_;
  front::outbox::Sender sender_;
  bool has_compat_ = false;
  std::atomic<Timestamp> renewal_time_{Timestamp::max()};  // written by the main thread, read by timers
  net::Server server_;                                     // last: it stops before what it calls goes away
};

}  // namespace warifu::warifud
