#include <fmt/format.h>

#include "attestation/appraisal/log_appraisal.h"
#include "attestation/appraisal/places.h"
#include "measured_boot/claims/text.h"
#include "measured_boot/ima/boot_aggregate.h"
#include "measured_boot/ima/match.h"

namespace warifu::attestation {
namespace {

namespace ima = measured_boot::ima;
using crypto::HashAlgorithm;
using ima::kImaRegister;
using measured_boot::Bank;

// More of them say nothing new; how many there are in all is told.
constexpr std::size_t kToldMax = 100;

struct Matched {
  const Bank* bank;
  ima::Match match;
};

// In the strongest bank that was extended with digests of its own: a kernel without that hash, and each before Linux
// 5.8, extends it with SHA-1 digests, which prove no more than SHA-1 does.
Result<Matched> match_list(ByteView list, const ProvedRegisters& registers, const ima::ImaRegisters& expected) {
  std::optional<Matched> padded;
  for (const HashAlgorithm algorithm : kStrongestFirst) {
    if (registers.find(algorithm, kImaRegister) == nullptr) continue;
    if (algorithm == HashAlgorithm::kSha1 && padded) break;
    const Bank* bank = registers.values().find(algorithm);
    TRY(auto match, ima::match_quote(list, *bank, nullptr, expected));
    const bool is_padded = match.measured.rule() == ima::BankRule::kPaddedSha1 && algorithm != HashAlgorithm::kSha1;
    if (!is_padded) return Matched{bank, std::move(match)};
    if (!padded) padded = Matched{bank, std::move(match)};
  }
  if (padded) return *std::move(padded);
  return Error{ErrorKind::kRefused, "ima.pcr-not-quoted", "the quote proves PCR 10 in no bank", "pcrSelect"};
}

// In the bank that was verified before.
Result<Matched> match_more(ByteView entries, const ima::Replay& last, const ProvedRegisters& registers,
                           const ima::ImaRegisters& expected) {
  const HashAlgorithm algorithm = last.banks().front().algorithm();
  if (registers.find(algorithm, kImaRegister) == nullptr)
    return Error{ErrorKind::kRefused, "ima.pcr-not-quoted",
                 "the quote does not prove PCR 10 in the bank in which the list was verified before", "pcrSelect"};
  const Bank* bank = registers.values().find(algorithm);
  TRY(auto match, ima::match_quote(entries, *bank, &last, expected));
  return Matched{bank, std::move(match)};
}

// What SHA-1 alone carries, under whichever bank's name.
void add_sha1(const ima::Match& match, const Bank& bank, Sha1Use sha1, AttestationResult& result) {
  if (bank.algorithm() == HashAlgorithm::kSha1) {
    if (sha1 == Sha1Use::kAllowed) return;
    result.add({Layer::kRuntime, Tier::kContraindicated, "ima.sha1-alone", "SHA-1 alone carries the list",
                place(bank, kImaRegister), "a stronger bank", "sha1"});
  } else if (match.measured.rule() == ima::BankRule::kPaddedSha1) {
    result.add({Layer::kRuntime, Tier::kWarning, "ima.sha1-padded",
                "the kernel extended the bank with SHA-1 digests: the list is proved as far as SHA-1 proves anything",
                place(bank, kImaRegister)});
  }
}

std::uint64_t violations_in(const ima::MeasuredList& list) {
  std::uint64_t violations = 0;
  ima::MeasuredReader reader(list);
  while (const auto entry = reader.next())
    if (std::holds_alternative<ima::ProvedViolation>(*entry)) ++violations;
  return violations;
}

std::string_view code_of(ima::Finding::Kind kind) {
  switch (kind) {
    case ima::Finding::Kind::kChanged:
      return "ima.file-changed";
    case ima::Finding::Kind::kUnknown:
      return "ima.file-unknown";
    case ima::Finding::Kind::kWithdrawn:
      return "ima.file-withdrawn";
    case ima::Finding::Kind::kRetired:
      return "ima.file-retired";
    case ima::Finding::Kind::kOtherPath:
      return "ima.file-other-path";
    case ima::Finding::Kind::kViolation:
      return "ima.violation";
    case ima::Finding::Kind::kNotSigned:
      return "ima.file-not-signed";
    case ima::Finding::Kind::kUnreadable:
      return "ima.entry-unreadable";
  }
  return "ima.entry-unreadable";
}

void add_judged(const ima::Finding& finding, AttestationResult& result) {
  const bool is_violation = finding.kind == ima::Finding::Kind::kViolation;
  result.add({Layer::kRuntime, finding.fails ? Tier::kContraindicated : Tier::kWarning, code_of(finding.kind),
              fmt::format("{}{}{}", is_violation ? "a file changed while it was measured; told to be " : "",
                          measured_boot::printable(finding.name),
                          finding.until ? fmt::format(", which was good until {}", to_rfc3339(*finding.until)) : ""),
              fmt::format("entry {}", finding.entry), "", finding.digest});
}

void add_excludes(const ima::Policy& policy, const ima::Judgement& judgement, AttestationResult& result) {
  for (std::size_t i = 0; i < policy.excludes.size(); ++i) {
    result.add({Layer::kRuntime, Tier::kNone, "ima.excluded",
                fmt::format("{} entries of {} were let through by this exclude alone", judgement.excluded[i],
                            judgement.entries),
                policy.excludes[i].text()});
  }
}

void judge_by(const RuntimeExpectations& expectations, const ima::Match& match, const Bank& bank,
              AttestationResult& result) {
  const ima::Policy& policy = *expectations.policy;
  const ima::Judgement judgement = ima::judge(match.measured, policy, 0, expectations.now);
  for (std::size_t i = 0; i < std::min(judgement.findings.size(), kToldMax); ++i)
    add_judged(judgement.findings[i], result);
  bool is_met = judgement.is_good();
  const bool is_whole = match.measured.earlier() == 0;
  for (std::size_t i = 0; is_whole && i < policy.required.size(); ++i) {
    if (judgement.required_seen[i]) continue;
    is_met = false;
    result.add({Layer::kRuntime, Tier::kContraindicated, "ima.required",
                "the policy requires that it was measured with a digest that is allowed, and it was not",
                policy.required[i]});
  }
  add_excludes(policy, judgement, result);
  const std::string where = place(bank, kImaRegister);
  if (!is_met) {
    result.add({Layer::kRuntime, Tier::kContraindicated, "ima.policy",
                fmt::format("the policy is not met: it refuses {} of {} entries", judgement.failed, judgement.entries),
                where});
    return;
  }
  result.add({Layer::kRuntime, Tier::kAffirming, "ima.policy",
              fmt::format("the policy allows all {} entries that are proved, {} came after the quote",
                          judgement.entries, match.beyond),
              where});
}

void add_unjudged(const ima::Match& match, const Bank& bank, AttestationResult& result) {
  result.add({Layer::kRuntime, Tier::kNone, "runtime.no-policy",
              fmt::format("{} entries are proved, {} came after the quote; they were compared with nothing",
                          match.measured.size(), match.beyond),
              place(bank, kImaRegister)});
  if (const auto violations = violations_in(match.measured); violations > 0) {
    result.add({Layer::kRuntime, Tier::kWarning, "ima.violations",
                fmt::format("files changed while they were measured, {} times", violations),
                place(bank, kImaRegister)});
  }
}

}  // namespace

Status appraise_ima_list(ByteView list, const ProvedRegisters& registers, AttestationResult& result,
                         const RuntimeExpectations& expectations) {
  TRY_STATUS(appraise_ima_entries(list, nullptr, registers, result, expectations));
  return {};
}

Result<ima::Replay> appraise_ima_entries(ByteView entries, const ima::Replay* last, const ProvedRegisters& registers,
                                         AttestationResult& result, const RuntimeExpectations& expectations) {
  TRY(Matched matched, last == nullptr ? match_list(entries, registers, expectations.registers)
                                       : match_more(entries, *last, registers, expectations.registers));
  auto& [bank, match] = matched;
  add_sha1(match, *bank, expectations.sha1, result);
  if (expectations.policy == nullptr)
    add_unjudged(match, *bank, result);
  else
    judge_by(expectations, match, *bank, result);
  const auto* before = expectations.before_userspace;
  TRY_STATUS(ima::check_boot(match.measured, before == nullptr ? registers.values() : *before,
                             match.measured.earlier_boot_aggregates()));
  return std::move(match.verified);
}

}  // namespace warifu::attestation
