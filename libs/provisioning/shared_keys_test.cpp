#include "provisioning/shared_keys.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "crypto/digest.h"
#include "sim/deterministic.h"

namespace warifu::provisioning {
namespace {

const ScopeId kScope = ScopeId::parse("0ne00000001").value();
const ScopeId kOtherScope = ScopeId::parse("0ne00000002").value();
const RegistrationId kMeter = RegistrationId::parse("meter-1").value();

SecretBytes counting_key() {
  Bytes bytes(32);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(i);
  return SecretBytes(std::move(bytes));
}

// A token of this registration that is signed with that key.
std::string signed_with(const SecretBytes& key) {
  constexpr std::string_view kResource = "0ne00000001%2Fregistrations%2Fmeter-1";
  constexpr std::string_view kExpiry = "1790000000";
  const auto mac = crypto::hmac(crypto::HashAlgorithm::kSha256, key.reveal(),
                                {as_bytes(kResource), as_bytes("\n"), as_bytes(kExpiry)});
  std::string signature;
  for (const char c : to_base64(mac.bytes()))
    signature += c == '+' ? "%2B" : c == '/' ? "%2F" : c == '=' ? "%3D" : std::string(1, c);
  return fmt::format("SharedAccessSignature sr={}&sig={}&se={}&skn=registration", kResource, signature, kExpiry);
}

class SharedKeysTest : public testing::Test {
 protected:
  // The spelling, or "" for none.
  std::string derived(const SecretBytes& key, const std::string& as_written) {
    const std::string text = signed_with(key);
    return signed_spelling(parse_sas_token(text).value(), keys_, as_written, kMeter).value_or("");
  }

  sim::SeededEntropy entropy_{1};
  const SecretBytes envelope_key_ = SecretBytes::random(entropy_, 32);
  const SharedKeys keys_{SecretBytes::random(entropy_, 32), SecretBytes::random(entropy_, 32)};
  const Uuid generation_ = Uuid::v7(Timestamp(), entropy_);
};

TEST_F(SharedKeysTest, ADevicesKeyIsTheHmacOfItsIdUnderTheGroupsKey) {
  // printf meter-1 | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f
  EXPECT_EQ(to_hex(derive_device_key(counting_key(), "meter-1").reveal()),
            "c791070b2f1b86c2def8bc5d40c4df51d4bcca4b587ef3db552fc3b5c0218c55");
  // … of Meter-1
  EXPECT_EQ(to_hex(derive_device_key(counting_key(), "Meter-1").reveal()),
            "75d8bc9257567fdc3e1a291a0d8872ab02a4522c89f5999bec56f9fd2caef0de");
  const auto both = derive_device_keys(keys_, "meter-1");
  EXPECT_EQ(to_bytes(both.primary.reveal()), to_bytes(derive_device_key(keys_.primary, "meter-1").reveal()));
  EXPECT_EQ(to_bytes(both.secondary.reveal()), to_bytes(derive_device_key(keys_.secondary, "meter-1").reveal()));
}

TEST_F(SharedKeysTest, EitherKeySignsAndNoOther) {
  for (const auto* key : {&keys_.primary, &keys_.secondary}) {
    const std::string text = signed_with(*key);
    EXPECT_TRUE(is_signed_by(parse_sas_token(text).value(), keys_));
  }
  const std::string stranger = signed_with(counting_key());
  EXPECT_FALSE(is_signed_by(parse_sas_token(stranger).value(), keys_));
}

TEST_F(SharedKeysTest, ADerivedKeySignsForItsIdAsItIsWrittenOrInLowerCase) {
  for (const auto* group_key : {&keys_.primary, &keys_.secondary}) {
    EXPECT_EQ(derived(derive_device_key(*group_key, "meter-1"), "meter-1"), "meter-1");
    EXPECT_EQ(derived(derive_device_key(*group_key, "Meter-1"), "Meter-1"), "Meter-1");
    EXPECT_EQ(derived(derive_device_key(*group_key, "meter-1"), "Meter-1"), "meter-1");
    EXPECT_EQ(derived(derive_device_key(*group_key, "METER-1"), "Meter-1"), "") << "a third spelling";
    EXPECT_EQ(derived(derive_device_key(*group_key, "Meter-1"), "meter-1"), "");
    EXPECT_EQ(derived(derive_device_key(*group_key, "meter-2"), "meter-1"), "") << "another device's";
    EXPECT_EQ(derived(*group_key, "meter-1"), "") << "the group's key itself is no device's";
  }
}

TEST_F(SharedKeysTest, OpenInTheirPlaceAndInNoOther) {
  const auto sealed = seal_shared_keys(envelope_key_, kScope, generation_, keys_, entropy_);
  const auto opened = open_shared_keys(envelope_key_, kScope, generation_, sealed);
  ASSERT_TRUE(opened);
  EXPECT_EQ(to_bytes(opened->primary.reveal()), to_bytes(keys_.primary.reveal()));
  EXPECT_EQ(to_bytes(opened->secondary.reveal()), to_bytes(keys_.secondary.reveal()));

  EXPECT_FALSE(open_shared_keys(envelope_key_, kOtherScope, generation_, sealed));
  EXPECT_FALSE(open_shared_keys(envelope_key_, kScope, Uuid::v7(Timestamp(), entropy_), sealed));
  EXPECT_FALSE(open_shared_keys(SecretBytes::random(entropy_, 32), kScope, generation_, sealed));
  for (const auto& moved :
       {SymmetricKeyAttestation{sealed.sealed_secondary, sealed.sealed_primary},
        SymmetricKeyAttestation{sealed.sealed_primary, sealed.sealed_primary},
        SymmetricKeyAttestation{sealed.sealed_secondary, sealed.sealed_secondary},
        SymmetricKeyAttestation{sealed.sealed_primary, {}}, SymmetricKeyAttestation{{}, sealed.sealed_secondary}})
    EXPECT_FALSE(open_shared_keys(envelope_key_, kScope, generation_, moved));
}

TEST_F(SharedKeysTest, LookDifferentEachTimeEvenWhenTheyAreTheSame) {
  const SharedKeys same{counting_key(), counting_key()};
  const auto sealed = seal_shared_keys(envelope_key_, kScope, generation_, same, entropy_);
  EXPECT_NE(sealed.sealed_primary, sealed.sealed_secondary);
  EXPECT_NE(sealed.sealed_primary, seal_shared_keys(envelope_key_, kScope, generation_, same, entropy_).sealed_primary);
}

TEST_F(SharedKeysTest, HaveSixteenToSixtyFourBytes) {
  for (const std::size_t size : {16U, 32U, 64U})
    EXPECT_TRUE(check_shared_key(SecretBytes(size))) << size;
  for (const std::size_t size : {0U, 15U, 65U}) {
    const Status status = check_shared_key(SecretBytes(size));
    ASSERT_FALSE(status) << size;
    EXPECT_EQ(status.error().code, "enrollment.key_size");
  }
}

}  // namespace
}  // namespace warifu::provisioning
