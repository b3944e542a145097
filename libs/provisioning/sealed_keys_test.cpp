#include "provisioning/sealed_keys.h"

#include <gtest/gtest.h>

#include "sim/deterministic.h"

namespace warifu::provisioning {
namespace {

const ScopeId kScope = ScopeId::parse("0ne00000001").value();
const ScopeId kOtherScope = ScopeId::parse("0ne00000002").value();
const DeviceId kDevice = DeviceId::parse("meter-1").value();
const DeviceId kOtherDevice = DeviceId::parse("meter-2").value();

class SealedKeysTest : public ::testing::Test {
 protected:
  sim::SeededEntropy entropy_{1};
  SecretBytes envelope_key_ = SecretBytes::random(entropy_, 32);
  SecretBytes key_ = SecretBytes::random(entropy_, 32);
  Uuid operation_ = Uuid::v7(Timestamp(), entropy_);
};

TEST_F(SealedKeysTest, OpenInTheRowThatTheyWereSealedForAndInNoOther) {
  const Bytes hub = seal_hub_key(envelope_key_, kScope, kDevice, key_, entropy_);
  EXPECT_EQ(to_bytes(open_hub_key(envelope_key_, kScope, kDevice, hub)->reveal()), to_bytes(key_.reveal()));
  EXPECT_FALSE(open_hub_key(envelope_key_, kScope, kOtherDevice, hub));
  EXPECT_FALSE(open_hub_key(envelope_key_, kOtherScope, kDevice, hub));
  EXPECT_FALSE(open_hub_key(SecretBytes::random(entropy_, 32), kScope, kDevice, hub));

  const Bytes challenge = seal_challenge_key(envelope_key_, kScope, operation_, key_, entropy_);
  EXPECT_EQ(to_bytes(open_challenge_key(envelope_key_, kScope, operation_, challenge)->reveal()),
            to_bytes(key_.reveal()));
  EXPECT_FALSE(open_challenge_key(envelope_key_, kScope, Uuid::v7(Timestamp(), entropy_), challenge));
  EXPECT_FALSE(open_challenge_key(envelope_key_, kOtherScope, operation_, challenge));
  EXPECT_FALSE(open_challenge_key(envelope_key_, kScope, operation_, hub));

  // The same ID, but of a challenge and not of an operation.
  const Bytes outstanding = seal_outstanding_key(envelope_key_, kScope, operation_, key_, entropy_);
  EXPECT_EQ(to_bytes(open_outstanding_key(envelope_key_, kScope, operation_, outstanding)->reveal()),
            to_bytes(key_.reveal()));
  EXPECT_FALSE(open_outstanding_key(envelope_key_, kScope, Uuid::v7(Timestamp(), entropy_), outstanding));
  EXPECT_FALSE(open_outstanding_key(envelope_key_, kOtherScope, operation_, outstanding));
  EXPECT_FALSE(open_outstanding_key(envelope_key_, kScope, operation_, challenge));
  EXPECT_FALSE(open_challenge_key(envelope_key_, kScope, operation_, outstanding));
}

TEST_F(SealedKeysTest, AreRefusedWithAnyByteChangedAndAtEveryLength) {
  const Bytes sealed = seal_hub_key(envelope_key_, kScope, kDevice, key_, entropy_);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes changed = sealed;
    changed[i] ^= 1;
    EXPECT_FALSE(open_hub_key(envelope_key_, kScope, kDevice, changed)) << i;
    EXPECT_FALSE(open_hub_key(envelope_key_, kScope, kDevice, ByteView(sealed).first(i))) << i;
  }
}

TEST_F(SealedKeysTest, LookDifferentEachTime) {
  EXPECT_NE(seal_hub_key(envelope_key_, kScope, kDevice, key_, entropy_),
            seal_hub_key(envelope_key_, kScope, kDevice, key_, entropy_));
}

}  // namespace
}  // namespace warifu::provisioning
