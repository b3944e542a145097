#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/measurement_logs.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "tcb_protocol/messages.h"

// The bodies of docs/protocols/attestation.md from the device's side. What the server says is bounded and checked:
// kRefused "server.reply", `where` is the field.
namespace warifu::agent {

std::string attestation_key_body(const tcb_protocol::AttestationKey::Answer& key);

// What the TPM opens for the server.
struct AttestationChallenge {
  Bytes id_object;
  Bytes encrypted_secret;
  std::string session;  // opaque, goes back as it came
};
Result<AttestationChallenge> parse_attestation_challenge(std::string_view body);
std::string activation_body(const std::string& session, const SecretBytes& secret);

struct AttestationToken {
  std::string token;
  std::string expires_at;  // RFC 3339, UTC, without what is below a second: 19 characters, which sort as times do
};
Result<AttestationToken> parse_attestation_token(std::string_view body);

std::string nonce_body(const std::string& boot_id);
struct AttestationNonce {
  Bytes nonce;
  tcb_protocol::RegisterLists registers;
  std::string known_event_log;  // SHA-256, lower-case hexadecimal; empty: none
  std::uint64_t ima_offset = 0;
};
Result<AttestationNonce> parse_attestation_nonce(std::string_view body);

// As known_event_log has it.
std::string sha256_hex(ByteView content);

// What stands in an evidence beside the nonce's own fields.
struct Evidence {
  const AttestationNonce& nonce;
  const tcb_protocol::Quote::Answer& quote;
  std::string boot_id;
  std::optional<Bytes> event_log;
  bool with_event_log;  // its content too
  std::optional<Bytes> userspace_log;
  std::optional<Bytes> ima_list;  // from nonce.ima_offset
  std::optional<RecordedNullName> null_name;
};
// kRefused "server.reply" when the quote's values are not those of nonce.registers.
Result<std::string> evidence_body(const Evidence& evidence);

// What the server judged (EAR tiers: "affirming", "warning", "contraindicated", "none").
struct AttestationResult {
  std::string overall;
  std::vector<std::pair<std::string, std::string>> layers;
  std::string tracking_id;
  std::chrono::seconds next_after{0};

  bool is_same_judgement(const AttestationResult& other) const {
    return overall == other.overall && layers == other.layers;
  }
};
Result<AttestationResult> parse_attestation_result(std::string_view body);

}  // namespace warifu::agent
