#include "warifu/policy_allow_list.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <filesystem>
#include <map>
#include <set>

#include "attestation/appraisal/policy_file.h"
#include "debian_packages/deb.h"
#include "warifu/debian_suite.h"
#include "warifu/evidence_file.h"
#include "warifu/policy_lists.h"

namespace warifu::cli {
namespace {

namespace fs = std::filesystem;
using namespace debian_packages;

constexpr std::uint64_t kDebSizeMax = std::uint64_t{4} << 30;
constexpr std::size_t kDpkgStatusSizeMax = std::size_t{256} << 20;
// What the server takes; a policy that is judged without one may be larger.
constexpr std::size_t kServerPolicySizeMax = std::size_t{16} << 20;
constexpr std::size_t kToldMissingMax = 20;
// Quotation marks, brackets and names of members around a path and its digest.
constexpr std::size_t kAroundAFile = 40;

// A package and the suite in which it is.
struct FoundPackage {
  Package package;
  const DebianMirror* mirror = nullptr;
};

std::string name_of(const Package& package) {
  return fmt::format("{}_{}_{}.deb", package.name, package.version, package.architecture);
}

class AllowListMaker {
 public:
  explicit AllowListMaker(const AllowListOptions& options) : options_(options) {}

  Status run() {
    for (const auto& deb : options_.debs)
      TRY_STATUS(add_deb(deb, fs::path(deb).filename().string()));
    if (!options_.suites.empty()) {
      TRY_STATUS(add_packages());
    }
    return {};
  }
  PolicyLists take() {
    sort_unique(lists_.files);
    return std::move(lists_);
  }
  std::size_t size() const { return size_; }

 private:
  Status add_deb(const std::string& file, const std::string& name) {
    std::error_code error;
    const auto size = fs::file_size(file, error);
    if (error) return invalid_input("file.read", "it could not be read", file);
    if (size > kDebSizeMax)
      return invalid_input("deb.size", fmt::format("it has more than {} bytes", kDebSizeMax), name);
    const FileLayout layout = options_.unmerged_usr ? FileLayout::kAsPacked : FileLayout::kMergedUsr;
    TRY(const auto files, read_deb({.name = name, .file = file}, layout));
    for (const auto& packaged : files) {
      AllowedFile allowed{packaged.path, fmt::format("sha256:{}", to_hex(packaged.sha256.bytes()))};
      size_ += allowed.path.size() + allowed.digest.size() + kAroundAFile;
      lists_.files.push_back(std::move(allowed));
    }
    if (size_ > attestation::kPolicySizeMax)
      return invalid_input("policy.size", fmt::format("it would have more than {} bytes", attestation::kPolicySizeMax),
                           name);
    if (!options_.quiet) fmt::print(stderr, "{}: {} files\n", name, files.size());
    return {};
  }

  Status add_packages() {
    TRY(const auto workspace, Workspace::make());
    TRY_STATUS(read_installed());
    TRY_STATUS(read_suites(workspace));
    TRY(const auto chosen, choose());
    std::size_t number = 0;
    for (const FoundPackage* found : chosen) {
      if (!options_.quiet) fmt::print(stderr, "[{}/{}] ", ++number, chosen.size());
      TRY_STATUS(add_package(*found, workspace));
    }
    return {};
  }

  Status read_installed() {
    if (options_.dpkg_status.empty()) return {};
    TRY(const Bytes text, read_evidence(options_.dpkg_status, kDpkgStatusSizeMax));
    TRY(installed_, parse_dpkg_status(as_text(text), options_.dpkg_status));
    return {};
  }

  std::vector<std::string> architectures() const {
    if (!options_.architectures.empty()) return options_.architectures;
    std::set<std::string> known;
    for (const auto& package : installed_)
      if (package.architecture != "all") known.insert(package.architecture);
    if (known.empty()) known.insert("amd64");
    return {known.begin(), known.end()};
  }

  Status read_suites(const Workspace& workspace) {
    if (options_.mirrors.size() != 1 && options_.mirrors.size() != options_.suites.size())
      return invalid_input("debian.mirror", "expected one --mirror for all suites, or one for each --suite",
                           "--mirror");
    for (const auto& address : options_.mirrors) {
      TRY(auto mirror, DebianMirror::of(address));
      mirrors_.push_back(std::move(mirror));
    }
    SuiteOptions suite{
        .suite = {},
        .components = options_.components.empty() ? std::vector<std::string>{"main"} : options_.components,
        .architectures = architectures(),
        .keyring = options_.keyring,
        .now = SystemClock().now(),
        .ignores_valid_until = options_.ignore_valid_until};
    for (std::size_t i = 0; i < options_.suites.size(); ++i) {
      suite.suite = options_.suites[i];
      const DebianMirror& mirror = mirrors_[mirrors_.size() == 1 ? 0 : i];
      TRY(auto packages, read_suite(mirror, suite, workspace));
      if (!options_.quiet) fmt::print(stderr, "{} {}: {} packages\n", mirror.address(), suite.suite, packages.size());
      for (auto& package : packages)
        found_.push_back({std::move(package), &mirror});
    }
    return {};
  }

