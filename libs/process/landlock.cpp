#include "process/landlock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

// The kernel's interface (linux/landlock.h) as of version 6, written down here because the header of Debian 12 ends
// at version 2.
namespace warifu::process {
namespace {

enum FileRight : std::uint64_t {
  kWriteFile = 1U << 1,
  kReadFile = 1U << 2,
  kReadDir = 1U << 3,
  kRemoveFile = 1U << 5,
  kMakeReg = 1U << 8,
  kTruncate = 1U << 14,
};
constexpr std::uint64_t kFirstVersionRights = (1U << 13) - 1;
constexpr std::uint64_t kRefer = 1U << 13;     // version 2
constexpr std::uint64_t kIoctlDev = 1U << 15;  // version 5
constexpr std::uint64_t kBindTcp = 1U << 0;    // version 4
constexpr std::uint64_t kConnectTcp = 1U << 1;
constexpr std::uint64_t kScopeSignal = 1U << 1;  // version 6

struct RulesetAttributes {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};
struct [[gnu::packed]] PathBeneath {
  std::uint64_t allowed_access;
  std::int32_t parent_fd;
};
constexpr std::uint32_t kCreateRulesetVersion = 1;
constexpr int kRulePathBeneath = 1;

Error landlock_failed(std::string_view what) {
  return {ErrorKind::kUnavailable, "confine.landlock", fmt::format("cannot {}: {}", what, std::strerror(errno))};
}

int version() {
  const long found = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kCreateRulesetVersion);
  return found < 0 ? 0 : static_cast<int>(found);  // not built in, or not switched on
}

// All that this version can forbid is forbidden, and the rules allow again.
RulesetAttributes forbidden(int version, const Confinement& confinement) {
  RulesetAttributes attributes{kFirstVersionRights, 0, 0};
  if (version >= 2) attributes.handled_access_fs |= kRefer;
  if (version >= 3) attributes.handled_access_fs |= kTruncate;
  if (version >= 5) attributes.handled_access_fs |= kIoctlDev;
  const bool has_internet = confinement.network == Confinement::Network::kInternet;
  if (version >= 4) attributes.handled_access_net = has_internet ? kBindTcp : kBindTcp | kConnectTcp;
  if (version >= 6) attributes.scoped = kScopeSignal;
  return attributes;
}

// An older kernel takes only the part that it knows.
std::size_t size_for(int version) {
  return (version >= 6 ? 3 : version >= 4 ? 2 : 1) * sizeof(std::uint64_t);
}

class Ruleset {
 public:
  Ruleset(int version, const Confinement& confinement)
      : attributes_(forbidden(version, confinement)),
        descriptor_(static_cast<int>(
            ::syscall(SYS_landlock_create_ruleset, &attributes_, size_for(version), std::uint32_t{0}))) {}
  Ruleset(const Ruleset&) = delete;
  Ruleset& operator=(const Ruleset&) = delete;
  ~Ruleset() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  bool is_open() const { return descriptor_ >= 0; }

  Status allow(const std::filesystem::path& path, std::uint64_t rights) const {
    const int file = ::open(path.c_str(), O_PATH | O_CLOEXEC);
    if (file < 0) return landlock_failed("open " + path.string());
    struct stat status {};
    if (::fstat(file, &status) == 0 && !S_ISDIR(status.st_mode)) rights &= kReadFile | kWriteFile | kTruncate;
    const PathBeneath rule{rights & attributes_.handled_access_fs, file};
    const long done = ::syscall(SYS_landlock_add_rule, descriptor_, kRulePathBeneath, &rule, std::uint32_t{0});
    Status result = done == 0 ? Status() : landlock_failed("allow " + path.string());
    ::close(file);
    return result;
  }
  Status enforce() const {
    if (::syscall(SYS_landlock_restrict_self, descriptor_, std::uint32_t{0}) != 0)
      return landlock_failed("restrict itself");
    return {};
  }

 private:
  RulesetAttributes attributes_;
  int descriptor_;
};

}  // namespace

Result<int> restrict_files(const Confinement& confinement) {
  const int found = version();
  if (found == 0) return 0;
  const Ruleset ruleset(found, confinement);
  if (!ruleset.is_open()) return landlock_failed("make a rule set");
  for (const auto& path : confinement.readable) {
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) TRY_STATUS(ruleset.allow(path, kReadFile | kReadDir));
  }
  for (const auto& path : confinement.writable)
    TRY_STATUS(ruleset.allow(path, kReadFile | kReadDir | kWriteFile | kTruncate | kMakeReg | kRemoveFile));
  TRY_STATUS(ruleset.enforce());
  return found;
}

}  // namespace warifu::process
