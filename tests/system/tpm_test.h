#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "crypto/digest.h"
#include "swtpm.h"
#include "tpm_device/device.h"
#include "tpm_device/nv.h"

// What the tests of a Device on swtpm have in common.
namespace warifu::test {

// For what a test takes for granted.
template <class T>
T must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().code << ": " << to_string(result.error());
    std::abort();
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

template <class T>
void expect_error(const Result<T>& result, ErrorKind kind, std::string_view code) {
  ASSERT_FALSE(result) << "expected " << code;
  EXPECT_EQ(result.error().code, code) << to_string(result.error());
  EXPECT_EQ(result.error().kind, kind) << to_string(result.error());
}

inline std::unique_ptr<tpm_device::Device> open(const Swtpm& swtpm, tpm_device::DeviceOptions options = {}) {
  return must(tpm_device::Device::open(must(tpm_device::TctiAddress::parse(swtpm.tcti())), std::move(options)));
}

inline SecretBytes secret(std::string_view text) {
  return SecretBytes::copy_of(as_bytes(text));
}

inline crypto::Digest sha256(std::string_view text) {
  return crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes(text)});
}

inline std::string hex(const crypto::Digest& digest) {
  return to_hex(digest.bytes());
}

inline constexpr std::uint32_t kIndex = 0x01800100;

inline tpm::NvPublic nv_index(std::uint32_t type, std::uint16_t size) {
  return {.index = kIndex,
          .attributes = tpm::kNvOwnerRead | tpm::kNvOwnerWrite | tpm::kNvAuthRead | tpm::kNvNoDa | type,
          .data_size = size};
}

class TpmFeatures : public testing::Test {
 protected:
  Swtpm swtpm_;
  std::unique_ptr<tpm_device::Device> device_ = open(swtpm_);
};

}  // namespace warifu::test
