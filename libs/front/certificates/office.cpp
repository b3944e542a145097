#include "front/certificates/office.h"

#include <fmt/format.h>

namespace warifu::front::certificates {
namespace {

using device_ca::DeviceCertificate;

Error not_attested(const provisioning::AttestationShortfall& shortfall) {
  const bool comes_by_itself = shortfall.code != provisioning::kInsufficient;
  Error error = refused(
      comes_by_itself ? kNotAttestedYet : kNotAttested,
      fmt::format("its attestation is not good enough for a certificate ({}): {}", shortfall.code, shortfall.message));
  error.operator_detail = shortfall.operator_detail;
  return error;
}

Status raise(provisioning::Records& records, const ScopeId& scope, const device_ca::Concern& concern, Timestamp at) {
  return records.raise_alert({.scope = scope,
                              .kind = std::string(concern.kind),
                              .registration_id = concern.registration,
                              .subject = concern.subject,
                              .detail = concern.detail,
                              .count = 1,
                              .first_at = at,
                              .last_at = at,
                              .acknowledged_at = std::nullopt});
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

// A TPM's key needs an attestation, and so does any where the terms demand one.
Result<Office::Order> Office::order(const Request& request) {
  std::optional<Order> made;
  std::optional<Error> refusal;
  TRY_STATUS(store_.write([&](store::Transaction& transaction) -> Status {
    auto& records = transaction.provisioning();
    TRY(const auto applicant, applicants_.find(records, transaction.verifier(), request.scope, request.registration));
    const auto& terms = applicant.statement.terms;
    TRY(const auto proven,
        transaction.device_ca().find_key(request.scope, device_ca::key_sha256_of(request.public_key)));
    const bool needs_attestation = (proven || terms.required_attestation) && !applicant.has_attested();
    if (needs_attestation)
      return not_attested(applicant.shortfall.value_or(
          provisioning::AttestationShortfall{"attestation.missing", "it has not attested yet"}));
    if (request.settle) TRY_STATUS(request.settle(transaction));
    const device_ca::Application application{.scope = request.scope,
                                             .registration = request.registration,
                                             .identity = request.identity,
                                             .door = request.door,
                                             .public_key = request.public_key,
                                             .ek_name = applicant.ek_name,
                                             .allows_software_keys = terms.allow_software_keys,
                                             .has_attested = applicant.has_attested(),
                                             .must_confirm = request.must_confirm,
                                             .hardware_serial = hardware_serial_of(applicant.ek_name)};
    TRY(auto ordered, desk_.order(transaction.device_ca(), transaction.audit(), application));
    if (ordered.concern) TRY_STATUS(raise(records, request.scope, *ordered.concern, ordered.certificate.created_at));
    made = Order{std::move(ordered.certificate), ordered.needs_signature, applicant.has_attested()};
    return {};
  }));
  return *std::move(made);
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
                           ordered->has_attested));
      return {};
    }));
    ordered->certificate = *std::move(kept);
    metrics_.count_certificate_issued(to_string(request.identity), to_string(request.door));
  }
  const Timestamp renew_after = desk_.renew_after(ordered->certificate);
  return Issued{std::move(ordered->certificate), renew_after};
}

}  // namespace warifu::front::certificates
