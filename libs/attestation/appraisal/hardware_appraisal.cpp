#include "attestation/appraisal/hardware_appraisal.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "attestation/quote/quote.h"
#include "wire/writer.h"

namespace warifu::attestation {
namespace {

using endorsement::FlawJudgement;
using endorsement::FlawVerdict;
using Worth = EkStanding::Worth;

// TPM_RH_ENDORSEMENT and TPM_RH_PLATFORM (Part 2, TPM_RH).
constexpr std::uint32_t kTrueHierarchies[] = {0x4000000B, 0x4000000C};
// Of what nobody knows; a table may have many.
constexpr std::size_t kNamedMax = 20;

const HardwarePolicy kNoPolicy;

Tier tier_of(FlawWeight weight) {
  switch (weight) {
    case FlawWeight::kIgnore:
      return Tier::kNone;
    case FlawWeight::kWarn:
      return Tier::kWarning;
    case FlawWeight::kFail:
      return Tier::kContraindicated;
  }
  return Tier::kContraindicated;
}

std::string named(const std::vector<std::string>& ids) {
  if (ids.size() <= kNamedMax) return fmt::format("{}", fmt::join(ids, ", "));
  return fmt::format("{} and {} more", fmt::join(ids.begin(), ids.begin() + kNamedMax, ", "), ids.size() - kNamedMax);
}

template <class Values, class ToText>
std::string listed(const Values& values, ToText to_text) {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const auto& value : values)
    texts.emplace_back(to_text(value));
  return fmt::format("{}", fmt::join(texts, " or "));
}

// Shown by a page that somebody read, or by the key itself.
bool is_confirmed(const FlawJudgement& judged) {
  return judged.source == nullptr || judged.source->is_confirmed();
}

std::string words_of(const FlawJudgement& judged) {
  const std::string url = judged.source != nullptr ? judged.source->url : judged.flaw->sources.front();
  return fmt::format("{} ({}): {}; see {}", judged.flaw->name, judged.flaw->id, judged.reason, url);
}

// One TPM, question after question.
class HardwareAppraisal {
 public:
  HardwareAppraisal(const ShownTpm& tpm, const HardwareTerms& terms, AttestationResult& result)
      : tpm_(tpm), flaws_(terms.flaws), policy_(terms.policy != nullptr ? *terms.policy : kNoPolicy), result_(result) {}

  void run() {
    certificate();
    firmware();
    demands();
    known_flaws();
  }

 private:
  void add(Tier tier, std::string_view code, std::string what, std::string where = {}, std::string expected = {},
           std::string came = {}, std::string allowed_by = {}) {
    result_.add({Layer::kHardware, tier, code, std::move(what), std::move(where), std::move(expected), std::move(came),
                 std::move(allowed_by)});
  }

  void certificate() {
    switch (tpm_.ek.worth) {
      case Worth::kNoCertificate:
        return add(Tier::kNone, "hardware.no-ek-certificate",
                   "no EK certificate came with the EK: nothing shows which TPM this is");
      case Worth::kTrusted:
        return add(Tier::kAffirming, "hardware.ek-certificate", tpm_.ek.detail);
      case Worth::kRefused:
        return add(Tier::kWarning, "hardware.ek-certificate-refused", tpm_.ek.detail);
    }
  }

  void firmware() {
    const bool is_shown = tpm_.firmware_version.has_value();
    add(Tier::kNone, is_shown ? "hardware.firmware-version" : "hardware.firmware-hidden",
        is_shown ? "the version of the TPM's firmware, by its own word"
                 : "the AK is no primary of the endorsement hierarchy: its quotes hide the firmware version",
        "firmwareVersion", "", is_shown ? tpm_.text() : "");
  }

  bool is_certified() const { return tpm_.ek.worth == Worth::kTrusted; }

  void demands() {
    if (policy_.requires_certificate && !is_certified())
      add(Tier::kContraindicated, "hardware.ek-certificate-required",
          "the policy requires an EK certificate of an authority that is trusted here", "ek_certificate",
          "a trusted one", tpm_.ek.worth == Worth::kNoCertificate ? "none" : "a refused one");
    const auto is_class = [&](auto wanted) { return is_certified() && tpm_.ek.tpm_class == wanted; };
    if (!policy_.classes.empty() && std::ranges::none_of(policy_.classes, is_class))
      add(Tier::kContraindicated, "hardware.class", "the policy does not take a TPM of this class", "classes",
          listed(policy_.classes, [](auto one) { return to_string(one); }), shown_class());
    const auto is_maker = [&](auto wanted) { return is_certified() && tpm_.ek.vendor == wanted; };
    if (!policy_.manufacturers.empty() && std::ranges::none_of(policy_.manufacturers, is_maker))
      add(Tier::kContraindicated, "hardware.manufacturer", "the policy does not take a TPM of this manufacturer",
          "manufacturers", listed(policy_.manufacturers, [](auto one) { return one.text(); }),
          is_certified() && tpm_.ek.vendor ? tpm_.ek.vendor->text() : "one that no trusted EK certificate shows");
  }

  std::string shown_class() const {
    return is_certified() ? std::string(to_string(tpm_.ek.tpm_class)) : "one that no trusted EK certificate shows";
  }

