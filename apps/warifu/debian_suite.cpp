#include "warifu/debian_suite.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>

#include "debian_packages/archive.h"
#include "process/child.h"
#include "warifu/evidence_file.h"

namespace warifu::cli {
namespace {

namespace fs = std::filesystem;
using namespace debian_packages;

constexpr std::size_t kReleaseSizeMax = std::size_t{16} << 20;
// Of all of Debian: 50 MiB unpacked.
constexpr std::size_t kIndexSizeMax = std::size_t{1} << 30;
constexpr std::array<std::string_view, 3> kCompressions = {".xz", ".gz", ""};

Result<std::string> find_gpgv() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/bin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::error_code error;
    const fs::path program = fs::path(folder) / "gpgv";
    if (!folder.empty() && fs::is_regular_file(program, error)) return program.string();
  }
  return Error{ErrorKind::kUnavailable, "debian.gpgv",
               "gpgv is not there, and without it no signature can be checked: apt-get install gpgv", "PATH"};
}

// What was signed, and nothing that stands around it: gpgv writes it.
Result<std::string> verified_text(const fs::path& in_release, const SuiteOptions& options, const fs::path& text,
                                  const std::string& where) {
  TRY(const auto gpgv, find_gpgv());
  std::error_code error;
  if (!fs::is_regular_file(options.keyring, error))
    return invalid_input("debian.keyring",
                         "there is no such keyring: apt-get install debian-archive-keyring, or --keyring",
                         options.keyring);
  // A name without a slash would be one of the user's own keyrings.
  TRY(const int code, process::run({gpgv, "--quiet", "--keyring", fs::absolute(options.keyring).string(), "--output",
                                    text.string(), in_release.string()}));
  if (code != 0)
    return refused(
        "debian.signature",
        fmt::format("gpgv does not find good signatures of keys in {} only (exit {})", options.keyring, code), where);
  TRY(const Bytes content, read_evidence(text.string(), kReleaseSizeMax));
  return std::string(as_text(content));
}

Status check_release(const Release& release, const SuiteOptions& options, const std::string& where) {
  if (release.suite != options.suite && release.codename != options.suite)
    return refused("debian.release",
                   fmt::format("expected the suite {}, and this one is \"{}\" or \"{}\"", options.suite, release.suite,
                               release.codename),
                   where);
  if (!options.ignores_valid_until && release.valid_until && *release.valid_until < options.now)
    return refused("debian.expired",
                   fmt::format("it was valid until {}: the mirror is old, or somebody holds updates back; "
                               "--ignore-valid-until for archives of the past",
                               to_rfc3339(*release.valid_until)),
                   where);
  return {};
}

Result<Release> read_release(const DebianMirror& mirror, const SuiteOptions& options, const Workspace& workspace) {
  const std::string path = fmt::format("dists/{}/InRelease", options.suite);
  const std::string where = fmt::format("{}/{}", mirror.address(), path);
  const fs::path in_release = workspace.path() / "InRelease";
  const fs::path text = workspace.path() / "Release";
  std::error_code ignored;
  fs::remove(text, ignored);  // that of another suite
  TRY_STATUS(mirror.fetch(path, in_release, kReleaseSizeMax));
  TRY(const auto signed_text, verified_text(in_release, options, text, where));
  TRY(auto release, parse_release(signed_text));
  TRY_STATUS(check_release(release, options, where));
  return release;
}

Result<std::vector<Package>> read_index(const DebianMirror& mirror, const std::string& suite, const IndexedFile& index,
                                        const Workspace& workspace) {
  const fs::path file = workspace.path() / "Packages";
  const std::string path = fmt::format("dists/{}/{}", suite, index.path);
  TRY_STATUS(fetch_checked(mirror, path, index, file));
  TRY(const auto text, decompressed({.name = path, .file = file.string()}, kIndexSizeMax));
  return parse_packages(text, path);
}

}  // namespace

Result<Workspace> Workspace::make() {
  std::error_code error;
  std::string pattern = (fs::temp_directory_path(error) / "warifu-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr)
    return Error{ErrorKind::kUnavailable, "file.write", "no folder can be made for what is fetched", pattern};
  return Workspace(pattern);
}

Workspace::~Workspace() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

Status fetch_checked(const DebianMirror& mirror, const std::string& path, const IndexedFile& expected,
                     const fs::path& to) {
  TRY(const auto fetched, mirror.fetch(path, to, expected.size));
  if (fetched.size == expected.size && fetched.sha256 == expected.sha256) return {};
  return refused("debian.digest",
                 fmt::format("expected {} bytes with the SHA-256 {}, {} with {} came", expected.size,
                             to_hex(expected.sha256.bytes()), fetched.size, to_hex(fetched.sha256.bytes())),
                 fmt::format("{}/{}", mirror.address(), path));
}

Result<std::vector<Package>> read_suite(const DebianMirror& mirror, const SuiteOptions& options,
                                        const Workspace& workspace) {
  TRY(const auto release, read_release(mirror, options, workspace));
  std::vector<Package> packages;
  for (const auto& component : options.components) {
    for (const auto& architecture : options.architectures) {
      const IndexedFile* index = nullptr;
      for (const auto ending : kCompressions)
        if (index == nullptr)
          index = release.find(fmt::format("{}/binary-{}/Packages{}", component, architecture, ending));
      if (index == nullptr)
        return refused("debian.release", fmt::format("it has no packages of {} for {}", component, architecture),
                       fmt::format("{}/dists/{}", mirror.address(), options.suite));
      TRY(auto read, read_index(mirror, options.suite, *index, workspace));
      std::ranges::move(read, std::back_inserter(packages));
    }
  }
  return packages;
}

}  // namespace warifu::cli
