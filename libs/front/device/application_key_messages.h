#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "application_keys/desk.h"
#include "net/http_message.h"

// The JSON of docs/protocols/application-keys.md.
namespace warifu::front::device {

struct HeldKeysRequest {
  std::vector<application_keys::KeyVersion> held;  // all that the device has
  Bytes digest;                                    // of what it was told last; empty: nothing
};
struct DeliveryRequest {
  application_keys::KeyVersion key;
  Bytes ek_public;   // TPM2B_PUBLIC
  Bytes srk_public;  // TPM2B_PUBLIC
};
struct AcknowledgementRequest {
  application_keys::KeyVersion key;
  Bytes nonce;
  Bytes mac;
};

// Codes of wire::parse_json() and JsonFields, "id.name", "application-key.version", "application-key.too-many", with
// the path.
Result<HeldKeysRequest> parse_held_keys_request(std::string_view body);
Result<DeliveryRequest> parse_delivery_request(std::string_view body);
Result<AcknowledgementRequest> parse_acknowledgement_request(std::string_view body);
Result<application_keys::KeyVersion> parse_forgotten_request(std::string_view body);

// All of it, or only that it is what the device knows.
net::HttpResponse told_response(std::span<const application_keys::ApplicationKey> told, ByteView known_digest);
net::HttpResponse delivery_response(const application_keys::Desk::Wrapped& wrapped);
net::HttpResponse application_key_nonce_response(ByteView nonce, Timestamp expires_at);
net::HttpResponse application_key_response(const application_keys::ApplicationKey& key);

}  // namespace warifu::front::device
