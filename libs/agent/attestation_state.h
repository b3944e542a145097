#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/attestation_messages.h"
#include "agent/outside.h"
#include "base/result.h"
#include "base/state_files.h"

namespace warifu::agent {

// What the server judged last, for people and other programs. It decides nothing.
struct LastAttestation {
  AttestationResult result;
  std::string since;  // RFC 3339, by the device's clock: when the judgement came to be this one
};

inline constexpr std::string_view kAttestationFile = "attestation.json";

// docs/programs/warifu-agent.md, "State"
std::string to_json(const LastAttestation& last);
// "state.form", "json.…"
Result<LastAttestation> parse_last_attestation(std::string_view json);

Status save(StateFiles& files, const LastAttestation& last);
// Saves a judgement that is another one than the last: not each time, for that wears a flash. What cannot be kept is
// noted.
void keep(Outside& outside, const AttestationResult& result);
// nullopt when there is none, or none that can be read.
Result<std::optional<LastAttestation>> load_last_attestation(StateFiles& files);

// "warning (identity affirming, firmware warning)"
std::string summary(const AttestationResult& result);

}  // namespace warifu::agent
