#include "warifud/service.h"

#include <spdlog/spdlog.h>

#include "front/api/body_limits.h"
#include "front/compat/compat_router.h"
#include "front/device/device_router.h"
#include "front/plain/plain_router.h"
#include "verifier/limits.h"

namespace warifu::warifud {
namespace {

constexpr const char* kDevices = "devices";
constexpr const char* kOperators = "operators";
constexpr const char* kCompat = "compat";
constexpr const char* kHttp = "http";
// The largest request over plain HTTP.
constexpr std::size_t kHttpBodySizeMax = std::max(crypto::OcspRequest::kMaxSize, crypto::CmpMessage::kMaxSize);
// Those who wait for the signer and the disk: they do nothing else.
constexpr std::size_t kWorkers = 8;
// Those who look at what anybody may send and make cost much: CMP's MACs. Devices that proved who they are do not wait
// behind it.
constexpr std::size_t kWorkersForAnybody = 2;
// What is read of a device that has shown nothing yet: DPS, and what an activated credential gives a token for.
constexpr std::size_t kBodyOfAnyDeviceSizeMax = 128 * 1024;
constexpr std::chrono::minutes kHousekeepingInterval{1};
// Soon enough for an operator who watches a device come.
constexpr std::chrono::seconds kDiaryInterval{1};
// A certificate that nobody confirmed does not count for longer than it must.
constexpr std::chrono::seconds kCertificatesInterval{5};
// Expired tokens are kept for a day, so that their owner is told that they expired rather than that they are unknown.
constexpr std::chrono::hours kExpiredTokensKept{24};

}  // namespace

Service::Service(const Organisation& organisation, Trust trust, store::Store& store, frames::Channel& signer,
                 Outside& outside, const ServeOptions& options, const std::string& server_name)
    : organisation_(organisation),
      trust_(std::move(trust)),
      store_(store),
      outside_(outside),
      attestation_interval_(options.attestation_interval),
      sends_webhooks_(options.sends_webhooks),
      authenticator_(outside.clock, organisation.master_key.envelope_key(), server_name),
      desk_(outside.clock, outside.entropy, organisation.master_key.envelope_key()),
      enrollments_(outside.clock, outside.entropy, organisation.master_key.envelope_key()),
      groups_(outside.clock, outside.entropy, organisation.master_key.envelope_key()),
      device_desk_(outside.clock, organisation.master_key.envelope_key()),
      certificates_(outside.clock),
      policies_(outside.clock, outside.entropy),
      packages_(outside.clock, outside.entropy),
      webhooks_(outside.clock, outside.entropy, organisation.master_key.envelope_key()),
      escrow_(outside.clock, organisation.master_key.envelope_key()),
      registrar_(outside.clock, outside.entropy, organisation.master_key.envelope_key(),
                 store.shared_challenges() != nullptr ? *store.shared_challenges() : own_challenges_,
                 {.hubs = {options.assigned_hub.value_or(server_name)}}),
      verifier_(outside.clock, outside.entropy, organisation.master_key.envelope_key(), attestation_interval_),
      results_keys_(organisation.master_key.results_seed()),
      attempts_(store, outside.clock),
      application_keys_(outside.clock, outside.entropy, organisation.master_key.envelope_key()),
      device_api_(registrar_, certificates_, application_keys_, store, metrics_, attempts_, outside.clock),
      escrow_api_(escrow_, store, metrics_),
      issuer_(signer),
      device_ca_(outside.clock, outside.entropy, organisation.master_key.envelope_key(),
                 {.ldevid_lifetime = options.ldevid_lifetime, .places = options.places}),
      applicants_(registrar_, outside.clock),
      attestation_api_(verifier_, registrar_, certificates_, {device_ca_, applicants_}, store, metrics_, attempts_,
                       outside.clock),
      office_(device_ca_, issuer_, applicants_, store, metrics_),
      certificate_api_(office_, applicants_, verifier_, registrar_, store, attempts_, outside.clock),
      application_key_api_(application_keys_, verifier_, registrar_, store, metrics_, attempts_, outside.clock),
      est_api_(office_, applicants_, store),
      cmp_issuer_(office_, applicants_, store),
      cmp_api_(cmp_issuer_, issuer_, outside.clock, monotonic_clock_, outside.entropy),
      standings_(outside.clock, monotonic_clock_, outside.entropy, store),
      certificate_gate_(standings_, device_ca_, store, outside.clock),
      ocsp_(outside.clock, outside.entropy, store, applicants_, issuer_, metrics_),
      crl_(outside.clock, store, issuer_, standings_),
      revocation_api_(ocsp_, crl_, issuer_, outside.clock),
      reminder_(outside.clock),
      silence_watch_(outside.clock, registrar_, store, metrics_, attestation_interval_),
      retention_(outside.clock, outside.entropy, registrar_, application_keys_, store),
      disk_watch_(outside.clock, outside.entropy, store, metrics_, options.disk_alarm_below),
      operator_api_(desk_, device_desk_, certificates_, escrow_, registrar_, store, metrics_, server_name),
      enrollment_api_(enrollments_, certificates_, application_keys_, store),
      group_api_(groups_, certificates_, application_keys_, store),
      registration_api_(device_desk_, certificates_, store, outside.clock),
      ek_trust_api_(outside.clock, certificates_, store),
      attestations_api_(outside.clock, store),
      policy_api_(policies_, certificates_, store, outside.clock),
      data_package_api_(packages_, certificates_, store),
      verification_api_(results_keys_, outside.clock, outside.entropy, "warifud " WARIFU_VERSION),
      webhook_api_(webhooks_, store),
      certificates_api_(device_ca_, store),
      application_keys_api_(application_keys_, store, metrics_),
      service_api_(enrollments_, groups_, device_desk_, application_keys_, store),
      device_admission_(options.device_limits, monotonic_clock_, outside.entropy, timers_, metrics_),
      operator_admission_(options.operator_limits, monotonic_clock_, outside.entropy, timers_, metrics_),
      idempotency_(outside.clock, outside.entropy, organisation.master_key.envelope_key()),
      workers_(kWorkers),
      workers_for_anybody_(kWorkersForAnybody),
      devices_(front::device::router({device_api_, escrow_api_, attestation_api_, certificate_api_,
                                      application_key_api_, est_api_, cmp_api_, trust_bundle_api_, revocation_api_},
                                     results_keys_, outside.clock),
               authenticator_, store, metrics_, outside.clock, outside.entropy,
               {.admission = &device_admission_,
                .workers = &workers_,
                .workers_for_anybody = &workers_for_anybody_,
                .shown_certificates = &certificate_gate_}),
      operators_(front::api::router({operator_api_, enrollment_api_, group_api_, registration_api_, ek_trust_api_,
                                     attestations_api_, policy_api_, data_package_api_, verification_api_, webhook_api_,
                                     certificates_api_, application_keys_api_, service_api_},
                                    outside.clock),
                 authenticator_, store, metrics_, outside.clock, outside.entropy,
                 {.admission = &operator_admission_, .idempotency = &idempotency_}),
      compat_(front::compat::router(device_api_, est_api_, service_api_, outside.clock), authenticator_, store,
              metrics_, outside.clock, outside.entropy,
              {.admission = &device_admission_, .workers = &workers_, .shown_certificates = &certificate_gate_}),
      http_(front::plain::router(revocation_api_, cmp_api_), authenticator_, store, metrics_, outside.clock,
            outside.entropy,
            {.admission = &device_admission_, .workers = &workers_, .workers_for_anybody = &workers_for_anybody_}),
      keeper_(standings_, ocsp_, crl_, metrics_),
      courier_(outside.clock, outside.entropy, organisation.master_key.envelope_key(), store, poster_, metrics_),
      sender_(courier_, store.outbox_wake()),
      server_({.observer = &metrics_}) {
  if (const auto set = trust_bundle_api_.set(trust_.bundles); !set) spdlog::error("{}", to_string(set.error()));
  load_role_certificates();
}

Service::~Service() {
  keeper_.stop();
  poster_.stop();
  sender_.stop();
  server_.stop();
  workers_.stop();
  workers_for_anybody_.stop();
  attempts_.flush();
  store_.settle();  // nothing new comes after stop()
}

Result<Service::Endpoints> Service::listen(const ServeOptions& options) {
  TRY(auto credentials, load_credentials());
  TRY(auto devices, server_.listen({.name = kDevices,
                                    .address = options.devices.address,
                                    .port = options.devices.port,
                                    .body_bytes_max = verifier::kEvidenceSizeMax,
                                    .body_bytes_of_anybody_max = kBodyOfAnyDeviceSizeMax,
                                    .limits = options.listener_limits},
                                   std::move(credentials.devices), devices_));
  TRY(auto operators, server_.listen({.name = kOperators,
                                      .address = options.operators.address,
                                      .port = options.operators.port,
                                      .body_bytes_max = front::api::kLargestBodySizeMax,
                                      .body_bytes_of_anybody_max = front::api::kBodyOfAnybodySizeMax,
                                      .limits = options.listener_limits},
                                     std::move(credentials.operators), operators_));
  Endpoints endpoints{std::move(devices), std::move(operators), std::nullopt, std::nullopt};
  if (options.http) {
    TRY(endpoints.http, server_.listen_plain({.name = kHttp,
                                              .address = options.http->address,
                                              .port = options.http->port,
                                              .body_bytes_max = kHttpBodySizeMax,
                                              .limits = options.listener_limits},
                                             http_));
  }
  if (options.compat) {
    TRY(endpoints.compat, listen_compat(*options.compat, options.listener_limits, credentials.compat));
  }
  return endpoints;
}

Result<net::Endpoint> Service::listen_compat(const ListenAddress& at, const net::ListenerLimits& limits,
                                             net::TlsCredentials credentials) {
  TRY(auto endpoint, server_.listen({.name = kCompat, .address = at.address, .port = at.port, .limits = limits},
                                    std::move(credentials), compat_));
  has_compat_ = true;
  metrics_.set_compat_listener_enabled(true);
  spdlog::warn(
      "the compat listener is open at {}: it takes TLS 1.2, in which a client's certificate can be read by whoever "
      "listens; close it when no client needs it any more",
      endpoint.text());
  return endpoint;
}

void Service::start() {
  server_.start();
  keeper_.start();
  if (sends_webhooks_)
    sender_.start();
  else
    spdlog::warn("no events are sent (--no-webhooks): they wait, and webhooks are not tried");
  schedule_housekeeping();
  schedule_diary();
  schedule_certificates();
}

void Service::schedule_certificates() {
  workers_.post([this] { look_after_certificates(); });
  server_.post_after(kCertificatesInterval, [this] { schedule_certificates(); });
}

void Service::look_after_certificates() {
  if (const auto done = cmp_api_.look_after(); !done) spdlog::warn("CMP: {}", to_string(done.error()));
}

Result<Service::Credentials> Service::load_credentials() {
  TRY(auto node, organisation_.data_dir.read_node(organisation_.master_key.key_passphrase()));
  std::string chain;
  for (const auto& certificate : node.chain)
    chain += certificate.to_pem();
  const auto key = node.key.to_pem();
  const Timestamp now = outside_.clock.now();
  if (const auto checked = trust_.check_chain(node.chain); !checked)
    spdlog::error("{}: devices that know of it refuse this server", to_string(checked.error()));
  TRY(auto devices, net::TlsCredentials::make(chain, key, now, {.request_client_certificate = true}));
  TRY(auto operators, net::TlsCredentials::make(chain, key, now, {.request_client_certificate = false}));
  TRY(auto compat, net::TlsCredentials::make(
                       chain, key, now, {.profile = net::TlsProfile::kCompat, .request_client_certificate = true}));
  renewal_time_ = pki::renewal_time(node.chain.front());
  const auto expiry = std::chrono::floor<std::chrono::seconds>(node.chain.front().not_after());
  metrics_.set_node_certificate_expiry(expiry.time_since_epoch().count());
  metrics_.set_trust_bundle_expiry(trust_.newest ? std::optional(trust_.newest->contents().expires_at) : std::nullopt);
  node_chain_ = std::move(node.chain);
  remind_of_trust();
  return Credentials{std::move(devices), std::move(operators), std::move(compat)};
}

void Service::remind_of_trust() {
  for (const std::string& warning : reminder_.due(trust_.warnings(node_chain_, outside_.clock.now())))
    spdlog::warn("{}", warning);
}

// The certificates only: this process never reads the keys.
void Service::load_role_certificates() {
  auto certificate = organisation_.data_dir.read_role_certificate(to_string(pki::Role::kEscrow));
  std::vector<crypto::Certificate> chain;
  const auto refused_by = certificate ? trust_.check_role(*certificate) : Status();
  if (!refused_by) {
    spdlog::error("devices are given no escrow certificate: {}", to_string(refused_by.error()));
  } else if (certificate) {
    chain.push_back(*std::move(certificate));
  } else {
    spdlog::warn(
        "no escrow certificate ({}): devices cannot deposit their TPM's lockout password; `warifu-signer status` shows "
        "the roles that the signer has",
        to_string(certificate.error()));
  }
  escrow_api_.set_chain(chain);
  auto issuer = organisation_.data_dir.read_role_certificate(to_string(pki::Role::kEndpointIdentity));
  if (issuer)
    if (const auto checked = trust_.check_role(*issuer); !checked) issuer = checked.error();
  if (!issuer) spdlog::warn("no certificates for devices: {}", to_string(issuer.error()));
  auto root = organisation_.data_dir.read_trust_root();
  if (!root) spdlog::warn("the root's certificate cannot be read: {}", to_string(root.error()));
  office_.set_root(root ? std::optional(*std::move(root)) : std::nullopt);
  certificate_gate_.set_issuer(issuer ? std::optional(issuer->clone()) : std::nullopt);
  issuer_.set_certificate(issuer ? std::optional(*std::move(issuer)) : std::nullopt);
}

// First the bundles: they say which certificates are good.
Status Service::reload() {
  Status trusted = load_trust();
  TRY_STATUS(reload_certificates());
  return trusted;
}

Status Service::load_trust() {
  TRY(auto trust, Trust::read(organisation_.data_dir));
  TRY_STATUS(trust_bundle_api_.set(trust.bundles));
  trust_ = std::move(trust);
  return {};
}

Status Service::reload_certificates() {
  TRY(const auto credentials, load_credentials());
  TRY_STATUS(server_.reload(kDevices, credentials.devices));
  TRY_STATUS(server_.reload(kOperators, credentials.operators));
  if (has_compat_) TRY_STATUS(server_.reload(kCompat, credentials.compat));
  load_role_certificates();
  spdlog::info("certificate loaded; it is renewed at {}", to_rfc3339(renewal_time_.load()));
  return {};
}

bool Service::is_renewal_due() const {
  return outside_.clock.now() >= renewal_time_.load();
}

void Service::schedule_housekeeping() {
  // A renewal that failed is tried again at the next round.
  const auto until_renewal = std::chrono::ceil<std::chrono::milliseconds>(renewal_time_.load() - outside_.clock.now());
  // Who is silent is told of no later than an interval after it is missed.
  const std::chrono::milliseconds round =
      std::min<std::chrono::milliseconds>(kHousekeepingInterval, attestation_interval_);
  const bool is_near = until_renewal > std::chrono::milliseconds(0) && until_renewal < round;
  server_.post_after(is_near ? until_renewal : round, [this] {
    std::raise(kHousekeepingSignal);
    schedule_housekeeping();
  });
}

void Service::schedule_diary() {
  server_.post_after(kDiaryInterval, [this] {
    attempts_.flush();
    schedule_diary();
  });
}

void Service::clean_up() {
  bool again = true;
  while (again)
    again = clean_up_some();
  while (attempts_.purge()) {
  }
  if (const auto cleaned = retention_.look(); !cleaned)
    spdlog::error("removing what devices showed and nobody needs: {}", to_string(cleaned.error()));
  if (const auto cleaned = courier_.clean_up(); !cleaned)
    spdlog::error("dropping events that nobody took: {}", to_string(cleaned.error()));
}

bool Service::clean_up_some() {
  bool has_more = false;
  const auto cleaned = store_.write([&](store::Transaction& transaction) -> Status {
    TRY(const auto scopes, transaction.provisioning().list_scopes());
    for (const ScopeId& scope : scopes) {
      TRY(const std::size_t removed, registrar_.purge(transaction.provisioning(), transaction.audit(), scope));
      has_more = has_more || removed == provisioning::Registrar::kPurgeMax;
      TRY_STATUS(desk_.purge(transaction.operators(), transaction.audit(), scope, kExpiredTokensKept));
      TRY_STATUS(webhooks_.end_previous_secrets(transaction.webhooks(), transaction.audit(), scope));
      TRY_STATUS(device_ca_.clean_up(transaction.device_ca(), transaction.audit(), scope));
    }
    return {};
  });
  if (!cleaned) spdlog::error("housekeeping: {}", to_string(cleaned.error()));
  return cleaned && has_more;
}

void Service::watch() {
  if (const auto looked = silence_watch_.look(); !looked)
    spdlog::error("looking for silent devices: {}", to_string(looked.error()));
  if (const auto looked = disk_watch_.look(); !looked)
    spdlog::error("looking at the disk: {}", to_string(looked.error()));
  remind_of_trust();
}

void Service::drain(std::chrono::milliseconds deadline) {
  server_.drain(deadline);
}

}  // namespace warifu::warifud
