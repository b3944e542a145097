#include "debian_packages/deb.h"

#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

#include "crypto/digest_stream.h"
#include "wire/utf8.h"

namespace warifu::debian_packages {
namespace {

using crypto::Digest;

constexpr std::string_view kVersionMember = "debian-binary";
constexpr std::size_t kVersionSizeMax = 64;

// The first folder of a path that systems with a merged /usr have below /usr.
constexpr std::array<std::string_view, 6> kMergedFolders = {"bin", "sbin", "lib", "lib32", "lib64", "libx32"};

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = wire::utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// "usr/bin/bash" of "./usr/bin/bash"; empty for the root, nullopt for what leads elsewhere.
std::optional<std::string> plain_path(std::string_view name) {
  std::string path;
  if (name.starts_with('/')) return std::nullopt;
  while (!name.empty()) {
    const auto slash = std::min(name.find('/'), name.size());
    const std::string_view part = name.substr(0, slash);
    name.remove_prefix(std::min(slash + 1, name.size()));
    if (part == "..") return std::nullopt;
    if (part.empty() || part == ".") continue;
    if (!path.empty()) path += '/';
    path += part;
  }
  return path;
}

// As the kernel shows it.
std::string measured_path(std::string_view path, FileLayout layout) {
  const auto slash = path.find('/');
  const bool is_moved = layout == FileLayout::kMergedUsr && slash != std::string_view::npos &&
                        std::ranges::find(kMergedFolders, path.substr(0, slash)) != kMergedFolders.end();
  std::string measured = fmt::format("{}/{}", is_moved ? "/usr" : "", path);
  std::ranges::replace(measured, ' ', '_');
  return measured;
}

// data.tar of one package.
class DataReader {
 public:
  DataReader(Archive& archive, const DebLimits& limits) : archive_(archive), limits_(limits) {}

  Status run() {
    while (true) {
      TRY(archive_entry * entry, archive_.next());
      if (entry == nullptr) return {};
      if (++members_ > limits_.members) return too_large(fmt::format("more than {} members", limits_.members), "");
      TRY_STATUS(take(*entry));
    }
  }

  // Each path once, in their order in the package.
  std::vector<PackagedFile> files(FileLayout layout) const {
    std::vector<PackagedFile> files;
    for (const auto& path : order_)
      files.push_back({measured_path(path, layout), digests_.at(path)});
    return files;
  }

 private:
  std::string place(std::string_view member) const {
    return fmt::format("{}: {}", archive_.name(), wire::to_utf8(member));
  }
  Error bad_member(std::string what, std::string_view member) const {
    return invalid_input("deb.member", std::move(what), place(member));
  }
  Error too_large(std::string what, std::string_view member) const {
    return invalid_input("deb.size", std::move(what), place(member));
  }

  Result<std::string> path_of(const char* name, std::string_view member) const {
    const std::string_view text = name == nullptr ? "" : name;
    if (text.size() > limits_.path_size) return too_large("its path is too long", member.substr(0, 100));
    auto path = plain_path(text);
    if (name == nullptr || !path || !is_utf8(text))
      return bad_member("expected a path below the root, in UTF-8 and without ..", member);
    return *std::move(path);
  }

  Status take(archive_entry& entry) {
    const char* name = archive_entry_pathname(&entry);
    const std::string member = name == nullptr ? "" : name;
    TRY(const auto path, path_of(name, member));
    paths_bytes_ += path.size();
    if (paths_bytes_ > limits_.paths_bytes)
      return too_large(fmt::format("its paths have more than {} bytes", limits_.paths_bytes), member);
    TRY_STATUS(check_parents(path, member));
    if (const char* target = archive_entry_hardlink(&entry)) return link(path, target, member);
    switch (archive_entry_filetype(&entry)) {
      case AE_IFDIR:
        return {};
      case AE_IFLNK:
        symbolic_links_.insert(path);
        return {};
      case AE_IFREG:
        return hash(entry, path, member);
      default:
        return bad_member("expected files, folders and links: packages bring no devices, pipes and sockets", member);
    }
  }

