#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "crypto/digest.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"
#include "tcb/service.h"
#include "tcb/test_service.h"

// For the tests of tcb::Service, a file for each of its parts.
namespace warifu::tcb {

using Device = TestDevice<sim::SoftwareTpm, sim::SteppingClock, sim::SeededEntropy>;

class Services : public testing::Test {
 protected:
  std::string signature(const SecretBytes& key, std::string_view text) {
    return to_base64(crypto::hmac(crypto::HashAlgorithm::kSha256, key.reveal(), {as_bytes(text)}).bytes());
  }
  // "=" and the two others of base64 that stand for something else in a token.
  static std::string escaped(std::string_view base64) {
    std::string out;
    for (const char c : base64)
      out += c == '+' ? "%2B" : c == '/' ? "%2F" : c == '=' ? "%3D" : std::string(1, c);
    return out;
  }

  const SecretBytes key_ = SecretBytes::copy_of(Bytes(32, 0x5a));
  Device device_;
};

}  // namespace warifu::tcb
