#include "measured_boot/ima/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace warifu::measured_boot::ima {
namespace {

using Verdict = AllowList::Verdict;

// What is asked of the allow list and not yet answered: how many questions lie between two steps of one.
constexpr std::size_t kAhead = 8;

// One pass over a list.
class Judge {
 public:
  // `views_stay`: names and digests of entries may be kept for later. `kexecs`: boot aggregates still to be let through
  // after the first entry.
  Judge(const Policy& policy, bool views_stay, std::uint64_t kexecs, Timestamp now)
      : policy_(policy), now_(now), ahead_(views_stay && !looks_at_signatures() ? kAhead : 0), kexecs_(kexecs) {
    result_.excluded.resize(policy.excludes.size());
    result_.required_seen.resize(policy.required.size());
  }

  void operator()(const ProvedEntry& entry) {
    ++result_.entries;
    const auto name = entry.name();
    const auto digest = entry.digest();
    if (!name || !digest)
      return add(Finding::Kind::kUnreadable, true, {entry.number(), entry.pcr(), name.value_or(""), digest});
    if (*name == kBootAggregate && is_of_a_boot(entry.number())) {
      ++result_.boot_aggregates;
      return;
    }
    pending_[asked_ % pending_.size()] = {{entry.number(), entry.pcr(), *name, digest},
                                          policy_.files.prepare(*name, *digest)};
    ++asked_;
    current_ = &entry;
    step();
  }

  void operator()(const ProvedViolation& violation) {
    ++result_.entries;
    const auto name = violation.described_name();
    const bool is_tolerated = name && std::ranges::any_of(policy_.tolerated_violations, [&](const Exclude& exclude) {
                                return exclude.covers(*name);
                              });
    if (is_tolerated) ++result_.tolerated_violations;
    add(Finding::Kind::kViolation, !is_tolerated && policy_.violations == Policy::Violations::kFail,
        {violation.number(), violation.pcr(), name.value_or(""), std::nullopt});
  }

  // In the order of the list: what is found late is told where it stands.
  Judgement take() {
    ahead_ = 0;
    while (answered_ != asked_)
      step();
    std::ranges::stable_sort(result_.findings, {}, &Finding::entry);
    return std::move(result_);
  }

 private:
  struct Subject {
    std::uint64_t number = 0;
    RegisterIndex pcr = 0;
    std::string_view name;
    std::optional<FileDigest> digest;
  };
  struct Pending {
    Subject subject;
    AllowList::Question question;
  };

  // Fetches for one question and answers one, each as far behind the newest as it may be.
  void step() {
    if (fetched_ != asked_ && asked_ - fetched_ > ahead_)
      policy_.files.fetch(pending_[fetched_++ % pending_.size()].question);
    if (answered_ != fetched_ && asked_ - answered_ > 2 * ahead_) answer(pending_[answered_++ % pending_.size()]);
  }

  // A file may be called like that too: where its path is too long, the kernel measures its last part.
  bool is_of_a_boot(std::uint64_t number) {
    if (number == 1) return true;
    if (kexecs_ == 0) return false;
    --kexecs_;
    return true;
  }

  bool looks_at_signatures() const { return policy_.signatures != Policy::Signatures::kIgnore; }

  // Only while nothing is asked ahead: `current_` is the entry that is answered.
  bool is_signed() const { return judge_signature(*current_, policy_.keyring).is_valid(); }

  // What was measured from a buffer is its own proof of that: the buffer stands in the entry.
  bool is_buffer(const FileDigest& digest) const {
    const ByteView* buffer = current_->field(FieldId::kBuffer);
    const auto algorithm = digest.known_algorithm();
    return buffer != nullptr && algorithm &&
           std::ranges::equal(crypto::digest(*algorithm, {*buffer}).bytes(), digest.bytes);
  }

  // True if the signature decides.
  bool answer_by_signature(const Subject& subject, Verdict verdict) {
    const bool is_required = policy_.signatures == Policy::Signatures::kRequire && !is_buffer(*subject.digest);
    if (verdict == Verdict::kWithdrawn || verdict == Verdict::kRetired ||
        (verdict == Verdict::kAllowed && !is_required))
      return false;
    if (is_signed()) {
      if (verdict == Verdict::kAllowed) return false;
      ++result_.signed_files;
      return true;
    }
    if (is_required) add(Finding::Kind::kNotSigned, true, subject);
    return is_required;
  }

  void answer(const Pending& pending) {
    const Subject& subject = pending.subject;
    const Verdict verdict = policy_.files.judge(pending.question, now_);
    if (looks_at_signatures() && answer_by_signature(subject, verdict)) return;
    switch (verdict) {
      case Verdict::kAllowed:
        ++result_.allowed;
        return see(subject.name);
      case Verdict::kOtherPath:
        ++result_.other_path;
        if (!policy_.allow_other_paths) add(Finding::Kind::kOtherPath, true, subject);
        return;
      case Verdict::kChanged:
        return add(Finding::Kind::kChanged, true, subject);
      case Verdict::kWithdrawn:
        return add(Finding::Kind::kWithdrawn, true, subject);
      case Verdict::kRetired:
        return add(Finding::Kind::kRetired, true, subject);
      case Verdict::kUnknown:
        if (!exclude(subject.name)) add(Finding::Kind::kUnknown, true, subject);
        return;
    }
  }

  void add(Finding::Kind kind, bool fails, const Subject& subject) {
    result_.failed += fails ? 1U : 0U;
    if (result_.findings.size() == kMaxFindings) return;
    const auto& digest = subject.digest;
    result_.findings.push_back({kind, fails, subject.number, subject.pcr, std::string(subject.name),
                                digest ? fmt::format("{}:{}", digest->algorithm, to_hex(digest->bytes)) : ""});
    if (kind == Finding::Kind::kRetired) result_.findings.back().until = policy_.files.end_of(*digest);
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
  const Timestamp now_;
  std::size_t ahead_;
  std::uint64_t kexecs_;
  const ProvedEntry* current_ = nullptr;
  std::array<Pending, 2 * kAhead + 1> pending_;
  std::size_t asked_ = 0;
  std::size_t fetched_ = 0;
  std::size_t answered_ = 0;
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
    case Finding::Kind::kRetired:
      return "retired";
    case Finding::Kind::kOtherPath:
      return "other-path";
    case Finding::Kind::kViolation:
      return "violation";
    case Finding::Kind::kNotSigned:
      return "not-signed";
    case Finding::Kind::kUnreadable:
      return "unreadable";
  }
  std::abort();
}

double Judgement::share_of(std::size_t exclude) const {
  return entries == 0 ? 0 : static_cast<double>(excluded[exclude]) / static_cast<double>(entries);
}

Judgement judge(const MeasuredList& measured, const Policy& policy, std::uint64_t announced_kexecs, Timestamp now) {
  MeasuredReader reader(measured);
  const std::uint64_t seen = std::max<std::uint64_t>(measured.earlier_boot_aggregates(), 1) - 1;
  Judge judge_one(policy, reader.views_stay(), announced_kexecs - std::min(announced_kexecs, seen), now);
  while (const auto entry = reader.next())
    std::visit(judge_one, *entry);
  return judge_one.take();
}

}  // namespace warifu::measured_boot::ima
