#include <fmt/format.h>

#include "crypto/certificate.h"
#include "front/dps/messages.h"
#include "front/dps_service/enrollment_json.h"
#include "provisioning/certificate_proof.h"

namespace warifu::front::dps_service {
namespace {

namespace json = boost::json;
using provisioning::CertificatePair;

json::object certificate_json(const Bytes& der) {
  const auto certificate = crypto::Certificate::from_der(der);
  // What is stored was decoded when it came.
  if (!certificate) return {};
  return {{"info", dps::certificate_info(provisioning::info_of(*certificate))}};
}

json::object pair_json(const CertificatePair& pair) {
  json::object object{{"primary", certificate_json(pair.primary)}};
  if (pair.secondary) object["secondary"] = certificate_json(*pair.secondary);
  return object;
}

json::object keys_json(const provisioning::SharedKeys& keys) {
  return {{"primaryKey", to_base64(keys.primary.reveal())}, {"secondaryKey", to_base64(keys.secondary.reveal())}};
}

json::object symmetric_json(const provisioning::SharedKeys* keys) {
  json::object object{{"type", "symmetricKey"}};
  if (keys != nullptr) object["symmetricKey"] = keys_json(*keys);
  return object;
}

}  // namespace

json::object to_json(const provisioning::Attestation& attestation, const provisioning::SharedKeys* keys) {
  if (const auto* tpm = std::get_if<provisioning::TpmAttestation>(&attestation))
    return {{"type", "tpm"}, {"tpm", json::object{{"endorsementKey", to_base64(tpm->ek_public)}}}};
  if (const auto* x509 = std::get_if<provisioning::X509Attestation>(&attestation))
    return {{"type", "x509"}, {"x509", json::object{{"clientCertificates", pair_json(x509->client)}}}};
  return symmetric_json(keys);
}

json::object to_json(const provisioning::GroupAttestation& attestation, const provisioning::SharedKeys* keys) {
  // Azure has no members for what a TPM group says.
  if (provisioning::mechanism_of(attestation) == provisioning::Mechanism::kTpm) return {{"type", "tpm"}};
  if (const auto* x509 = std::get_if<provisioning::X509GroupAttestation>(&attestation))
    return {{"type", "x509"}, {"x509", json::object{{"signingCertificates", pair_json(x509->signing)}}}};
  return symmetric_json(keys);
}

}  // namespace warifu::front::dps_service
