#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "crypto/digest.h"
#include "measured_boot/registers.h"

namespace warifu::measured_boot::test {

// One record as systemd writes it; `measured` is what was hashed, `text` what the log tells of it.
struct Measurement {
  RegisterIndex pcr;
  std::string type;
  std::string text;
  std::string measured = text;
};

inline std::string digests_of(const std::string& measured, const std::vector<crypto::HashAlgorithm>& banks) {
  std::string digests;
  for (const auto bank : banks)
    digests += fmt::format(R"({}{{"hashAlg":"{}","digest":"{}"}})", digests.empty() ? "" : ",", bank_name(bank),
                           to_hex(crypto::digest(bank, {as_bytes(measured)}).bytes()));
  return digests;
}

inline std::string record_of(const std::string& register_member, const std::string& digests,
                             const std::string& content) {
  return fmt::format("\x1e{{{},\"digests\":[{}],\"content_type\":\"systemd\",\"content\":{{{}}}}}\n", register_member,
                     digests, content);
}

// No character of the text needs an escape.
inline std::string log_of(const std::vector<Measurement>& measurements,
                          const std::vector<crypto::HashAlgorithm>& banks = {crypto::HashAlgorithm::kSha1,
                                                                             crypto::HashAlgorithm::kSha256}) {
  std::string log;
  for (const Measurement& one : measurements)
    log += record_of(
        fmt::format("\"pcr\":{}", one.pcr), digests_of(one.measured, banks),
        fmt::format(R"("string":"{}","bootId":"0123456789abcdef0123456789abcdef","timestamp":1234567,"eventType":"{}")",
                    one.text, one.type));
  return log;
}

inline const std::vector<Measurement> kBoot = {
    {11, "phase", "enter-initrd"},
    {15, "volume-key", "cryptsetup:root:1e023a55-60f9-4b6b-9b80-67438dc5f065", "a MAC of the key"},
    {11, "phase", "leave-initrd"},
    {15, "filesystem", "file-system:/:btrfs:fd4b:root:::"},
    {15, "machine-id", "machine-id:00112233445566778899aabbccddeeff"},
    {11, "phase", "sysinit"},
    {11, "phase", "ready"},
};

}  // namespace warifu::measured_boot::test