  // Where a link leads only the device knows: the kernel would show another path.
  Status check_parents(std::string_view path, std::string_view member) const {
    for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
      const std::string parent(path.substr(0, slash));
      if (symbolic_links_.contains(parent) || digests_.contains(parent))
        return bad_member(fmt::format("/{} is a link or a file of the same package", parent), member);
    }
    return {};
  }

  Status link(const std::string& path, const char* target, const std::string& member) {
    TRY(const auto known, path_of(target, member));
    const auto found = digests_.find(known);
    if (found == digests_.end())
      return bad_member(fmt::format("a hard link to /{}, which is no file before it", known), member);
    return add(path, Digest(found->second), member);
  }

  Status hash(archive_entry& entry, const std::string& path, const std::string& member) {
    const auto size = static_cast<std::uint64_t>(std::max<la_int64_t>(archive_entry_size(&entry), 0));
    crypto::DigestStream digest(crypto::HashAlgorithm::kSha256);
    std::uint64_t hashed = 0;
    while (true) {
      const auto block = archive_.read();
      if (!block) return invalid_input("deb.format", block.error().message, place(member));
      if (block->empty()) break;
      hashed += block->size();
      if (block->size() > limits_.unpacked_bytes - unpacked_)
        return too_large(fmt::format("it unpacks to more than {} bytes", limits_.unpacked_bytes), member);
      unpacked_ += block->size();
      digest.add(*block);
    }
    if (archive_entry_sparse_count(&entry) != 0 || hashed != size)
      return invalid_input("deb.format", fmt::format("expected {} bytes, {} came", size, hashed), place(member));
    return add(path, digest.finish(), member);
  }

  Status add(const std::string& path, Digest digest, std::string_view member) {
    if (path.empty() || symbolic_links_.contains(path) || !digests_.emplace(path, digest).second)
      return bad_member("it is there twice", member);
    order_.push_back(path);
    return {};
  }

  Archive& archive_;
  const DebLimits& limits_;
  std::size_t members_ = 0;
  std::uint64_t unpacked_ = 0;
  std::uint64_t paths_bytes_ = 0;
  std::unordered_map<std::string, Digest> digests_;
  std::vector<std::string> order_;
  std::unordered_set<std::string> symbolic_links_;
};

Status check_version(Archive& deb) {
  std::string version;
  while (true) {
    TRY(const auto block, deb.read());
    if (block.empty()) break;
    version += as_text(block);
    if (version.size() > kVersionSizeMax) break;
  }
  if (version.starts_with("2.") && version.size() <= kVersionSizeMax) return {};
  return invalid_input("deb.format", "expected format 2 of a .deb", fmt::format("{}: {}", deb.name(), kVersionMember));
}

}  // namespace

Result<std::vector<PackagedFile>> read_deb(const ArchiveSource& source, FileLayout layout, const DebLimits& limits) {
  TRY(auto deb, Archive::open(Archive::Format::kAr, source));
  std::optional<std::vector<PackagedFile>> files;
  bool has_version = false;
  while (true) {
    TRY(archive_entry * entry, deb.next());
    if (entry == nullptr) break;
    const char* name = archive_entry_pathname(entry);
    const std::string_view member = name == nullptr ? "" : name;
    if (!has_version) {
      if (member != kVersionMember) break;
      TRY_STATUS(check_version(deb));
      has_version = true;
    } else if (member.starts_with("data.tar")) {
      if (files) return invalid_input("deb.format", "data.tar is there twice", source.name);
      TRY(auto data, Archive::open_in(deb, Archive::Format::kTar));
      DataReader reader(data, limits);
      TRY_STATUS(reader.run());
      files = reader.files(layout);
    }
    // dpkg passes over what it does not know, and so does this.
  }
  if (files) return *std::move(files);
  return invalid_input("deb.format", has_version ? "it has no data.tar" : "it is no .deb", source.name);
}

}  // namespace warifu::debian_packages
