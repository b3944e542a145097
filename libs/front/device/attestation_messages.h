#pragma once

#include <string>
#include <string_view>

#include "attestation/quote/ak_public.h"
#include "net/http_message.h"
#include "tpm_types/storage_key.h"
#include "verifier/desk.h"

// The JSON of docs/protocols/attestation.md, but for the evidence (verifier/submission.h).
namespace warifu::front::device {

struct KeyRequest {
  tpm::EkPublic ek;
  attestation::AkPublic ak;
};
// Codes of EkPublic, AkPublic and wire::JsonFields; with the path.
Result<KeyRequest> parse_key_request(std::string_view body);

struct ActivationRequest {
  std::string session;
  SecretBytes secret;
};
Result<ActivationRequest> parse_activation_request(std::string_view body);

// The boot ID; empty when it is absent.
Result<std::string> parse_nonce_request(std::string_view body);

net::HttpResponse to_response(const verifier::AkChallenge& challenge);
net::HttpResponse to_response(const verifier::AttestationToken& token);
net::HttpResponse to_response(const verifier::NonceAnswer& answer);
net::HttpResponse to_response(const verifier::Judged& judged, std::string_view tracking_id);

}  // namespace warifu::front::device
