#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>

#include "crypto/digest.h"
#include "crypto/system_entropy.h"
#include "tpm_device/marshal.h"
#include "tpm_device/tcb_tpm.h"
#include "tpm_test.h"
#include "tpm_types/authentication_key.h"

// What the tests of a TCB's TPM on swtpm have in common.
namespace warifu::test {

using tpm_device::Device;
using tpm_device::DeviceOptions;
using tpm_device::Protect;
using tpm_device::TcbTpm;

// A TPM2B with these bytes.
template <class Sized, class Array>
Sized sized(ByteView bytes, Array Sized::*field) {
  Sized out{};
  EXPECT_TRUE(tpm_device::fill(out, field, bytes, "test"));
  return out;
}

class TpmDevice : public testing::Test {
 protected:
  std::unique_ptr<TcbTpm> open(DeviceOptions options = {}) { return open_on(swtpm_, std::move(options)); }
  static std::unique_ptr<TcbTpm> open_on(const Swtpm& swtpm, DeviceOptions options = {}) {
    tpm_device::HierarchyAuths auths{std::move(options.owner_auth), std::move(options.endorsement_auth)};
    auto device = must(Device::open(connect(swtpm), std::move(options)));
    return std::make_unique<TcbTpm>(std::move(device), std::move(auths));
  }
  // swtpm serves one connection and refuses the next until it has seen that the last was closed.
  static tpm_device::TctiPtr connect(const Swtpm& swtpm) {
    const auto address = must(tpm_device::TctiAddress::parse(swtpm.tcti()));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (;;) {
      auto tcti = tpm_device::open_tcti(address);
      if (tcti || std::chrono::steady_clock::now() > deadline) return must(std::move(tcti));
      std::this_thread::yield();
    }
  }
  Bytes server_key_for(TcbTpm& device) {
    const tcb::TpmKeys keys = must(device.keys());
    const auto ek = must(tpm::EkPublic::from_tpm2b(keys.ek_public));
    const auto srk = must(tpm::SrkPublic::from_tpm2b(keys.srk_public));
    return must(tpm::make_authentication_key(ek, srk, hmac_key_, entropy_));
  }
  static Bytes revealed(const Result<SecretBytes>& mac) { return mac ? to_bytes(mac->reveal()) : Bytes(); }
  Bytes expected_mac() const {
    return to_bytes(crypto::hmac(crypto::HashAlgorithm::kSha256, hmac_key_.reveal(), {message_}).bytes());
  }
  static tpm::Name ek_name(TcbTpm& device) {
    return must(tpm::EkPublic::from_tpm2b(must(device.keys()).ek_public)).name();
  }
  static Status clear(Device& device) {
    return device.run(Protect::kAnswers, [&](ESYS_TR session) {
      return device.check(Esys_Clear(device.esys(), ESYS_TR_RH_LOCKOUT, session, ESYS_TR_NONE, ESYS_TR_NONE),
                          "TPM2_Clear");
    });
  }
  static Status extend_pcr(Device& device, ESYS_TR pcr) {
    TPML_DIGEST_VALUES digests{};
    digests.count = 1;
    digests.digests[0].hashAlg = TPM2_ALG_SHA256;
    return device.run(Protect::kAnswers, [&](ESYS_TR session) {
      return device.check(Esys_PCR_Extend(device.esys(), pcr, session, ESYS_TR_NONE, ESYS_TR_NONE, &digests),
                          "TPM2_PCR_Extend");
    });
  }

  Swtpm swtpm_;
  crypto::SystemEntropy entropy_;
  const SecretBytes hmac_key_ = SecretBytes::random(entropy_, 32);
  const Bytes message_ = to_bytes(as_bytes("scope/registrations/device\n1767225600"));
};

}  // namespace warifu::test
