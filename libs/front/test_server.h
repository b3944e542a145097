#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "device_ca/test_issuer.h"
#include "front/api/operator_router.h"
#include "front/device/device_router.h"
#include "front/dps/device_api.h"
#include "front/http/dispatcher.h"
#include "front/plain/plain_router.h"
#include "front/revocation/certificate_gate.h"
#include "front/revocation/revocation_api.h"
#include "provisioning/group_desk.h"
#include "provisioning/memory_challenges.h"

// For the tests of this library, and of more than this library: a server without sockets.
namespace warifu::front::test {

inline const std::string kScope = "0ne00000001";

inline ScopeId scope_id() {
  return ScopeId::parse(kScope).value();
}

// For what a test takes for granted.
inline void must(const Status& status) {
  if (status) return;
  std::fprintf(stderr, "%s\n", to_string(status.error()).c_str());
  std::abort();
}

// Both dispatchers as warifud builds them, on one store.
class Server {
 public:
  Server(store::Store& store, const Clock& clock, Entropy& entropy,
         provisioning::RegistrarOptions options = {.hubs = {"hub.example"}}, DispatcherParts device_parts = {},
         std::shared_ptr<const device_ca::test::OrganisationKeys> organisation =
             std::make_shared<const device_ca::test::OrganisationKeys>())
      : store_(store),
        authenticator(clock, envelope_key(), "warifu.example"),
        desk(clock, entropy, envelope_key()),
        enrollments(clock, entropy, envelope_key()),
        groups(clock, entropy, envelope_key()),
        device_desk(clock, envelope_key()),
        certificates(clock),
        policies(clock, entropy),
        packages(clock, entropy),
        webhooks(clock, entropy, envelope_key()),
        registrar(clock, entropy, envelope_key(), challenges, std::move(options)),
        escrow(clock, envelope_key()),
        escrow_api(escrow, store, metrics),
        attempts(store, clock),
        verifier(clock, entropy, envelope_key()),
        device_ca(clock, entropy, envelope_key()),
        applicants(registrar, clock),
        attestation_api(verifier, registrar, certificates, {device_ca, applicants}, store, metrics, attempts, clock),
        issuer(clock, entropy, std::move(organisation)),
        office(device_ca, issuer, applicants, store, metrics),
        certificate_api(office, applicants, verifier, registrar, store, attempts, clock),
        application_keys(clock, entropy, envelope_key()),
        application_key_api(application_keys, verifier, registrar, store, metrics, attempts, clock),
        est_api(office, applicants, store),
        cmp_issuer(office, applicants, store),
        cmp_api(cmp_issuer, issuer, clock, monotonic, entropy),
        standings(clock, monotonic, entropy, store),
        certificate_gate(standings, device_ca, store, clock),
        ocsp(clock, entropy, store, applicants, issuer, metrics),
        crl(clock, store, issuer, standings),
        revocation_api(ocsp, crl, issuer, clock),
        device_api_(registrar, certificates, application_keys, store, metrics, attempts, clock),
        operator_api_(desk, device_desk, certificates, escrow, registrar, store, metrics, "warifu.example"),
        enrollment_api_(enrollments, certificates, application_keys, store),
        group_api_(groups, certificates, application_keys, store),
        registration_api_(device_desk, certificates, store, clock),
        ek_trust_api_(clock, certificates, store),
        attestations_api_(clock, store),
        policy_api_(policies, certificates, store, clock),
        data_package_api_(packages, certificates, store),
        verification_api_(results_keys, clock, entropy, "warifud test"),
        webhook_api_(webhooks, store),
        certificates_api_(device_ca, store),
        application_keys_api_(application_keys, store, metrics),
        service_api_(enrollments, groups, device_desk, application_keys, store),
        idempotency_(clock, entropy, envelope_key()),
        devices(device::router({device_api_, escrow_api, attestation_api, certificate_api, application_key_api, est_api,
                                cmp_api, trust_bundle_api, revocation_api},
                               results_keys, clock),
                authenticator, store, metrics, clock, entropy, with_gate(device_parts)),
        plain(plain::router(revocation_api, cmp_api), authenticator, store, metrics, clock, entropy, device_parts),
        operators(api::router({operator_api_, enrollment_api_, group_api_, registration_api_, ek_trust_api_,
                               attestations_api_, policy_api_, data_package_api_, verification_api_, webhook_api_,
                               certificates_api_, application_keys_api_, service_api_},
                              clock),
                  authenticator, store, metrics, clock, entropy, {.idempotency = &idempotency_}) {}

  static SecretBytes envelope_key() { return SecretBytes(Bytes(32, 0xE7)); }

  // One request of a device and its answer.
  net::HttpResponse device_asks(net::HttpRequest request) {
    auto response = ask(devices, std::move(request));
    const std::lock_guard lock(mutex_);
    told_to_devices_.push_back(flat(response));
    return response;
  }
  net::HttpResponse operator_asks(net::HttpRequest request) { return ask(operators, std::move(request)); }

  // Every answer to a device so far, header fields and body.
  std::vector<std::string> told_to_devices() const {
    const std::lock_guard lock(mutex_);
    return told_to_devices_;
  }

