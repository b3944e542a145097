#pragma once

#include <optional>

#include "provisioning/ek_endorsement.h"
#include "provisioning/statement.h"

namespace warifu::provisioning {

// Where a TPM belongs.
struct TpmPlace {
  Statement statement;
  bool is_by_authority = false;  // of a group by authorities for EKs
  bool is_certified = false;     // such an authority vouched for the EK, just now
  // Why none did: its group lets an operator decide. Such a TPM is assigned nothing before he did.
  std::optional<Error> uncertified = {};
};

// Of an EK that came to a group by authorities before: whether its certificate counts as it is now, or is not asked
// for.
enum class KnownEk { kJudgedAnew, kBelieved };

// The place of a TPM that has no enrollment of its own under this ID: the group that lists the EK, or to which it came
// before. Else, of the groups by authorities that take the ID, the first by group ID that an authority of the EK's
// certificate fits; else the first that lets an operator decide. kNotFound "enrollment.unknown"; kRefused
// "enrollment.name": the group of the EK does not take it under this ID; "enrollment.ek_barred": an operator keeps it
// out; "enrollment.ek_certificate": no group takes it without another certificate.
Result<TpmPlace> find_group_place(RecordsView& records, const ScopeId& scope, const RegistrationId& registration,
                                  const tpm::EkPublic& ek, EkEndorsements& endorsements,
                                  KnownEk known = KnownEk::kJudgedAnew);

// The statement under which a TPM is that was believed before, by its bond alone: the registration's own enrollment
// names its EK, or else a group has the EK, for this registration or for none yet, and its device is registered or
// never was. It asks little of the database, since strangers may ask it as often as they like: what naming and
// authorities say now is judged where the TPM comes (Registrar). `device`: of the registration. Disabled ones are
// found.
Result<std::optional<Statement>> find_bond(RecordsView& records, const ScopeId& scope,
                                           const RegistrationId& registration, ByteView ek_name,
                                           const std::optional<Device>& device);

Error barred(const GroupEk& ek);
Error not_enrolled();
Error not_enrolled(const tpm::EkPublic& offered);

}  // namespace warifu::provisioning
