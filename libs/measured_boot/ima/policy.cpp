#include "measured_boot/ima/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace warifu::measured_boot::ima {
namespace {

using Verdict = AllowList::Verdict;

// One pass over a list.
class Judge {
 public:
  explicit Judge(const Policy& policy) : policy_(policy) {
    result_.excluded.resize(policy.excludes.size());
    result_.required_seen.resize(policy.required.size());
  }

  void operator()(const ProvedEntry& entry) {
    ++result_.entries;
    const auto name = entry.name();
    const auto digest = entry.digest();
    if (!name || !digest) return add(Finding::Kind::kUnreadable, true, entry, name, digest);
    if (*name == kBootAggregate) {
      ++result_.boot_aggregates;
      return;
    }
    switch (policy_.files.judge(*name, *digest)) {
      case Verdict::kAllowed:
        ++result_.allowed;
        return see(*name);
      case Verdict::kOtherPath:
        ++result_.other_path;
        if (!policy_.allow_other_paths) add(Finding::Kind::kOtherPath, true, entry, name, digest);
        return;
      case Verdict::kChanged:
        return add(Finding::Kind::kChanged, true, entry, name, digest);
      case Verdict::kWithdrawn:
        return add(Finding::Kind::kWithdrawn, true, entry, name, digest);
      case Verdict::kUnknown:
        if (!exclude(*name)) add(Finding::Kind::kUnknown, true, entry, name, digest);
        return;
    }
  }

  void operator()(const ProvedViolation& violation) {
    ++result_.entries;
    const auto name = violation.described_name();
    const bool is_tolerated = name && std::ranges::any_of(policy_.tolerated_violations, [&](const Exclude& exclude) {
                                return exclude.covers(*name);
                              });
    if (is_tolerated) ++result_.tolerated_violations;
    add(Finding::Kind::kViolation, !is_tolerated && policy_.violations == Policy::Violations::kFail, violation, name,
        std::nullopt);
  }

  Judgement take() { return std::move(result_); }

 private:
  template <class AnyEntry>
  void add(Finding::Kind kind, bool fails, const AnyEntry& entry, std::optional<std::string_view> name,
           const std::optional<FileDigest>& digest) {
    result_.failed += fails ? 1U : 0U;
    if (result_.findings.size() == kMaxFindings) return;
    result_.findings.push_back({kind, fails, entry.number(), entry.pcr(), std::string(name.value_or("")),
                                digest ? fmt::format("{}:{}", digest->algorithm, to_hex(digest->bytes)) : ""});
  }

  bool exclude(std::string_view name) {
    for (std::size_t i = 0; i < policy_.excludes.size(); ++i) {
      if (!policy_.excludes[i].covers(name)) continue;
      ++result_.excluded[i];
      return true;
    }
    return false;
  }

  void see(std::string_view name) {
    for (std::size_t i = 0; i < policy_.required.size(); ++i)
      if (policy_.required[i] == name) result_.required_seen[i] = true;
  }

  const Policy& policy_;
  Judgement result_;
};

}  // namespace

Result<Exclude> Exclude::parse(std::string_view text) {
  const bool is_taken = text.size() > 1 && text.starts_with('/') && text.find('*') == std::string_view::npos &&
                        text.find("//") == std::string_view::npos && text.find("/../") == std::string_view::npos &&
                        !text.ends_with("/..");
  if (!is_taken)
    return invalid_input(
        "ima.policy.exclude",
        "expected an absolute path, or a folder with / at its end, below the root; patterns and .. are "
        "not taken",
        std::string(text));
  return Exclude(text);
}

std::string_view to_string(Finding::Kind kind) {
  switch (kind) {
    case Finding::Kind::kChanged:
      return "changed";
    case Finding::Kind::kUnknown:
      return "unknown";
    case Finding::Kind::kWithdrawn:
      return "withdrawn";
    case Finding::Kind::kOtherPath:
      return "other-path";
    case Finding::Kind::kViolation:
      return "violation";
    case Finding::Kind::kUnreadable:
      return "unreadable";
  }
  std::abort();
}

double Judgement::share_of(std::size_t exclude) const {
  return entries == 0 ? 0 : static_cast<double>(excluded[exclude]) / static_cast<double>(entries);
}

Judgement judge(const MeasuredList& measured, const Policy& policy) {
  Judge judge_one(policy);
  MeasuredReader reader(measured);
  while (const auto entry = reader.next())
    std::visit(judge_one, *entry);
  return judge_one.take();
}

}  // namespace warifu::measured_boot::ima
