// How much memory a large list takes at its peak: in a process of its own, which reads it as the programs do.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "measured_boot/ima/policy.h"
#include "measured_boot/ima/test_match.h"
#include "sim/test_data.h"

extern char** environ;

namespace warifu::measured_boot::ima {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kEntries = 100'000;
constexpr const char* kListVariable = "WARIFU_IMA_MEMORY_TEST_LIST";
constexpr double kMaxFactor = 2.5;

// A line of /proc/self/status, in bytes.
std::size_t status_bytes(std::string_view name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name)) return std::stoul(line.substr(name.size() + 1)) * 1024;
  std::abort();
}

// The child: reads the list, replays it, matches it and judges it.
TEST(ImaMemory, DISABLED_Child) {
  const char* path = std::getenv(kListVariable);
  ASSERT_NE(path, nullptr) << "only as a child of the test below";
  const std::size_t before = status_bytes("VmRSS:");
  Bytes list(fs::file_size(path));
  std::ifstream(path, std::ios::binary)
      .read(reinterpret_cast<char*>(list.data()), static_cast<std::streamsize>(list.size()));
  const Bank quoted = test::quoted_after(list);
  const auto match = match_quote(list, quoted);
  ASSERT_TRUE(match) << to_string(match.error());
  ASSERT_EQ(match->measured.size(), kEntries);
  EXPECT_EQ(judge(match->measured, Policy()).failed, kEntries);
  const double factor = static_cast<double>(status_bytes("VmHWM:") - before) / static_cast<double>(list.size());
  fmt::print("{} entries, {} bytes: {:.2f} times as much memory at the peak\n", kEntries, list.size(), factor);
  EXPECT_LT(factor, kMaxFactor);
  EXPECT_GE(factor, 1.0) << "the list itself was not counted";
}

int run_child(const fs::path& list) {
  setenv(kListVariable, list.c_str(), 1);
  std::string program = fs::read_symlink("/proc/self/exe");
  std::string filter = "--gtest_filter=ImaMemory.DISABLED_Child";
  std::string also = "--gtest_also_run_disabled_tests";
  std::array<char*, 4> arguments = {program.data(), filter.data(), also.data(), nullptr};
  pid_t child = 0;
  if (posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments.data(), environ) != 0) return -1;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  unsetenv(kListVariable);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ImaMemory, AHundredThousandEntriesPeakUnderTwoAndAHalfTimesTheirSize) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer has memory of its own";
#endif
  test::TestList list;
  for (std::size_t i = 0; i < kEntries; ++i)
    list.add_file(fmt::format("/usr/lib/x86_64-linux-gnu/package-{}/module-{}.so", i % 311, i), "content");
  std::string path = (fs::temp_directory_path() / "warifu-ima-XXXXXX").string();
  const int file = mkstemp(path.data());
  ASSERT_GE(file, 0);
  close(file);
  std::ofstream(path, std::ios::binary) << as_text(list.bytes());
  EXPECT_EQ(run_child(path), 0) << "what the child printed stands above";
  fs::remove(path);
}

}  // namespace
}  // namespace warifu::measured_boot::ima
