#include "front/certificates/office.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace warifu::front::certificates {
namespace {

using device_ca::DeviceCertificate;

constexpr std::chrono::minutes kToldAgainAfter{10};

Error not_attested(const provisioning::AttestationShortfall& shortfall) {
  const bool comes_by_itself = shortfall.code != provisioning::kInsufficient;
  Error error = refused(
      comes_by_itself ? kNotAttestedYet : kNotAttested,
      fmt::format("its attestation is not good enough for a certificate ({}): {}", shortfall.code, shortfall.message));
  error.operator_detail = shortfall.operator_detail;
  return error;
}

Status raise(provisioning::Records& records, const ScopeId& scope, const device_ca::Concern& concern) {
  return records.raise_alert({.scope = scope,
                              .kind = std::string(concern.kind),
                              .registration_id = concern.registration,
                              .subject = concern.subject,
                              .detail = concern.detail,
                              .count = 1,
                              .first_at = concern.at,
                              .last_at = concern.at,
                              .acknowledged_at = std::nullopt});
}

// Whoever is refused asks again: an alert that nobody has looked at since says it already.
Result<bool> is_told(provisioning::RecordsView& records, const ScopeId& scope, const device_ca::Concern& concern) {
  TRY(const auto alerts, records.list_alerts_of(scope, concern.registration));
  return std::ranges::any_of(alerts, [&](const provisioning::Alert& one) {
    return one.kind == concern.kind && one.subject == concern.subject && !one.acknowledged_at &&
           one.last_at <= concern.at && concern.at - one.last_at < kToldAgainAfter;
  });
}

// The change keeps nothing but this: somebody shall look at it. An error takes it back.
Status tell(store::Transaction& transaction, const ScopeId& scope, const device_ca::KeyTwice& twice) {
  TRY(const bool is_old, is_told(transaction.provisioning(), scope, twice.concern));
  if (is_old) return twice.refusal;
  TRY_STATUS(raise(transaction.provisioning(), scope, twice.concern));
  const std::string id = twice.concern.registration.text();
  return transaction.audit().record(
      scope, {fmt::format("device:{}", id), "certificate.refuse", fmt::format("registration:{}", id),
              fmt::format(R"({{"code":"{}","other":"{}"}})", twice.refusal.code, twice.concern.subject)});
}

// Of an IDevID: which TPM it is in (TCG, TPM 2.0 Keys for Device Identity and Attestation, §8: the digest of its EK
// where its certificate is not used).
Bytes hardware_serial_of(ByteView ek_name) {
  return to_bytes(ek_name);
}

}  // namespace

bool is_pending(const Error& error) {
  return error.code == kNotAttestedYet;
}

void Office::set_root(std::optional<crypto::Certificate> root) {
  const std::lock_guard lock(mutex_);
  root_ = std::move(root);
}

Result<std::vector<crypto::Certificate>> Office::ca_certificates() {
  TRY(auto issuer, issuer_.certificate());
  std::vector<crypto::Certificate> all;
  all.push_back(std::move(issuer));
  const std::lock_guard lock(mutex_);
  if (root_) all.push_back(root_->clone());
  return all;
}

