#pragma once

#include <string_view>

#include "attestation/quote/key_proof.h"
#include "front/certificates/office.h"
#include "net/http_message.h"
#include "pki/device_certificate.h"

// The JSON of docs/protocols/certificates.md.
namespace warifu::front::device {

struct CertificateRequest {
  pki::DeviceIdentity identity = pki::DeviceIdentity::kLdevid;
  Bytes nonce;
  attestation::KeyProof proof;
  bool is_wanted = true;  // false: the key is proved, and nothing more
};
// Codes of wire::parse_json(), JsonFields and parse_device_identity(), with the path.
Result<CertificateRequest> parse_certificate_request(std::string_view body);

net::HttpResponse key_nonce_response(ByteView nonce, Timestamp expires_at);
net::HttpResponse proven_response(ByteView key_sha256);
net::HttpResponse to_response(const certificates::Issued& issued, const crypto::Certificate& issuer);
// What the holder of a certificate is told of it.
net::HttpResponse standing_response(const device_ca::DeviceCertificate& certificate, Timestamp renew_after);

}  // namespace warifu::front::device
