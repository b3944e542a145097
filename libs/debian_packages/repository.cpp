#include "debian_packages/repository.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "debian_packages/stanza.h"

namespace warifu::debian_packages {
namespace {

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// What is appended to the address of a mirror stays below it.
bool is_below(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.back() == '/') return false;
  while (true) {
    const auto slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    const bool is_plain = std::ranges::all_of(part, [](char c) { return c > ' ' && c < 0x7f && c != '\\'; });
    if (part.empty() || part == "." || part == ".." || !is_plain) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

Result<IndexedFile> indexed(std::string_view path, std::string_view size, std::string_view sha256,
                            const std::string& where) {
  const auto bytes = number_of(size);
  const auto digest = from_hex(sha256);
  IndexedFile file{.path = std::string(path), .size = bytes.value_or(0)};
  if (!bytes || !digest || digest->size() != file.sha256.size())
    return invalid_input("debian.index", "expected a size and a SHA-256", where);
  if (!is_below(path))
    return invalid_input("debian.path", fmt::format("expected a path below the mirror, \"{}\" came", path), where);
  std::ranges::copy(*digest, file.sha256.writable().begin());
  return file;
}

Error bad_release(std::string what) {
  return invalid_input("debian.release", std::move(what), "Release");
}

// "Sat, 15 Nov 2026 09:52:17 UTC"
std::optional<Timestamp> parse_date(std::string_view text) {
  using namespace std::chrono;
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto words = words_of(text);
  if (words.size() != 6 || (words[5] != "UTC" && words[5] != "GMT" && words[5] != "+0000")) return std::nullopt;
  const auto month_name = std::ranges::find(kMonths, words[2]);
  const std::string_view time = words[4];
  if (month_name == kMonths.end() || time.size() != 8 || time[2] != ':' || time[5] != ':') return std::nullopt;
  const auto days = number_of(words[1]);
  const auto years = number_of(words[3]);
  const auto hour = number_of(time.substr(0, 2));
  const auto minute = number_of(time.substr(3, 2));
  const auto second = number_of(time.substr(6, 2));
  if (!days || *days > 31 || !years || *years > 9999 || !hour || *hour > 23 || !minute || *minute > 59 || !second ||
      *second > 60)
    return std::nullopt;
  const year_month_day date(year(static_cast<int>(*years)),
                            month(static_cast<unsigned>(month_name - kMonths.begin() + 1)),
                            day(static_cast<unsigned>(*days)));
  if (!date.ok()) return std::nullopt;
  return Timestamp(sys_days(date)) + hours(*hour) + minutes(*minute) + seconds(*second);
}

// A line for each: digest, size, path.
Status read_digests(std::string_view lines, std::vector<IndexedFile>& files) {
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    const auto words = words_of(lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (words.empty()) continue;
    if (words.size() != 3) return bad_release("expected a digest, a size and a path in each line of SHA256");
    TRY(auto file, indexed(words[2], words[1], words[0], "Release"));
    files.push_back(std::move(file));
  }
  return {};
}

}  // namespace

const IndexedFile* Release::find(std::string_view path) const {
  const auto found = std::ranges::find(files, path, &IndexedFile::path);
  return found == files.end() ? nullptr : &*found;
}

Result<Release> parse_release(std::string_view text) {
  StanzaReader reader(text, "Release");
  TRY(const auto stanza, reader.next());
  if (!stanza) return bad_release("it is empty");
  TRY(const auto more, reader.next());
  if (more) return bad_release("expected one paragraph");
  Release release;
  release.suite = stanza->find("Suite").value_or("");
  release.codename = stanza->find("Codename").value_or("");
  if (const auto until = stanza->find("Valid-Until")) {
    release.valid_until = parse_date(*until);
    if (!release.valid_until) return bad_release(fmt::format("Valid-Until: \"{}\" is no time in UTC", *until));
  }
  const auto digests = stanza->find("SHA256");
  if (!digests) return bad_release("it has no SHA256: older digests are not believed");
  TRY_STATUS(read_digests(*digests, release.files));
  return release;
}

Result<std::vector<Package>> parse_packages(std::string_view text, std::string_view name) {
  std::vector<Package> packages;
  StanzaReader reader(text, name);
  while (true) {
    TRY(const auto stanza, reader.next());
    if (!stanza) return packages;
    TRY(const auto package, stanza->required("Package"));
    TRY(const auto version, stanza->required("Version"));
    TRY(const auto architecture, stanza->required("Architecture"));
    TRY(const auto path, stanza->required("Filename"));
    TRY(const auto size, stanza->required("Size"));
    TRY(const auto sha256, stanza->required("SHA256"));
    TRY(auto deb, indexed(path, size, sha256, fmt::format("{}:{}", name, stanza->line())));
    packages.push_back({std::string(package), std::string(version), std::string(architecture), std::move(deb)});
  }
}

Result<std::vector<InstalledPackage>> parse_dpkg_status(std::string_view text, std::string_view name) {
  std::vector<InstalledPackage> packages;
  StanzaReader reader(text, name);
  while (true) {
    TRY(const auto stanza, reader.next());
    if (!stanza) return packages;
    TRY(const auto status, stanza->required("Status"));
    const auto words = words_of(status);
    if (words.size() != 3)
      return invalid_input("debian.index", "expected a Status of three words",
                           fmt::format("{}:{}", name, stanza->line()));
    // Of these there are no files, or those of the configuration alone, which are the device's own.
    if (words[2] == "not-installed" || words[2] == "config-files") continue;
    TRY(const auto package, stanza->required("Package"));
    TRY(const auto version, stanza->required("Version"));
    TRY(const auto architecture, stanza->required("Architecture"));
    packages.push_back({std::string(package), std::string(version), std::string(architecture)});
  }
}

}  // namespace warifu::debian_packages