// A TPM's key needs an attestation, and so does any where the terms demand one.
Result<std::variant<Office::Order, Error>> Office::order_in(store::Transaction& transaction, const Request& request,
                                                            ByteView issuer) const {
  using Outcome = std::variant<Order, Error>;
  auto& records = transaction.provisioning();
  auto& ca = transaction.device_ca();
  const auto& [scope, registration, secret, certificate] = request.client;
  TRY(const auto applicant, applicants_.find(records, transaction.verifier(), scope, registration));
  const auto& terms = applicant.statement.terms;
  device_ca::Application application{.scope = scope,
                                     .registration = registration,
                                     .ground = applicant.ground(),
                                     .identity = request.identity,
                                     .door = request.door,
                                     .public_key = request.public_key,
                                     .ek_name = applicant.ek_name,
                                     .allows_software_keys = terms.allow_software_keys,
                                     .has_attested = applicant.has_attested(),
                                     .must_confirm = request.must_confirm,
                                     .hardware_serial = hardware_serial_of(applicant.ek_name),
                                     .issuer = to_bytes(issuer),
                                     .renewed = certificate};
  const auto stands = Applicants::stands_in(records, scope);
  TRY(auto twice, desk_.find_key_twice(ca, application, stands));
  if (twice) {
    TRY_STATUS(tell(transaction, scope, *twice));
    return Outcome(std::move(twice->refusal));
  }
  TRY(const auto proven, ca.find_key(scope, device_ca::key_sha256_of(request.public_key)));
  const bool is_proven = proven && proven->registration_id == registration;
  const bool needs_attestation = (is_proven || terms.required_attestation) && !applicant.has_attested();
  if (needs_attestation)
    return not_attested(applicant.shortfall.value_or(
        provisioning::AttestationShortfall{"attestation.missing", "it has not attested yet"}));
  // What was shown is used up with the order, or not at all.
  if (secret)
    TRY_STATUS(desk_.spend(ca, transaction.audit(), secret->reference, secret->spent_for,
                           Applicants::secret_stands_in(records, scope)));
  TRY(auto ordered, desk_.order(ca, transaction.audit(), application, stands));
  if (ordered.concern) TRY_STATUS(raise(records, scope, *ordered.concern));
  return Outcome(Order{std::move(ordered.certificate), ordered.needs_signature, std::move(application)});
}

Result<Office::Order> Office::order(const Request& request) {
  TRY(const auto issuer, issuer_.certificate());
  const Bytes issuer_der = issuer.to_der();
  std::optional<std::variant<Order, Error>> outcome;
  TRY_STATUS(store_.write([&](store::Transaction& transaction) -> Status {
    TRY(outcome, order_in(transaction, request, issuer_der));
    return {};
  }));
  if (auto* refusal = std::get_if<Error>(&*outcome)) return std::move(*refusal);
  return std::get<Order>(*std::move(outcome));
}

Status Office::keep_proof(const device_ca::KeyProven& key) {
  std::optional<Error> refusal;
  TRY_STATUS(store_.write([&](store::Transaction& transaction) -> Status {
    refusal.reset();
    auto& ca = transaction.device_ca();
    const auto stands = Applicants::stands_in(transaction.provisioning(), key.scope);
    TRY(auto twice,
        desk_.find_key_twice(
            ca,
            {.scope = key.scope, .registration = key.registration, .ground = key.ground, .public_key = key.public_key},
            stands));
    if (!twice) return desk_.keep_proof(ca, transaction.audit(), key, stands);
    TRY_STATUS(tell(transaction, key.scope, *twice));
    refusal = std::move(twice->refusal);
    return {};
  }));
  if (refusal) return *std::move(refusal);
  return {};
}

Result<Issued> Office::issue(const Request& request) {
  auto ordered = order(request);
  if (!ordered) {
    metrics_.count_certificate_refusal();
    return ordered.error();
  }
  if (ordered->needs_signature) {
    TRY(const auto certificate,
        issuer_.certify(order_of(ordered->certificate, desk_.options().places), ordered->certificate.public_key));
    std::optional<DeviceCertificate> kept;
    TRY_STATUS(store_.write([&](store::Transaction& transaction) -> Status {
      TRY(kept, desk_.keep(transaction.device_ca(), transaction.audit(), ordered->certificate, certificate,
                           ordered->application));
      return {};
    }));
    ordered->certificate = *std::move(kept);
    metrics_.count_certificate_issued(to_string(request.identity), to_string(request.door));
  }
  const Timestamp renew_after = desk_.renew_after(ordered->certificate);
  return Issued{std::move(ordered->certificate), renew_after};
}

}  // namespace warifu::front::certificates
