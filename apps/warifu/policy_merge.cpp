#include "warifu/policy_merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <unordered_set>

#include "attestation/appraisal/policy_file.h"
#include "base/place.h"
#include "warifu/policy_lists.h"
#include "warifu/policy_text.h"
#include "warifu/time_option.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;
using Digests = std::unordered_set<std::string_view>;

struct ReadPolicyFile {
  std::string name;
  json::object policy;
};

Error conflict(std::string what, std::string where) {
  return invalid_input("policy.merge", std::move(what), std::move(where));
}

Result<ReadPolicyFile> read_policy_file(const std::string& file) {
  TRY(const auto text, read_policy_text(file));
  const auto parsed = attestation::parse_evidence_policy(text);
  if (!parsed) return at(parsed.error(), file);
  TRY(auto value, wire::parse_json(text, {.max_bytes = attestation::kPolicySizeMax}));
  return ReadPolicyFile{file == "-" ? "standard input" : file, std::move(value.as_object())};
}

// What is said beside lists of files must be said by the base, word for word.
Status check_members(const json::object& base, const json::object& other, const std::string& where) {
  for (const auto& [name, value] : other) {
    if (value.is_null() || name == "ima" || name == "files" || name == "retiring") continue;
    const auto* same = base.if_contains(name);
    if (same != nullptr && *same == value) continue;
    return conflict(same == nullptr ? "the first policy does not say this, and all but files is taken from it"
                                    : "the first policy says something else, and all but files is taken from it",
                    fmt::format("{}{}", where, std::string_view(name)));
  }
  return {};
}

const json::object& ima_of(const json::object& policy) {
  static const json::object kNone;
  const auto* ima = policy.if_contains("ima");
  return ima != nullptr && ima->is_object() ? ima->get_object() : kNone;
}

Status check_rest(const ReadPolicyFile& base, const ReadPolicyFile& other) {
  TRY_STATUS(check_members(base.policy, other.policy, other.name + ": "));
  return check_members(ima_of(base.policy), ima_of(other.policy), other.name + ": ima.");
}

Digests digests_of(const std::vector<AllowedFile>& files) {
  Digests digests;
  for (const auto& file : files)
    digests.insert(file.digest);
  return digests;
}

// One policy of several.
class Merge {
 public:
  explicit Merge(std::vector<ReadPolicyFile> policies) : policies_(std::move(policies)) {}

  // `until`: when that ends which the first one alone allows; nullopt: never.
  Status run(std::optional<Timestamp> until) {
    for (std::size_t i = 1; i < policies_.size(); ++i)
      TRY_STATUS(check_rest(policies_[0], policies_[i]));
    read_lists(policies_[0].policy, 0, old_);
    for (std::size_t i = 1; i < policies_.size(); ++i)
      read_lists(policies_[i].policy, static_cast<std::uint32_t>(i), new_);
    TRY_STATUS(check_withdrawn());
    if (until)
      retire(*until);
    else
      unite();
    sort_unique(merged_.files);
    for (auto& [time, files] : merged_.retiring)
      sort_unique(files);
    std::erase_if(merged_.retiring, [](const auto& window) { return window.second.empty(); });
    return check_ends();
  }

  const PolicyLists& merged() const { return merged_; }
  const json::object& rest() const { return policies_[0].policy; }
  std::size_t retired() const { return retired_; }
  // Paths that only the first policy has: they are not of what was updated, or are gone with the update.
  std::size_t paths_of_old_alone() const { return paths_of_old_alone_; }

 private:
  std::string place_of(const AllowedFile& file) const {
    return fmt::format("{}: {}, {}", policies_[file.source].name, file.path, file.digest);
  }

  Status check_withdrawn() const {
    TRY_STATUS(check_withdrawn(new_.files));
    for (const auto& [time, files] : new_.retiring)
      TRY_STATUS(check_withdrawn(files));
    return {};
  }
  Status check_withdrawn(const std::vector<AllowedFile>& files) const {
    for (const auto& file : files)
      if (old_.withdrawn.contains(file.digest))
        return conflict("the first policy withdraws this digest", place_of(file));
    return {};
  }

  void unite() {
    merged_ = old_;
    merged_.files.insert(merged_.files.end(), new_.files.begin(), new_.files.end());
    add_windows(new_.retiring);
  }

