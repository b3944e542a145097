#include "process/privileges.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "process/child_process.h"

namespace warifu::process {
namespace {

TEST(FindUser, KnowsNamesAndNumbers) {
  EXPECT_EQ(find_user("root")->user, 0U);
  EXPECT_EQ(find_user("0")->group, 0U);
  EXPECT_EQ(find_user("4000000000")->user, 4'000'000'000U) << "a number need not be in the database";
}

TEST(FindUser, RefusesWhoIsNotThere) {
  for (const char* name : {"", "no-such-user-here", "4294967295", "-1", "0x0", "99999999999"}) {
    const auto user = find_user(name);
    ASSERT_FALSE(user) << name;
    EXPECT_EQ(user.error().code, "user.unknown") << name;
  }
}

TEST(Become, LeavesNothingOfTheOldUser) {
  if (!runs_as_root()) GTEST_SKIP() << "only root can become another user";
  const int code = in_child([] {
    if (!become({65'534, 65'533})) return 1;
    if (::getuid() != 65'534 || ::getegid() != 65'533 || runs_as_root()) return 2;
    if (::getgroups(0, nullptr) != 0) return 3;
    if (::seteuid(0) == 0 || ::setegid(0) == 0) return 4;
    return 0;
  });
  EXPECT_EQ(code, 0);
}

TEST(Become, IsRefusedToAnybodyElse) {
  const int code = in_child([] {
    if (runs_as_root() && !become({65'534, 65'534})) return 1;
    const auto done = become({65'533, 65'533});
    return !done && done.error().code == "user.change" ? 0 : 2;
  });
  EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace warifu::process