  void known_flaws() {
    const auto judgements = flaws_.judge(tpm_.under_test());
    std::vector<std::string> unknown;
    bool is_clear = !judgements.empty();
    for (const FlawJudgement& judged : judgements) {
      is_clear = is_clear && judged.verdict == FlawVerdict::kNotAffected;
      if (judged.verdict == FlawVerdict::kAffected) affected(judged);
      if (judged.verdict == FlawVerdict::kUnknown && !policy_.accepts(judged.flaw->id))
        unknown.push_back(judged.flaw->id);
    }
    if (!unknown.empty()) unknown_flaws(unknown, judgements.size());
    if (is_clear)
      add(Tier::kAffirming, "hardware.no-known-flaw",
          fmt::format("none of the {} flaws of the table of {} affects it", judgements.size(), flaws_.issued()), "", "",
          tpm_.text());
  }

  void affected(const FlawJudgement& judged) {
    const std::string& id = judged.flaw->id;
    if (policy_.accepts(id))
      return add(Tier::kNone, "hardware.tpm-flaw-accepted", words_of(judged), id, "", tpm_.text(),
                 "hardware.accepted_flaws");
    const Tier tier = tier_of(policy_.flaws);
    if (is_confirmed(judged)) return add(tier, "hardware.tpm-flaw", words_of(judged), id, "", tpm_.text());
    add(std::min(tier, Tier::kWarning), "hardware.tpm-flaw-said", words_of(judged), id, "", tpm_.text());
  }

  // Whoever may hide which TPM he is hides that it is a bad one.
  void unknown_flaws(const std::vector<std::string>& ids, std::size_t all) {
    const bool is_shown = is_certified() && tpm_.ek.vendor && tpm_.firmware_version;
    if (!is_shown && policy_.flaws == FlawWeight::kFail)
      return add(
          Tier::kContraindicated, "hardware.flaws-not-judged",
          fmt::format("the policy fails TPMs with known flaws, and {} cannot be judged: {}", ids.size(), named(ids)),
          "flaws", "a trusted EK certificate and a shown firmware version", tpm_.text());
    add(tier_of(policy_.unknown_flaws), "hardware.flaws-unknown",
        fmt::format("of {} of {} flaws nothing is known for this TPM, which does not make it safe: {}", ids.size(), all,
                    named(ids)),
        "", "", tpm_.text());
  }

  const ShownTpm& tpm_;
  const endorsement::FlawTable& flaws_;
  const HardwarePolicy& policy_;
  AttestationResult& result_;
};

}  // namespace

std::optional<endorsement::FirmwareVersion> ShownTpm::firmware() const {
  if (ek.worth != Worth::kTrusted || !ek.vendor || !firmware_version) return std::nullopt;
  return endorsement::FirmwareVersion::from_properties(*ek.vendor, static_cast<std::uint32_t>(*firmware_version >> 32),
                                                       static_cast<std::uint32_t>(*firmware_version));
}

std::string ShownTpm::text() const {
  const bool is_named = ek.worth == Worth::kTrusted && ek.vendor;
  std::string text = is_named ? ek.vendor->text() : "an unknown maker's";
  if (is_named && !ek.model.empty()) text += " " + ek.model;
  const auto version = firmware();
  if (version) return fmt::format("{}, firmware {}", text, version->text());
  return text + (firmware_version ? fmt::format(", firmware {:016x}", *firmware_version) : ", firmware not shown");
}

endorsement::TpmUnderTest ShownTpm::under_test() const {
  endorsement::TpmUnderTest tpm;
  if (ek.key) tpm.keys.push_back(*ek.key);
  if (ek.worth != Worth::kTrusted) return tpm;
  tpm.vendor = ek.vendor;
  if (!ek.model.empty()) tpm.model = ek.model;
  tpm.firmware = firmware();
  return tpm;
}

std::optional<std::uint64_t> shown_firmware(const QuoteState& quote, ByteView ak_name) {
  const auto name = tpm::Name::parse(ak_name);
  if (!name) return std::nullopt;
  const bool is_true = std::ranges::any_of(kTrueHierarchies, [&](std::uint32_t hierarchy) {
    return quote.qualified_signer == qualified_name(wire::Writer().u32(hierarchy).take(), *name);
  });
  return is_true ? std::optional(quote.firmware_version) : std::nullopt;
}

void appraise_hardware(const ShownTpm& tpm, const HardwareTerms& terms, AttestationResult& result) {
  HardwareAppraisal(tpm, terms, result).run();
}

void add_unshown_hardware(const QuoteState& quote, const HardwarePolicy* policy, AttestationResult& result) {
  result.add({Layer::kHardware, Tier::kNone, "hardware.firmware-version",
              "what is known of this firmware was not looked up", "firmwareVersion", "",
              fmt::format("{:016x}", quote.firmware_version)});
  if (policy == nullptr || !policy->demands_something()) return;
  result.add({Layer::kHardware, Tier::kContraindicated, "hardware.required",
              "the policy demands something of the TPM, and its EK certificate is not looked at here", "hardware",
              "an EK certificate", "none"});
}

}  // namespace warifu::attestation