  // What was asked for, each file once: a package may be in several suites.
  Result<std::vector<const FoundPackage*>> choose() const {
    std::multimap<std::string_view, const FoundPackage*> by_name;
    for (const auto& found : found_)
      by_name.emplace(found.package.name, &found);
    std::vector<std::string> missing;
    std::map<std::string_view, const FoundPackage*> chosen;
    const auto choose_some = [&](const std::string& asked, std::string_view name, const auto& is_it) {
      const auto [begin, end] = by_name.equal_range(name);
      bool is_found = false;
      for (auto at = begin; at != end; ++at) {
        if (!is_it(at->second->package)) continue;
        is_found = true;
        chosen.emplace(as_text(at->second->package.deb.sha256.bytes()), at->second);
      }
      if (!is_found) missing.push_back(asked);
    };
    for (const auto& asked : options_.packages) {
      const auto equals = asked.find('=');
      const std::string_view version = equals == std::string::npos ? "" : std::string_view(asked).substr(equals + 1);
      choose_some(asked, std::string_view(asked).substr(0, equals),
                  [&](const Package& package) { return version.empty() || package.version == version; });
    }
    for (const auto& installed : installed_)
      choose_some(fmt::format("{}={} ({})", installed.name, installed.version, installed.architecture), installed.name,
                  [&](const Package& package) {
                    return package.version == installed.version && package.architecture == installed.architecture;
                  });
    TRY_STATUS(check_missing(missing));
    std::vector<const FoundPackage*> all;
    all.reserve(chosen.size());
    for (const auto& [digest, found] : chosen)
      all.push_back(found);
    std::ranges::sort(all, {},
                      [](const FoundPackage* found) { return std::tie(found->package.name, found->package.version); });
    return all;
  }

  Status check_missing(const std::vector<std::string>& missing) const {
    if (missing.empty()) return {};
    const std::vector<std::string> told(
        missing.begin(), missing.begin() + static_cast<std::ptrdiff_t>(std::min(missing.size(), kToldMissingMax)));
    const std::string names = fmt::format("{} packages are in none of the suites: {}{}", missing.size(),
                                          fmt::join(told, ", "), told.size() < missing.size() ? ", …" : "");
    if (!options_.skip_missing)
      return refused("debian.missing",
                     names + "; name the suites of updates and of security too, give their .deb, or --skip-missing");
    fmt::print(stderr, "warning: {}: their files will be unknown\n", names);
    return {};
  }

  Status add_package(const FoundPackage& found, const Workspace& workspace) {
    const Package& package = found.package;
    const std::string name = name_of(package);
    if (package.deb.size > kDebSizeMax)
      return invalid_input("deb.size", fmt::format("it has more than {} bytes", kDebSizeMax), name);
    // Nobody else has the workspace: what is unpacked there is what was hashed.
    const fs::path file = workspace.path() / "package.deb";
    if (!take_from_cache(package.deb, file)) {
      TRY_STATUS(fetch_checked(*found.mirror, package.deb.path, package.deb, file));
      TRY_STATUS(keep_in_cache(file, package.deb));
    }
    return add_deb(file.string(), name);
  }

  static std::string cached_name(const IndexedFile& deb) { return to_hex(deb.sha256.bytes()) + ".deb"; }

  // A cache is believed no more than a mirror, and is one.
  bool take_from_cache(const IndexedFile& deb, const fs::path& to) const {
    if (options_.cache.empty()) return false;
    std::error_code error;
    const auto cache = DebianMirror::of(fs::absolute(options_.cache, error).string());
    return !error && cache && fetch_checked(*cache, cached_name(deb), deb, to);
  }

  Status keep_in_cache(const fs::path& file, const IndexedFile& deb) const {
    if (options_.cache.empty()) return {};
    const fs::path kept = fs::path(options_.cache) / cached_name(deb);
    const fs::path part = kept.string() + ".part";
    std::error_code error;
    fs::copy_file(file, part, fs::copy_options::overwrite_existing, error);
    if (!error) fs::rename(part, kept, error);
    if (error) return Error{ErrorKind::kUnavailable, "file.write", error.message(), kept.string()};
    return {};
  }

  const AllowListOptions& options_;
  PolicyLists lists_;
  std::size_t size_ = 0;
  std::vector<InstalledPackage> installed_;
  std::vector<DebianMirror> mirrors_;
  std::vector<FoundPackage> found_;
};

Status check(const AllowListOptions& options) {
  const bool names_packages = !options.packages.empty() || !options.dpkg_status.empty();
  if (options.debs.empty() && options.suites.empty())
    return invalid_input("debian.packages",
                         "expected .deb files, or --mirror and --suite with --package or --dpkg-status");
  if (options.suites.empty() != options.mirrors.empty())
    return invalid_input("debian.mirror", "expected --mirror and --suite together");
  if (!options.suites.empty() != names_packages)
    return invalid_input("debian.packages", "expected --package or --dpkg-status exactly where a suite is named");
  return {};
}

}  // namespace

Status print_allow_list(const Context&, const AllowListOptions& options) {
  TRY_STATUS(check(options));
  AllowListMaker maker(options);
  TRY_STATUS(maker.run());
  const auto lists = maker.take();
  boost::json::object rest;
  rest["format"] = "warifu.evidence-policy.v1";
  TRY_STATUS(write_policy(rest, lists, stdout));
  if (options.quiet) return {};
  fmt::print(stderr, "{} pairs of path and digest\n", lists.files.size());
  if (maker.size() > kServerPolicySizeMax)
    fmt::print(stderr, "warning: it is larger than what the server takes (16 MiB): name fewer packages\n");
  return {};
}

}  // namespace warifu::cli
