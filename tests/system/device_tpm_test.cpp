// The device's TPM as the TCB uses it, on swtpm.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/digest.h"
#include "crypto/system_entropy.h"
#include "swtpm.h"
#include "tpm_device/tcb_tpm.h"
#include "tpm_types/authentication_key.h"

namespace warifu::test {
namespace {

using tpm_device::DeviceOptions;
using tpm_device::TcbTpm;

template <class T>
T must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().code << ": " << to_string(result.error());
    std::abort();
  }
  return std::move(*result);
}

class TpmDevice : public testing::Test {
 protected:
  std::unique_ptr<TcbTpm> open(DeviceOptions options = {}) {
    return must(TcbTpm::open(swtpm_.tcti(), std::move(options)));
  }
  Bytes server_key_for(TcbTpm& device) {
    const tcb::TpmKeys keys = must(device.keys());
    const auto ek = must(tpm::EkPublic::from_tpm2b(keys.ek_public));
    const auto srk = must(tpm::SrkPublic::from_tpm2b(keys.srk_public));
    return must(tpm::make_authentication_key(ek, srk, hmac_key_, entropy_));
  }
  Bytes expected_mac(ByteView message) {
    return to_bytes(crypto::hmac(crypto::HashAlgorithm::kSha256, hmac_key_.reveal(), {message}).bytes());
  }

  Swtpm swtpm_;
  crypto::SystemEntropy entropy_;
  const SecretBytes hmac_key_ = SecretBytes::random(entropy_, 32);
  const Bytes message_ = to_bytes(as_bytes("scope/registrations/device\n1767225600"));
};

TEST_F(TpmDevice, OpensTheServersKeyAndSignsAsOpenSslDoes) {
  const auto device = open();
  const tcb::WrappedObject key = must(device->activate(server_key_for(*device)));
  EXPECT_EQ(must(device->hmac(key, message_)), expected_mac(message_));
}

}  // namespace
}  // namespace warifu::test
