#include "warifu-agent/local_attestation.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/digest.h"
#include "tcb_protocol/limits.h"

namespace warifu::agent_app {
namespace {

using attestation::AttestationResult;
using attestation::Layer;
using attestation::Tier;
using crypto::HashAlgorithm;
using tcb_protocol::LocalQuote;
using tcb_protocol::RegisterLists;

struct QuotedBank {
  HashAlgorithm hash;
  std::vector<std::uint8_t> RegisterLists::*list;
};
// In the order of Quote::Answer::values.
constexpr std::array<QuotedBank, 4> kQuotedBanks = {{
    {HashAlgorithm::kSha1, &RegisterLists::sha1},
    {HashAlgorithm::kSha256, &RegisterLists::sha256},
    {HashAlgorithm::kSha384, &RegisterLists::sha384},
    {HashAlgorithm::kSha512, &RegisterLists::sha512},
}};

Result<measured_boot::RegisterValues> register_values(const RegisterLists& registers, ByteView bytes) {
  measured_boot::RegisterValues values;
  for (const auto& bank : kQuotedBanks) {
    const std::size_t size = crypto::digest_size(bank.hash);
    for (const std::uint8_t pcr : registers.*bank.list) {
      if (bytes.size() < size) return Error{ErrorKind::kInternal, "tcb.answer", "the TCB gave too few register values"};
      crypto::Digest value(bank.hash);
      std::ranges::copy(bytes.first(size), value.writable().begin());
      values.bank(bank.hash).set(pcr, value);
      bytes = bytes.subspan(size);
    }
  }
  if (bytes.empty()) return values;
  return Error{ErrorKind::kInternal, "tcb.answer", "the TCB gave too many register values"};
}

std::optional<attestation::NullPrimary> null_primary(const tcb_protocol::Quote::Answer& quote,
                                                     const std::optional<agent::RecordedNullName>& recorded) {
  if (quote.null_public.empty()) return std::nullopt;
  attestation::NullPrimary primary{quote.null_public, quote.null_attest, quote.null_signature};
  if (!recorded) return primary;
  if (auto name = attestation::parse_recorded_name(recorded->name, recorded->source)) primary.recorded = *name;
  return primary;
}

void add_policy(const std::optional<LocalPolicy>& policy, AttestationResult& result) {
  const auto add = [&](Tier tier, std::string_view code, std::string what, std::string where = {}) {
    result.add({Layer::kConfiguration, tier, code, std::move(what), std::move(where)});
  };
  if (!policy)
    return add(Tier::kNone, "policy.none", "no policy was given: nothing was compared with what it should be");
  const auto& demands = policy->demands;
  if (demands.registers.empty() && !demands.requires_boot() && !demands.ima)
    return add(Tier::kNone, "policy.empty", "the policy demands nothing", policy->file);
  add(Tier::kAffirming, "policy.given", "judged by a policy that was given", policy->file);
}

void add_null_primary(const LocalEvidence& evidence, const attestation::VerifiedQuote& quote,
                      AttestationResult& result) {
  const auto name = attestation::appraise_null_primary(evidence.null_primary, quote, result);
  if (name) attestation::appraise_recorded_name(evidence.null_primary->recorded, *name, result);
}

}  // namespace

RegisterLists local_registers(const std::optional<LocalPolicy>& policy) {
  RegisterLists lists;
  for (const auto& [hash, index] : attestation::registers_to_quote(policy ? &policy->demands : nullptr))
    for (const auto& bank : kQuotedBanks)
      if (bank.hash == hash) (lists.*bank.list).push_back(static_cast<std::uint8_t>(index));
  for (const auto& bank : kQuotedBanks)
    std::ranges::sort(lists.*bank.list);
  return lists;
}

Result<LocalEvidence> gather(const RegisterLists& registers, const LocalQuote::Answer& answer,
                             agent::MeasurementLogs& logs) {
  const auto extra_data =
      crypto::digest(HashAlgorithm::kSha256, {as_bytes(tcb_protocol::kLocalQuotePrefix), answer.nonce});
  LocalEvidence evidence{.ak_public = answer.ak_public,
                         .extra_data = to_bytes(extra_data.bytes()),
                         .shown = {.message = answer.quote.attest, .signature = answer.quote.signature},
                         .null_primary = null_primary(answer.quote, logs.null_name())};
  TRY(evidence.shown.claimed, register_values(registers, answer.quote.values));
  TRY(evidence.shown.event_log, logs.event_log());
  TRY(evidence.shown.userspace_log, logs.userspace_log());
  TRY(evidence.shown.ima_list, logs.ima_list(0));
  return evidence;
}

Result<attestation::EvidenceOutcome> judge(const LocalEvidence& evidence, const std::optional<LocalPolicy>& policy,
                                           Timestamp now) {
  TRY(const auto ak, attestation::AkPublic::from_tpm_public(evidence.ak_public));
  attestation::EvidenceTerms terms{.nonce = evidence.extra_data, .now = now};
  if (policy) {
    terms.policy = &policy->demands;
    terms.required = policy->demands.registers;
  }
  attestation::EvidenceOutcome outcome;
  const Status done = attestation::appraise_evidence(evidence.shown, ak, terms, outcome);
  if (!done && outcome.result.findings().empty()) return done.error();
  if (outcome.quote) add_null_primary(evidence, *outcome.quote, outcome.result);
  // What the EK certificate is for somebody else, the pin is for the device: the TCB speaks with no other TPM.
  outcome.result.add({Layer::kHardware, Tier::kAffirming, "hardware.own-tpm",
                      "the TPM has the endorsement key that this device began with; who made it was not looked at"});
  add_policy(policy, outcome.result);
  return outcome;
}

}  // namespace warifu::agent_app
