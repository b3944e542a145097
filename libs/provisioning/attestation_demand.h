#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "provisioning/records.h"
#include "provisioning/statement.h"

namespace warifu::provisioning {

// What an attestation lacks of what the terms demand.
struct AttestationShortfall {
  std::string_view code;  // "attestation.missing": stable, like what follows for the device too
  std::string message;    // a sentence without its end: "it has not attested yet"
  std::string operator_detail = {};
};

// The code of an attestation that was judged, by all that stands now, as less than what is demanded. It mends itself
// only when device or policy change; all other codes go when the device attests again.
inline constexpr std::string_view kInsufficient = "attestation.insufficient";

// How old an attestation may be at an assignment, whatever the device's interval. What it was judged by beside its
// policy may have changed since: the EK's authorities, known flaws, waivers, windows.
inline constexpr std::chrono::minutes kGoodForAssigning{10};

// Who wants to be assigned: a TPM that proved its EK, and what was known of its registration before.
struct AttestationQuestion {
  const ScopeId& scope;
  const RegistrationId& registration;
  const Bytes& ek_name;
  const std::optional<Device>& before;
};

// What stands between a device and its assignment; nullopt: the terms demand nothing, or it attested to enough. That is
// an attestation by an AK that is bound to this very EK, judged by the policy that stands, not overdue, not older than
// kGoodForAssigning, and later than the last assignment of this registration: each assignment needs one of its own. It
// is enough for "affirming" when every layer affirms; for "warning" when an enforced policy judged it and nothing
// contradicts: what that policy does not ask for may be unknown.
// To be asked in the transaction that assigns: what was enough a moment ago need not be so now.
Result<std::optional<AttestationShortfall>> find_shortfall(RecordsView& records, const Statement& statement,
                                                           const AttestationQuestion& question, Timestamp now);

// What stands between a TPM's device and a certificate: it must have attested lately, by an AK that is bound to this EK
// and by the policy that stands, and nothing may contradict; where the terms demand more, that. Lately: it may be late
// once, so that one lost attestation does not end its certificate.
Result<std::optional<AttestationShortfall>> find_certificate_shortfall(RecordsView& records, const Statement& statement,
                                                                       ByteView ek_name, Timestamp now);

}  // namespace warifu::provisioning
