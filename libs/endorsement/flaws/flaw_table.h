#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "endorsement/ek/x509.h"
#include "endorsement/flaws/firmware_version.h"
#include "endorsement/flaws/signed_text.h"

namespace warifu::endorsement {

// What is not known is unknown, and never safe.
enum class FlawVerdict : std::uint8_t { kAffected, kNotAffected, kUnknown };
std::string_view to_string(FlawVerdict verdict);

// Where a statement of the table comes from.
struct FlawSource {
  std::string url;
  std::string seen;       // what was read there, and how
  std::string confirmed;  // the day on which it was held against that page; empty: it was not

  bool is_confirmed() const { return !confirmed.empty(); }
};

// `from` is in, `before` is out.
struct VersionRange {
  FirmwareVersion from;
  FirmwareVersion before;
};
struct FlawRule {
  VendorId manufacturer;
  std::vector<std::string> models;  // empty: all of the manufacturer
  std::vector<VersionRange> affected;
  std::vector<VersionRange> not_affected;  // counts only if the source is confirmed
  FlawSource source;
};
struct Flaw {
  std::string id;
  std::string name;
  std::string summary;
  std::string published;  // a date
  std::vector<std::string> sources;
  FlawVerdict elsewhere = FlawVerdict::kUnknown;  // for manufacturers without a rule
  std::optional<FlawSource> elsewhere_source;     // of a "not affected"
  std::vector<FlawRule> rules;
};

struct TpmUnderTest {
  std::optional<VendorId> vendor;
  std::optional<std::string> model;
  std::optional<FirmwareVersion> firmware;
  std::vector<SubjectKey> keys;  // those that it made
};
struct FlawJudgement {
  const Flaw* flaw;
  FlawVerdict verdict;
  std::string reason;
  const FlawSource* source = nullptr;  // of what decided; nullptr: nothing of the table did
};

// warifu.tpm-flaws.v1 (docs/formats/tpm-flaws.md).
class FlawTable {
 public:
  // "endorsement.flaws.format" and the codes of wire::JsonFields, with the path in the text.
  static Result<FlawTable> load(const SignedText& text);

  const std::string& issued() const { return issued_; }
  const std::vector<Flaw>& flaws() const { return flaws_; }
  // One for each flaw. What nobody confirmed can accuse, and cannot clear. ROCA is judged by the keys too: a weak one
  // is affected whatever the firmware says. The result refers to the table.
  std::vector<FlawJudgement> judge(const TpmUnderTest& tpm) const;

 private:
  FlawTable() = default;

  std::string issued_;
  std::vector<Flaw> flaws_;
};

}  // namespace warifu::endorsement
