#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "measured_boot/claims/claims.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/event_log/test_log.h"
#include "measured_boot/event_log/test_parse.h"

// Boots of our own making, and what the claims say of them.
namespace warifu::measured_boot {

inline constexpr auto kConfig = EventType::kEfiVariableDriverConfig;

inline Bytes variable(const Guid& vendor, std::string_view name, ByteView value) {
  return concatenated({vendor, little_endian(name.size(), 8), little_endian(value.size(), 8), utf16(name), value});
}

inline Bytes signature_list(const Guid& type, ByteView owner_and_data) {
  return concatenated({type, little_endian(28 + owner_and_data.size(), 4), little_endian(0, 4),
                       little_endian(owner_and_data.size(), 4), owner_and_data});
}

inline const Bytes kAllowed = concatenated({Bytes(16, 7), Bytes(32, 9)});  // owner and hash

// The events of PCR 7, one after another, so that a test can leave one out or add one.
struct SecureBootEvents {
  std::vector<std::pair<EventType, Bytes>> events = {
      {kConfig, variable(global_variable_guid(), "SecureBoot", Bytes{1})},
      {kConfig, variable(global_variable_guid(), "PK", {})},
      {kConfig, variable(global_variable_guid(), "KEK", {})},
      {kConfig, variable(image_security_guid(), "db", signature_list(sha256_signature_guid(), kAllowed))},
      {kConfig, variable(image_security_guid(), "dbx", {})},
  };

  LogWriter log() const {
    LogWriter writer({crypto::HashAlgorithm::kSha1, kSha256});
    for (const auto& [type, data] : events)
      writer.event(7, type, data);
    return writer;
  }
};

struct Read {
  Bytes bytes;
  EventLog log;
  Claims claims;
};

inline Read read(const Bytes& bytes, RegisterSet confirmed = RegisterSet().set()) {
  Read result;
  result.bytes = bytes;
  auto log = parse_event_log(result.bytes);
  EXPECT_TRUE(log) << to_string(log.error());
  result.log = std::move(*log);
  result.claims = claims_of(Prover(result.log, kSha256, confirmed));
  return result;
}

inline bool has(const Claims& claims, std::string_view code) {
  return std::ranges::find(claims.findings, code, &ClaimFinding::code) != claims.findings.end();
}

// All types that a specification names, and one that none does.
inline std::vector<EventType> every_type() {
  std::vector<EventType> types = {static_cast<EventType>(0xF00D)};
  for (const std::uint32_t base : {0u, 0x80000000u})
    for (std::uint32_t low = 0; low < 0x200; ++low)
      if (const auto type = static_cast<EventType>(base + low); !name_of(type).empty()) types.push_back(type);
  return types;
}

// Boots a kernel by GRUB, as Debian does.
inline LogWriter grub_boot() {
  LogWriter log = SecureBootEvents().log();
  log.separators().measured(4, EventType::kEfiBootServicesApplication, as_bytes("shim"), Bytes(32));
  log.measured(8, EventType::kIpl, as_bytes("linux /vmlinuz root=/dev/sda1"),
               as_bytes(std::string_view("grub_cmd: linux /vmlinuz root=/dev/sda1\0", 40)));
  log.measured(9, EventType::kIpl, as_bytes("the kernel"), as_bytes(std::string_view("/vmlinuz\0", 9)));
  log.event(5, EventType::kEfiAction, "Exit Boot Services Returned with Success");
  return log;
}

// The same digests, told as of another type; with other data of the same size unless `text` is empty.
inline Bytes retyped(const Bytes& log, const Event& event, EventType type, std::string_view text) {
  Bytes changed = log;
  const Bytes raw_type = little_endian(static_cast<std::uint32_t>(type), 4);
  std::ranges::copy(raw_type, changed.begin() + static_cast<std::ptrdiff_t>(event.offset + 4));
  for (std::size_t i = 0; !text.empty() && i < event.data.size(); ++i)
    changed[event.data_offset + i] = i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{0};
  return changed;
}

template <class T>
bool is_absent_or_equal(const std::optional<Proved<T>>& after, const std::optional<Proved<T>>& before) {
  return !after || (before && **before == **after);
}

inline void expect_no_better(const windows::WindowsClaims& before, const windows::WindowsClaims& after) {
  for (std::size_t flag = 0; flag < windows::kFlagCount; ++flag)
    EXPECT_TRUE(is_absent_or_equal(after.flags[flag], before.flags[flag])) << flag;
  EXPECT_TRUE(is_absent_or_equal(after.nx_policy, before.nx_policy));
  EXPECT_TRUE(is_absent_or_equal(after.vsm_launch_type, before.vsm_launch_type));
  EXPECT_TRUE(is_absent_or_equal(after.hvci_policy, before.hvci_policy));
  EXPECT_TRUE(!after.is_complete || before.is_complete);
  if (after.modules.complete() != nullptr) {
    EXPECT_EQ(after.modules.complete()->size(), before.modules.found().size());
  }
}

// `after` is of the same log with an event told as something else.
inline void expect_no_better(const Claims& before, const Claims& after) {
  EXPECT_TRUE(is_absent_or_equal(after.secure_boot.enabled, before.secure_boot.enabled));
  EXPECT_TRUE(is_absent_or_equal(after.kernel_command_line, before.kernel_command_line));
  EXPECT_TRUE(is_absent_or_equal(after.sbat_level, before.sbat_level));
  ASSERT_TRUE(!after.windows || before.windows);
  if (after.windows) expect_no_better(*before.windows, *after.windows);
  EXPECT_EQ(after.dma_protection_disabled.has_value(), before.dma_protection_disabled.has_value());
  for (const std::string_view warning : {"firmware.debug-mode", "dma-protection.disabled", "separator.doubled"})
    EXPECT_EQ(has(after, warning), has(before, warning)) << warning;
  // None may be missing. One that was none may be added: a policy does not know its digest.
  if (before.images.complete() && after.images.complete()) {
    auto next = before.images.complete()->begin();
    for (const BootImage& image : *after.images.complete())
      if (next != before.images.complete()->end() && *next->digest == *image.digest) ++next;
    EXPECT_EQ(next, before.images.complete()->end());
  }
  if (before.authorities.complete() && after.authorities.complete()) {
    EXPECT_TRUE(std::ranges::equal(
        *before.authorities.complete(), *after.authorities.complete(), {},
        [](const Authority& one) { return to_hex(*one.value); },
        [](const Authority& one) { return to_hex(*one.value); }));
  }
}

}  // namespace warifu::measured_boot
