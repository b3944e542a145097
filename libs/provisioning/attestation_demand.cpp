#include "provisioning/attestation_demand.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::provisioning {
namespace {

using Judgement = LastAttestation::Judgement;

AttestationShortfall missing() {
  return {"attestation.missing", "it has not attested yet"};
}

AttestationShortfall other_ek(const Bytes& bound, const Bytes& proved) {
  return {"attestation.other-ek", "its attestation key belongs to another endorsement key",
          fmt::format("the attestation key (AK) of this registration is bound to the EK {}, and the device proved the "
                      "EK {}",
                      to_hex(bound), to_hex(proved))};
}

AttestationShortfall other_ak(const Judgement& judgement) {
  return {"attestation.other-ak", "another attestation key took the place of the one that attested",
          fmt::format("the last attestation, of {}, was another AK's", to_rfc3339(judgement.attested_at))};
}

AttestationShortfall other_policy(const Judgement& judgement) {
  return {"attestation.other-policy", "the policy was changed since it attested",
          fmt::format("the last attestation, of {}, was judged by another policy or revision than stands now",
                      to_rfc3339(judgement.attested_at))};
}

AttestationShortfall overdue(const Judgement& judgement, Timestamp due) {
  return {"attestation.overdue", "its last attestation is overdue",
          fmt::format("it attested last at {}, and was due again by {}", to_rfc3339(judgement.attested_at),
                      to_rfc3339(due))};
}

AttestationShortfall used(const Judgement& judgement, Timestamp assigned_at) {
  return {"attestation.used", "it has not attested since it was assigned last",
          fmt::format("it attested last at {}, and was assigned, or changed by an operator, at {}",
                      to_rfc3339(judgement.attested_at), to_rfc3339(assigned_at))};
}

AttestationShortfall insufficient(const Judgement& judgement, RequiredAttestation required) {
  return {kInsufficient,
          fmt::format("it attested to \"{}\"{}, and \"{}\" is demanded", to_string(judgement.overall),
                      judgement.is_by_enforced_policy ? "" : " under no policy that is enforced", to_string(required)),
          fmt::format("attested at {}{}{}", to_rfc3339(judgement.attested_at), judgement.findings.empty() ? "" : ": ",
                      judgement.findings)};
}

// Of "warning" the overall tier alone says little: where nothing was judged, one odd thing makes it a warning, too. An
// enforced policy is what a device had to meet.
bool is_enough(const Judgement& judgement, RequiredAttestation required) {
  switch (judgement.overall) {
    case AttestationTier::kAffirming:
      return true;
    case AttestationTier::kWarning:
    case AttestationTier::kNone:
      return required == RequiredAttestation::kWarning && judgement.is_by_enforced_policy;
    case AttestationTier::kContraindicated:
      return false;
  }
  return false;
}

// An interval that was shortened since holds at once.
Timestamp next_due_of(const Judgement& judgement, const Terms& terms) {
  if (!terms.attestation_interval) return judgement.next_due_at;
  return std::min(judgement.next_due_at, judgement.attested_at + *terms.attestation_interval);
}

// Whether it says anything of this TPM, by what stands now.
std::optional<AttestationShortfall> find_unusable(const LastAttestation& last, ByteView ek_name) {
  if (!std::ranges::equal(last.ek_name, ek_name)) return other_ek(last.ek_name, to_bytes(ek_name));
  if (!last.judgement) return missing();
  if (!last.judgement->is_of_bound_ak) return other_ak(*last.judgement);
  if (!last.judgement->is_by_standing_policy) return other_policy(*last.judgement);
  return std::nullopt;
}

std::optional<AttestationShortfall> judge(const LastAttestation& last, const Terms& terms,
                                          const AttestationQuestion& question, Timestamp now) {
  if (auto unusable = find_unusable(last, question.ek_name)) return unusable;
  const Judgement& judgement = *last.judgement;
  const Timestamp due = std::min(next_due_of(judgement, terms), judgement.attested_at + kGoodForAssigning);
  if (now >= due) return overdue(judgement, due);
  if (question.before && judgement.attested_at <= question.before->updated_at)
    return used(judgement, question.before->updated_at);
  if (!is_enough(judgement, *terms.required_attestation)) return insufficient(judgement, *terms.required_attestation);
  return std::nullopt;
}

AttestationShortfall contradicted(const Judgement& judgement) {
  return {kInsufficient, "its last attestation contradicts what it should be",
          fmt::format("attested at {}{}{}", to_rfc3339(judgement.attested_at), judgement.findings.empty() ? "" : ": ",
                      judgement.findings)};
}

std::optional<AttestationShortfall> judge_for_certificate(const LastAttestation& last, const Terms& terms,
                                                          ByteView ek_name, Timestamp now) {
  if (auto unusable = find_unusable(last, ek_name)) return unusable;
  const Judgement& judgement = *last.judgement;
  // One interval late is late once.
  const Timestamp next_due = next_due_of(judgement, terms);
  const Timestamp due = next_due + (next_due - judgement.attested_at);
  if (now >= due) return overdue(judgement, due);
  if (judgement.overall == AttestationTier::kContraindicated) return contradicted(judgement);
  if (terms.required_attestation && !is_enough(judgement, *terms.required_attestation))
    return insufficient(judgement, *terms.required_attestation);
  return std::nullopt;
}

}  // namespace

std::string_view to_string(AttestationTier tier) {
  switch (tier) {
    case AttestationTier::kNone:
      return "none";
    case AttestationTier::kAffirming:
      return "affirming";
    case AttestationTier::kWarning:
      return "warning";
    case AttestationTier::kContraindicated:
      return "contraindicated";
  }
  return "none";
}

Result<std::optional<AttestationShortfall>> find_shortfall(RecordsView& records, const Statement& statement,
                                                           const AttestationQuestion& question, Timestamp now) {
  if (!statement.terms.required_attestation) return std::optional<AttestationShortfall>();
  TRY(const auto last, records.find_last_attestation(question.scope, question.registration, statement.group));
  return last ? judge(*last, statement.terms, question, now) : missing();
}

Result<std::optional<AttestationShortfall>> find_certificate_shortfall(RecordsView& records, const Statement& statement,
                                                                       ByteView ek_name, Timestamp now) {
  TRY(const auto last, records.find_last_attestation(statement.scope, statement.registration, statement.group));
  return last ? judge_for_certificate(*last, statement.terms, ek_name, now) : missing();
}

}  // namespace warifu::provisioning
