#include "process/privileges.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <vector>

namespace warifu::process {
namespace {

constexpr std::size_t kRecordMax = 64 * 1024;

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // -1 means "leave it as it is" to the calls that change a user.
  if (error != std::errc() || end != text.data() + text.size() || value == UINT32_MAX) return std::nullopt;
  return value;
}

Error change_failed(std::string_view what) {
  return {ErrorKind::kUnavailable, "user.change", fmt::format("cannot {}: {}", what, std::strerror(errno))};
}

bool is_only(const User& user) {
  uid_t real = 0, effective = 0, saved = 0;
  gid_t real_group = 0, effective_group = 0, saved_group = 0;
  if (::getresuid(&real, &effective, &saved) != 0) return false;
  if (::getresgid(&real_group, &effective_group, &saved_group) != 0) return false;
  const bool users = real == user.user && effective == user.user && saved == user.user;
  return users && real_group == user.group && effective_group == user.group && saved_group == user.group &&
         ::getgroups(0, nullptr) == 0;
}

}  // namespace

Result<User> find_user(std::string_view name_or_uid) {
  const std::string name(name_or_uid);
  const auto uid = number(name_or_uid);
  std::vector<char> storage(kRecordMax);
  passwd record{};
  passwd* found = nullptr;
  const int error = uid ? ::getpwuid_r(*uid, &record, storage.data(), storage.size(), &found)
                        : ::getpwnam_r(name.c_str(), &record, storage.data(), storage.size(), &found);
  if (found != nullptr) return User{found->pw_uid, found->pw_gid};
  if (uid) return User{*uid, *uid};
  return Error{ErrorKind::kNotFound, "user.unknown",
               fmt::format("this system has no user \"{}\"{}: make it (systemd-sysusers), or name another", name,
                           error == 0 ? std::string() : fmt::format(" ({})", std::strerror(error)))};
}

bool runs_as_root() {
  return ::geteuid() == 0;
}

Status become(const User& user) {
  if (::setgroups(0, nullptr) != 0) return change_failed("give up the supplementary groups");
  if (::setresgid(user.group, user.group, user.group) != 0) return change_failed("change the group");
  if (::setresuid(user.user, user.user, user.user) != 0) return change_failed("change the user");
  if (!is_only(user)) return change_failed("make sure that nothing of the old user is left");
  if (user.user != 0 && ::setuid(0) == 0)
    return Error{ErrorKind::kInternal, "user.change", "root can be had back, so it was not given up"};
  return {};
}

}  // namespace warifu::process
