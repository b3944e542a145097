#include "warifu/learned_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <set>

#include "measured_boot/claims/event_names.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/ima/list_reader.h"

namespace warifu::cli {
namespace {

using namespace attestation;
using crypto::HashAlgorithm;
using measured_boot::Event;
using measured_boot::EventType;

constexpr HashAlgorithm kBank = HashAlgorithm::kSha256;
// Where boot loaders, kernels, their command lines and initrds are measured: what a release brings. PCR 0 to 3 and 7
// are of the machine, and are demanded by claims.
constexpr std::array<measured_boot::RegisterIndex, 5> kStarted = {4, 8, 9, 11, 12};

std::string quoted(std::string_view text) {
  return boost::json::serialize(boost::json::string(text));
}

Error cannot_learn(std::string what) {
  return {ErrorKind::kRefused, "policy.learn", std::move(what)};
}

EvidenceOutcome judged(const Evidence& evidence, const AkPublic& ak, const Bytes& nonce, const EvidencePolicy* policy) {
  EvidenceOutcome outcome;
  // Its error is a finding, too.
  std::ignore = appraise_evidence(evidence, ak, {.nonce = nonce, .policy = policy}, outcome);
  return outcome;
}

Status check(const EvidenceOutcome& outcome) {
  for (const Finding& finding : outcome.result.findings())
    if (finding.tier == Tier::kContraindicated)
      return cannot_learn(fmt::format("the evidence is contradicted: {} [{}]", finding.what, finding.code));
  if (!outcome.boot) return cannot_learn("no boot log came with the evidence");
  return {};
}

std::string registers_of(const ProvedRegisters& registers, const measured_boot::EventLog& log) {
  std::set<measured_boot::RegisterIndex> extended;
  for (const Event& event : log.events())
    if (event.is_measured() && registers.find(kBank, event.register_index) != nullptr)
      extended.insert(event.register_index);
  return fmt::format("{}", fmt::join(extended, ", "));
}

// Each by itself: what the appraiser affirms is what it will affirm again.
std::string claims_of(const Evidence& evidence, const AkPublic& ak, const Bytes& nonce) {
  std::string claims;
  for (const BootRequirement& requirement : boot_requirements()) {
    EvidencePolicy policy;
    policy.boot.claims = {&requirement};
    const auto outcome = judged(evidence, ak, nonce, &policy);
    if (outcome.result.of(Layer::kConfiguration) == Tier::kContraindicated ||
        outcome.result.of(Layer::kBoot) != Tier::kAffirming)
      continue;
    claims += fmt::format("{}{}", claims.empty() ? "" : ", ", quoted(requirement.name));
  }
  return claims;
}

bool is_of_what_was_started(const Event& event) {
  return event.is_measured() && event.type != EventType::kSeparator && event.type != EventType::kEfiAction &&
         std::ranges::find(kStarted, event.register_index) != kStarted.end();
}

// Names are what `warifu attestation explain` tells when the event does not come again.
std::string events_of(const measured_boot::EventLog& log, const measured_boot::Claims& claims) {
  const auto names = measured_boot::event_names(claims);
  const auto name = [&](const Event& event) {
    const auto found = names.find(event.number);
    return found != names.end() ? found->second : fmt::format("event {}, {}", event.number, name_of(event.type));
  };
  std::string lines;
  std::set<std::string> seen;
  for (const Event& event : log.events()) {
    const ByteView digest = log.digest(event, kBank);
    if (!is_of_what_was_started(event) || digest.empty()) continue;
    if (!seen.insert(fmt::format("{} {}", event.register_index, to_hex(digest))).second) continue;
    lines += fmt::format(R"({}{{"name": {}, "pcr": {}, "sha256": "{}"}})", lines.empty() ? "" : ",\n    ",
                         quoted(name(event)), event.register_index, to_hex(digest));
  }
  return lines;
}

// The files of a whole list. What cannot be told by a digest is left out, and is then refused when it comes again.
Result<std::string> files_of(const Bytes& list) {
  namespace ima = measured_boot::ima;
  TRY(const auto form, ima::list_form(list));
  ima::ListReader reader(list, form);
  std::map<std::string, std::set<std::string>> files;
  while (true) {
    TRY(const auto* entry, reader.next());
    if (entry == nullptr) break;
    const auto name = ima::name_of(*entry);
    const auto digest = ima::file_digest_of(*entry);
    if (entry->is_violation() || !name || !digest || *name == ima::kBootAggregate) continue;
    const auto* kind = digest->kind == ima::FileDigest::Kind::kVerity ? "verity:" : "";
    files[std::string(*name)].insert(quoted(fmt::format("{}{}:{}", kind, digest->algorithm, to_hex(digest->bytes))));
  }
  std::string lines;
  for (const auto& [name, digests] : files)
    lines += fmt::format(R"({}{{"path": {}, "digests": [{}]}})", lines.empty() ? "" : ",\n    ", quoted(name),
                         fmt::join(digests, ", "));
  return lines;
}

}  // namespace

Result<std::string> learn_from(const Evidence& evidence, const AkPublic& ak, const Bytes& nonce) {
  const auto outcome = judged(evidence, ak, nonce, nullptr);
  TRY_STATUS(check(outcome));
  TRY(const auto log, measured_boot::parse_event_log(*evidence.event_log));
  std::string ima;
  if (evidence.ima_list) {
    TRY(const auto files, files_of(*evidence.ima_list));
    ima = fmt::format(",\n \"ima\": {{\"files\": [\n    {}]}}", files);
  }
  return fmt::format(
      "{{\"format\": \"warifu.evidence-policy.v1\",\n \"registers\": {{\"sha256\": [{}]}},\n \"boot\": {{\"claims\": "
      "[{}],\n  \"events\": [\n    {}]}}{}}}\n",
      registers_of(*outcome.registers, log), claims_of(evidence, ak, nonce), events_of(log, outcome.boot->claims), ima);
}

}  // namespace warifu::cli