  Status make_scope(const ScopeId& scope = scope_id()) {
    return store_.write([&](store::Transaction& t) -> Status {
      TRY_STATUS(t.provisioning().insert_scope(scope, "Example", Timestamp()));
      return t.audit().record(scope, {"system", "init", "scope"});
    });
  }
  Status enroll(const std::string& registration, const tpm::EkPublic& ek) {
    return store_.write([&](store::Transaction& t) -> Status {
      TRY(const auto id, RegistrationId::parse(registration));
      TRY_STATUS(enrollments.put(t.provisioning(), t.audit(), {scope_id(), "operator:test"},
                                 {id, provisioning::TpmRequest{ek}, {}, {}}, {}));
      return {};
    });
  }
  Status operator_writes(const std::function<Status(store::Transaction&)>& apply) { return store_.write(apply); }
  Status unenroll(const std::string& registration) {
    return store_.write([&](store::Transaction& t) -> Status {
      TRY(const auto id, RegistrationId::parse(registration));
      return enrollments.remove(t.provisioning(), t.audit(), {scope_id(), "operator:test"}, id);
    });
  }
  Result<std::string> bootstrap_token(const ScopeId& scope = scope_id()) {
    std::string token;
    TRY_STATUS(store_.write([&](store::Transaction& t) -> Status {
      TRY(token, desk.issue_bootstrap_token(t.operators(), t.audit(), scope));
      return {};
    }));
    return token;
  }
  Result<std::string> access_token(operators::Permissions permissions,
                                   std::chrono::seconds lifetime = operators::kAccessLifetimeDefault,
                                   const ScopeId& scope = scope_id()) {
    TRY(const auto bootstrap, bootstrap_token(scope));
    std::string token;
    TRY_STATUS(store_.write([&](store::Transaction& t) -> Status {
      TRY(const auto name, Label::parse("alice"));
      TRY(auto issued, desk.login(t.operators(), t.audit(), {bootstrap, name, permissions, lifetime}));
      token = issued.text;
      return {};
    }));
    return token;
  }

  // One request over plain HTTP.
  net::HttpResponse anybody_asks(net::HttpRequest request) { return ask(plain, std::move(request)); }

  static net::HttpResponse ask(Dispatcher& dispatcher, net::HttpRequest request) {
    // An answer that never comes breaks the promise instead of hanging the test.
    const auto promise = std::make_shared<std::promise<net::HttpResponse>>();
    auto answer = promise->get_future();
    dispatcher.handle(std::move(request),
                      [promise](net::HttpResponse response) { promise->set_value(std::move(response)); });
    return answer.get();
  }

 private:
  DispatcherParts with_gate(DispatcherParts parts) {
    certificate_gate.set_issuer(issuer.certificate().value());
    parts.shown_certificates = &certificate_gate;
    return parts;
  }
  static std::string flat(const net::HttpResponse& response) {
    std::string text;
    for (const auto& [name, value] : response.headers)
      text += name + ": " + value + "\n";
    return text + "\n" + response.body;
  }

  store::Store& store_;
  mutable std::mutex mutex_;
  std::vector<std::string> told_to_devices_;

 public:
  Metrics metrics;
  operators::Authenticator authenticator;
  operators::Desk desk;
  provisioning::EnrollmentDesk enrollments;
  provisioning::GroupDesk groups;
  provisioning::DeviceDesk device_desk;
  ek_trust::CertificateDesk certificates;
  verifier::PolicyDesk policies;
  verifier::PackageDesk packages;
  warifu::webhooks::Desk webhooks;
  provisioning::MemoryChallenges challenges;
  provisioning::Registrar registrar;
  provisioning::EscrowDesk escrow;
  device::EscrowApi escrow_api;
  dps::AttemptLog attempts;
  verifier::Desk verifier;
  device_ca::Desk device_ca;
  certificates::Applicants applicants;
  device::AttestationApi attestation_api;
  device_ca::test::KeyIssuer issuer;
  certificates::Office office;
  device::CertificateApi certificate_api;
  warifu::application_keys::Desk application_keys;
  device::ApplicationKeyApi application_key_api;
  est::EstApi est_api;
  const SystemMonotonicClock monotonic;
  cmp_door::CmpIssuer cmp_issuer;
  cmp_door::CmpApi cmp_api;
  device::TrustBundleApi trust_bundle_api;
  revocation::Standings standings;
  revocation::CertificateGate certificate_gate;
  revocation::OcspDesk ocsp;
  revocation::CrlDesk crl;
  revocation::RevocationApi revocation_api;
  attestation::ResultsKeys results_keys{SecretBytes(Bytes(32, 0x5A))};

 private:
  dps::DeviceApi device_api_;
  api::OperatorApi operator_api_;
  api::EnrollmentApi enrollment_api_;
  api::GroupApi group_api_;
  api::RegistrationApi registration_api_;
  api::EkTrustApi ek_trust_api_;
  api::AttestationApi attestations_api_;
  api::PolicyApi policy_api_;
  api::DataPackageApi data_package_api_;
  api::VerificationApi verification_api_;
  api::WebhookApi webhook_api_;
  api::CertificateApi certificates_api_;
  api::ApplicationKeyApi application_keys_api_;
  dps_service::ServiceApi service_api_;
  Idempotency idempotency_;

 public:
  Dispatcher devices;
  Dispatcher plain;
  Dispatcher operators;
};

// The text or number at a path like "registrationState.tpm.authenticationKey"; "absent" if there is none.
inline std::string member(const net::HttpResponse& response, std::string path) {
  boost::system::error_code error;
  const auto value = boost::json::parse(response.body, error);
  if (error) return "no JSON";
  const boost::json::value* at = &value;
  for (std::size_t begin = 0; at != nullptr && begin <= path.size();) {
    const auto end = std::min(path.find('.', begin), path.size());
    at = at->is_object() ? at->get_object().if_contains(path.substr(begin, end - begin)) : nullptr;
    begin = end + 1;
  }
  if (at == nullptr) return "absent";
  if (at->is_string()) return std::string(at->get_string());
  return boost::json::serialize(*at);
}

}  // namespace warifu::front::test
