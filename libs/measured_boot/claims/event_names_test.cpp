// The boots of tests/logs: what was put into the machine, the recipe says; where it is measured, the log.
#include "measured_boot/claims/event_names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "measured_boot/claims/test_claims.h"
#include "sim/own_logs.h"

namespace warifu::measured_boot {
namespace {

const sim::OwnLog& boot_called(std::string_view name) {
  static const std::vector<sim::OwnLog> logs = sim::own_logs();
  const auto found = std::ranges::find(logs, name, &sim::OwnLog::name);
  EXPECT_NE(found, logs.end()) << name;
  return *found;
}

// The digest (hexadecimal) of the event that has this name, and no other has.
std::string measured_as(std::string_view boot, std::string_view name) {
  const Bytes bytes = boot_called(boot).bytes("event-log");
  const Read read = measured_boot::read(bytes);
  std::string digest;
  for (const auto& [number, one] : event_names(read.claims)) {
    if (one != name) continue;
    EXPECT_EQ(digest, "") << "twice: " << name;
    for (const Event& event : read.log.events())
      if (event.number == number) digest = to_hex(read.log.digest(event, kSha256));
  }
  return digest;
}

std::string put_in(std::string_view boot, std::string_view kind, std::string_view name) {
  for (const auto& pair : boot_called(boot).expected.at("claims").at(kind).as_array())
    if (pair.at(0).as_string() == name) return std::string(pair.at(1).as_string());
  ADD_FAILURE() << name;
  return {};
}

TEST(EventNames, SayWhatAUnifiedKernelImageIsMadeOf) {
  constexpr std::string_view kBoot = "uki-secure-boot";
  EXPECT_EQ(measured_as(kBoot, "the kernel's command line (.cmdline)"), put_in(kBoot, "section", ".cmdline"));
  EXPECT_EQ(measured_as(kBoot, "the kernel (.linux)"), put_in(kBoot, "section", ".linux"));
  EXPECT_EQ(measured_as(kBoot, "the initrd (.initrd)"), put_in(kBoot, "section", ".initrd"));
  EXPECT_EQ(measured_as(kBoot, "the section .osrel"), put_in(kBoot, "section", ".osrel"));
  EXPECT_EQ(measured_as(kBoot, "the image \\EFI\\BOOT\\BOOTX64.EFI"),
            put_in(kBoot, "image", "\\EFI\\BOOT\\BOOTX64.EFI"));
  EXPECT_NE(measured_as(kBoot, "the name .cmdline"), "");
}

TEST(EventNames, SayWhatBootLoadersMeasured) {
  EXPECT_EQ(measured_as("grub", "/vmlinuz"), put_in("grub", "content", "/vmlinuz"));
  EXPECT_NE(
      measured_as("grub", "the command linuxefi " +
                              std::string(boot_called("grub").expected.at("claims").at("command_line").as_string())),
      "");
  EXPECT_EQ(measured_as("efi-stub", "the kernel's command line (LOADED_IMAGE::LoadOptions)"),
            put_in("efi-stub", "content", "LOADED_IMAGE::LoadOptions"));
}

void expect_short_and_printable(const std::map<std::uint32_t, std::string>& names) {
  for (const auto& [number, name] : names) {
    EXPECT_NE(name, "");
    EXPECT_LE(name.size(), kEventNameMax) << number;
    EXPECT_TRUE(std::ranges::all_of(name, [](char c) { return c >= ' ' && c <= '~'; })) << number;
  }
}

TEST(EventNames, AreShortAndPrintableWhateverALogSays) {
  for (const sim::OwnLog& log : sim::own_logs())
    expect_short_and_printable(event_names(measured_boot::read(log.bytes("event-log")).claims));
  LogWriter hostile({kSha256});
  hostile.measured(9, EventType::kIpl, as_bytes("content"), as_bytes(std::string(5000, '\x1b')));
  hostile.measured(9, EventType::kIpl, as_bytes("more"), as_bytes(std::string(kEventNameMax + 1, 'x')));
  hostile.measured(9, EventType::kIpl, as_bytes("nameless"), Bytes(3));
  hostile.event(8, EventType::kIpl, "grub_cmd: " + std::string(5000, '\n'));
  const auto names = event_names(measured_boot::read(hostile.bytes()).claims);
  EXPECT_GE(names.size(), 3u);
  expect_short_and_printable(names);
}

}  // namespace
}  // namespace warifu::measured_boot
