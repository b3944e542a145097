#include "tpm_types/authentication_key_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/writer.h"

namespace warifu::tpm {
namespace {

struct Object {
  std::uint32_t attributes = 0x00040440;
  std::uint16_t name_algorithm = 0x000B;
  Bytes policy = {};
  std::uint16_t hash = 0x000B;
  std::size_t unique = 32;
};

Bytes blob(const Object& object, std::size_t uri_data = 0) {
  wire::Writer area;
  area.u16(0x0008).u16(object.name_algorithm).u32(object.attributes).sized16(object.policy);
  area.u16(0x0005).u16(object.hash).sized16(Bytes(object.unique, 7));
  wire::Writer out;
  out.sized16(Bytes(52, 1)).sized16(Bytes(256, 2)).sized16(Bytes(142, 3)).sized16(Bytes(256, 4));
  return out.sized16(area.view()).sized16(Bytes(uri_data)).take();
}

TEST(AuthenticationKeyParts, AreThoseThatTheServerMade) {
  const auto parts = AuthenticationKeyParts::parse(blob({}, 154));
  ASSERT_TRUE(parts) << to_string(parts.error());
  EXPECT_EQ(parts->id_object, Bytes(52, 1));
  EXPECT_EQ(parts->encrypted_secret, Bytes(256, 2));
  EXPECT_EQ(parts->private_area, Bytes(142, 3));
  EXPECT_EQ(parts->encrypted_seed, Bytes(256, 4));
  EXPECT_EQ(parts->object.attributes().bits(), 0x00040440u);
  EXPECT_EQ(parts->uri_data_size, 154u);
}

TEST(AuthenticationKeyParts, RefuseEveryTruncationAndWhatFollows) {
  Bytes whole = blob({});
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(AuthenticationKeyParts::parse(ByteView(whole).first(size))) << size;
  whole.push_back(0);
  EXPECT_EQ(AuthenticationKeyParts::parse(whole).error().code, "wire.trailing");
}

TEST(AuthenticationKeyParts, RefuseAnyKeyButAnHmacKeyThatOnlySigns) {
  const Object rows[] = {
      {.attributes = 0x00060440},                          // decrypts too
      {.attributes = 0x00040442},                          // claims to be fixed in the TPM
      {.attributes = 0x00040040},                          // dictionary attacks lock it
      {.attributes = 0x00040400, .policy = Bytes(32, 1)},  // by policy
      {.policy = Bytes(32, 1)},                            // by policy too
      {.name_algorithm = 0x000C, .unique = 48},            // SHA-384
      {.hash = 0x0004},                                    // HMAC with SHA-1
      {.unique = 0},                                       // a template
  };
  for (const Object& row : rows) {
    const auto parts = AuthenticationKeyParts::parse(blob(row));
    ASSERT_FALSE(parts);
    EXPECT_EQ(parts.error().code, "tpm.activation.object") << to_string(parts.error());
  }
}

TEST(AuthenticationKeyParts, MayBeOfAKeyThatWorksByOnePolicyAlone) {
  const Bytes policy(32, 1);
  const HmacUse by_policy{ObjectAttributes(0x00040400), policy};
  EXPECT_TRUE(AuthenticationKeyParts::parse(blob({.attributes = 0x00040400, .policy = policy}), by_policy));
  const Object rows[] = {
      {},                                                  // without one
      {.policy = policy},                                  // and without it as well: userWithAuth
      {.attributes = 0x00040400},                          // by nothing at all
      {.attributes = 0x00040400, .policy = Bytes(32, 2)},  // by another
      {.attributes = 0x00060400, .policy = policy},        // decrypts too
  };
  for (const Object& row : rows) {
    const auto parts = AuthenticationKeyParts::parse(blob(row), by_policy);
    ASSERT_FALSE(parts);
    EXPECT_EQ(parts.error().code, "tpm.activation.object") << to_string(parts.error());
  }
}

TEST(AuthenticationKeyParts, MayBeOfAKeyThatBearsAMark) {
  const Bytes policy(32, 1);
  const HmacUse marked{ObjectAttributes(0x00040440), policy};
  EXPECT_TRUE(AuthenticationKeyParts::parse(blob({.policy = policy}), marked));
  const Object rows[] = {
      {},                                            // a hub key
      {.policy = Bytes(32, 2)},                      // another mark
      {.attributes = 0x00040400, .policy = policy},  // by that policy alone
  };
  for (const Object& row : rows) {
    const auto parts = AuthenticationKeyParts::parse(blob(row), marked);
    ASSERT_FALSE(parts);
    EXPECT_EQ(parts.error().code, "tpm.activation.object") << to_string(parts.error());
  }
}

}  // namespace
}  // namespace warifu::tpm
