// What is longer than any text of a boot loader is known by its digest alone, whatever it says.
#include <gtest/gtest.h>

#include "measured_boot/claims/test_claims.h"

namespace warifu::measured_boot {
namespace {

TEST(EventLog, L10_ATextOfAnySizeIsNoCommandLine) {
  for (const std::size_t size : {std::size_t{100}, std::size_t{1} << 20}) {
    for (const RegisterIndex index : {8u, 12u}) {
      for (const std::string label : {"", "grub_cmd: "}) {
        SCOPED_TRACE(testing::Message() << size << " in " << index << ": " << label);
        const std::string text = "linux /vmlinuz " + std::string(size, 'a');
        LogWriter log = SecureBootEvents().log();
        log.separators().measured(index, EventType::kIpl, as_bytes(text), as_bytes(label + text));
        log.measured(8, EventType::kIpl, as_bytes("linux /vmlinuz ro"), as_bytes("grub_cmd: linux /vmlinuz ro"));
        const Claims claims = read(log.bytes()).claims;
        // It could be another command line: neither it nor the short one is believed.
        EXPECT_FALSE(claims.kernel_command_line);
        EXPECT_EQ(claims.commands.size(), size > 100 || label.empty() ? 1u : 2u);
        for (const auto& line : claims.told_command_lines)
          EXPECT_LT(line.value.size(), 1000u);
        for (const auto& content : claims.contents)
          EXPECT_LT(content.name.value.size(), 1000u);
      }
    }
  }
}

}  // namespace
}  // namespace warifu::measured_boot
