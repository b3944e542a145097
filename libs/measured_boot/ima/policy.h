#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "measured_boot/ima/allow_list.h"
#include "measured_boot/ima/match.h"
#include "measured_boot/ima/signature.h"

namespace warifu::measured_boot::ima {

// What is let through without a digest that is known: one name, or all names under a folder ("/var/log/"). No pattern:
// it always holds from the first character on, and never for everything (I13).
class Exclude {
 public:
  // kInvalidInput "ima.policy.exclude": not an absolute path below the root without ".." and "*".
  static Result<Exclude> parse(std::string_view text);

  bool covers(std::string_view name) const { return text_.back() == '/' ? name.starts_with(text_) : name == text_; }
  const std::string& text() const { return text_; }

 private:
  explicit Exclude(std::string_view text) : text_(text) {}
  std::string text_;
};

struct Policy {
  AllowList files;
  std::vector<Exclude> excludes;
  // A known digest under another path (I15).
  bool allow_other_paths = true;
  // What a valid signature by a key of the keyring is worth. kAllow: as much as a known digest, which is asked first,
  // and less than one that was withdrawn. kRequire: every file needs one, also where the digest is known; what was
  // measured from a buffer (ima-buf) has none and needs a known digest.
  enum class Signatures : std::uint8_t { kIgnore, kAllow, kRequire } signatures = Signatures::kIgnore;
  Keyring keyring;
  enum class Violations : std::uint8_t { kFail, kWarn } violations = Violations::kFail;
  // Where violations are let through even so. Nothing proves the name of one: this trusts whoever sends the list.
  std::vector<Exclude> tolerated_violations;
  // Names that must have been measured with a digest that is allowed, like that of the IMA policy (I16): of what the
  // kernel does not measure, a list says nothing.
  std::vector<std::string> required;
};

struct Finding {
  enum class Kind : std::uint8_t {
    kChanged,
    kUnknown,
    kWithdrawn,
    kRetired,  // its window has closed
    kOtherPath,
    kViolation,
    kNotSigned,   // a signature is required, and there is no valid one
    kUnreadable,  // a template that we do not know, or fields that do not read as its name says
  };
  Kind kind;
  bool fails;  // false: a warning
  std::uint64_t entry;
  RegisterIndex pcr;
  std::string name;                     // of a violation it is only described
  std::string digest;                   // "sha256:…", empty if there is none
  std::optional<Timestamp> until = {};  // of kRetired: when the window closed
};
std::string_view to_string(Finding::Kind kind);  // "changed", "other-path"

inline constexpr std::size_t kMaxFindings = 1000;

struct Judgement {
  std::uint64_t entries = 0;
  std::uint64_t allowed = 0;
  std::uint64_t other_path = 0;
  std::uint64_t signed_files = 0;     // let through by their signature
  std::uint64_t boot_aggregates = 0;  // the first entry, and announced kexecs: check_boot() judges them
  std::uint64_t failed = 0;
  std::uint64_t tolerated_violations = 0;
  // How many entries each exclude let through, which nothing else did; in the order of Policy::excludes.
  std::vector<std::uint64_t> excluded;
  std::vector<bool> required_seen;  // in the order of Policy::required
  std::vector<Finding> findings;    // the first kMaxFindings

  bool is_good() const { return failed == 0; }
  // 0 to 1: the part of the entries that the exclude let through.
  double share_of(std::size_t exclude) const;
};

// Judges what a quote proved, and only that (I11). It is a function of both: to judge again under another policy, like
// one that withdraws a digest (I14), give it the same list.
// `announced_kexecs`: since the machine was reset. Entry 1 may be a boot_aggregate, and so many more of the whole list;
// any further entry of that name is judged as a file.
// `now`: which windows of the policy are closed; unless said, all are.
Judgement judge(const MeasuredList& measured, const Policy& policy, std::uint64_t announced_kexecs = 0,
                Timestamp now = AllowList::kAfterAllWindows);

}  // namespace warifu::measured_boot::ima
