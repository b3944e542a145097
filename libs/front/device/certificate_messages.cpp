#include "front/device/certificate_messages.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "wire/json.h"

namespace warifu::front::device {
namespace {

namespace json = boost::json;
using attestation::KeyEvidence;

net::HttpResponse fresh(const json::object& object) {
  return {200, {{"Cache-Control", "no-store"}}, "application/json", json::serialize(object)};
}

}  // namespace

Result<CertificateRequest> parse_certificate_request(std::string_view body) {
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"kind", "nonce", "public", "attest", "signature", "creation_data", "issue"}));
  CertificateRequest request;
  TRY(const auto kind, fields.required_string("kind"));
  TRY(request.identity, pki::parse_device_identity(kind));
  TRY(request.nonce, fields.required_bytes("nonce"));
  TRY(request.proof.public_area, fields.required_bytes("public"));
  TRY(request.proof.attest, fields.required_bytes("attest"));
  TRY(request.proof.signature, fields.required_bytes("signature"));
  // It tells which command attested the key; that it is the right one is the TPM's word, in `attest`.
  TRY(auto creation_data, fields.optional_bytes("creation_data"));
  request.proof.kind = creation_data ? KeyEvidence::kCreation : KeyEvidence::kCertify;
  request.proof.creation_data = std::move(creation_data).value_or(Bytes());
  TRY(const auto issue, fields.optional_bool("issue"));
  request.is_wanted = issue.value_or(true);
  return request;
}

net::HttpResponse key_nonce_response(ByteView nonce, Timestamp expires_at) {
  return fresh({{"nonce", to_base64(nonce)}, {"expires_at", to_rfc3339(expires_at)}});
}

net::HttpResponse proven_response(ByteView key_sha256) {
  return fresh({{"key_sha256", to_hex(key_sha256)}});
}

net::HttpResponse to_response(const certificates::Issued& issued, const crypto::Certificate& issuer) {
  const auto& certificate = issued.certificate;
  return fresh({{"serial", to_hex(certificate.serial.bytes())},
                {"kind", to_string(certificate.identity)},
                {"state", to_string(certificate.state)},
                {"certificate", to_base64(certificate.certificate)},
                {"chain", json::array{to_base64(issuer.to_der())}},
                {"not_after", to_rfc3339(certificate.not_after)},
                {"renew_after", to_rfc3339(issued.renew_after)}});
}

net::HttpResponse standing_response(const device_ca::DeviceCertificate& certificate, Timestamp renew_after) {
  return fresh({{"registration_id", certificate.registration_id.text()},
                {"serial", to_hex(certificate.serial.bytes())},
                {"kind", to_string(certificate.identity)},
                {"state", to_string(certificate.state)},
                {"not_after", to_rfc3339(certificate.not_after)},
                {"renew_after", to_rfc3339(renew_after)}});
}

}  // namespace warifu::front::device
