#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string_view>

#include "base/ids.h"
#include "front/dps/shown_certificate.h"
#include "net/http_message.h"
#include "provisioning/registrar.h"

namespace warifu::front::dps {

// The body of a registration request: {"registrationId", "tpm": {"endorsementKey", "storageRootKey",
// "endorsementCertificate"?, "endorsementCertificateChain"?}, "payload"}. The two about certificates are ours: DER in
// base64, and a list of the authorities that came with it. Other members are taken from newer SDKs and left alone.
struct RegistrationRequest {
  std::optional<RegistrationId> registration_id;
  std::optional<provisioning::Offer> tpm;
  std::optional<ShownCertificate> certificate;
};

// kInvalidInput with the field's path and, inside a TPM structure, the offset.
Result<RegistrationRequest> parse_registration_request(std::string_view body);

// 401 with the challenge. The C SDK demands keyName and takes a "status" for an error, so there is none.
net::HttpResponse challenge_response(ByteView authentication_key);

// 202: IoT Edge takes no other status from a registration.
net::HttpResponse assigning_response(const Uuid& operation_id);

// 202 to a poll, with the registrationState that IoT Edge wants: the first while an operator has not decided, or the
// device has not attested as its terms demand, which may take its time; the second when only the next poll is missing.
// What it waits for stands in "info", which is ours: {"stage","code","message"}, as in a refusal.
net::HttpResponse still_assigning_response(const provisioning::Waiting& waiting);
net::HttpResponse assigning_again_response(const provisioning::Operation& operation);

// 200 with the registrationState; IoT Edge wants registrationId inside it.
net::HttpResponse assigned_response(const provisioning::Assignment& assignment);

// The certificateInfo of Azure's objects.
boost::json::object certificate_info(const provisioning::CertificateInfo& info);

// The registrationState of a device that was assigned, without what it was given.
boost::json::object registration_state(const provisioning::Device& device);

// 200 with the bare registrationState, without the key.
net::HttpResponse registration_state_response(const provisioning::Device& device);

// {"errorCode","trackingId","message","timestampUtc","info":{"stage","code"}}: what every SDK can read. The error code
// is the HTTP status times 1000 plus a detail.
net::HttpResponse error_response(const Error& error, std::string_view tracking_id, Timestamp now);

}  // namespace warifu::front::dps