  void add_windows(const std::map<Timestamp, std::vector<AllowedFile>>& windows) {
    for (const auto& [time, files] : windows) {
      auto& all = merged_.retiring[time];
      all.insert(all.end(), files.begin(), files.end());
    }
  }

  void retire(Timestamp until) {
    merged_.files = new_.files;
    add_windows(new_.retiring);
    const Digests stays = digests_of(new_.files);
    std::map<std::string_view, Timestamp> ends;
    for (const auto& [time, files] : new_.retiring)
      for (const auto& file : files)
        ends.emplace(file.digest, time);
    // What was good until a time may be good again; what ended or will end otherwise keeps its end.
    for (const auto& [time, files] : old_.retiring)
      for (const auto& file : files)
        place(file, stays, ends, time);
    for (const auto& file : old_.files)
      if (place(file, stays, ends, until)) ++retired_;
    count_paths();
  }

  // Whether it is good until `until` only.
  bool place(const AllowedFile& file, const Digests& stays, const std::map<std::string_view, Timestamp>& ends,
             Timestamp until) {
    if (stays.contains(file.digest)) {
      merged_.files.push_back(file);
      return false;
    }
    const auto end = ends.find(file.digest);
    merged_.retiring[end == ends.end() ? until : end->second].push_back(file);
    return end == ends.end();
  }

  void count_paths() {
    std::unordered_set<std::string_view> known;
    for (const auto& file : new_.files)
      known.insert(file.path);
    std::unordered_set<std::string_view> alone;
    for (const auto& file : old_.files)
      if (!known.contains(file.path)) alone.insert(file.path);
    paths_of_old_alone_ = alone.size();
  }

  // As parse_evidence_policy() wants it: a digest that has an end has one, under all its paths.
  Status check_ends() const {
    const Digests good = digests_of(merged_.files);
    std::map<std::string_view, Timestamp> ends;
    for (const auto& [time, files] : merged_.retiring) {
      for (const auto& file : files) {
        if (good.contains(file.digest)) return conflict("another policy allows this digest for ever", place_of(file));
        if (const auto [other, is_new] = ends.emplace(file.digest, time); !is_new && other->second != time)
          return conflict(fmt::format("it is good until {} here, and until {} elsewhere", to_rfc3339(time),
                                      to_rfc3339(other->second)),
                          place_of(file));
      }
    }
    return {};
  }

  std::vector<ReadPolicyFile> policies_;
  PolicyLists old_;
  PolicyLists new_;
  PolicyLists merged_;
  std::size_t retired_ = 0;
  std::size_t paths_of_old_alone_ = 0;
};

Result<std::optional<Timestamp>> end_of_window(const PolicyMergeOptions& options) {
  const Timestamp now = SystemClock().now();
  if (!options.retire_old_after.empty()) {
    TRY(const auto duration, duration_of(options.retire_old_after, "--retire-old-after"));
    // Whole seconds: people read and compare them.
    return std::optional<Timestamp>(std::chrono::floor<std::chrono::seconds>(now) + duration);
  }
  if (options.until.empty()) return std::optional<Timestamp>();
  TRY(const auto until, time_of(options.until, "--until"));
  if (until <= now)
    return invalid_input("option.time", "it has passed: everybody who did not update would fail at once", "--until");
  return std::optional<Timestamp>(until);
}

}  // namespace

Status merge_policies(const Context&, const PolicyMergeOptions& options) {
  TRY(const auto until, end_of_window(options));
  std::vector<ReadPolicyFile> policies;
  TRY(policies.emplace_back(), read_policy_file(options.base));
  for (const auto& file : options.files) {
    TRY(policies.emplace_back(), read_policy_file(file));
  }
  Merge merge(std::move(policies));
  TRY_STATUS(merge.run(until));
  TRY_STATUS(write_policy(merge.rest(), merge.merged(), stdout));
  if (until)
    fmt::print(stderr,
               "{} pairs of path and digest that only {} allows are good until {}; {} paths are in it alone\n"
               "ask who would fail then: warifu policy test --at {} …\n",
               merge.retired(), options.base, to_rfc3339(*until), merge.paths_of_old_alone(), to_rfc3339(*until));
  return {};
}

}  // namespace warifu::cli
