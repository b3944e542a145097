#include "tpm_types/attest.h"

#include <gtest/gtest.h>

#include "wire/writer.h"

namespace warifu::tpm {
namespace {

struct Selected {
  std::uint16_t bank;
  Bytes bits;
};

std::string code_of(std::initializer_list<Selected> selections) {
  wire::Writer out;
  out.u32(0xff544347).u16(0x8018).sized16({}).sized16({}).u64(1).u32(1).u32(1).u8(1).u64(1);
  out.u32(static_cast<std::uint32_t>(selections.size()));
  for (const Selected& one : selections)
    out.u16(one.bank).u8(static_cast<std::uint8_t>(one.bits.size())).bytes(one.bits);
  const auto quote = QuoteAttest::parse(out.sized16(Bytes(32)).take());
  return quote ? "" : std::string(quote.error().code);
}

TEST(QuoteAttest, Q6_RegistersAreThoseThatAPlatformHas) {
  EXPECT_EQ(code_of({{0x000B, {0, 0, 0x80}}}), "");
  EXPECT_EQ(code_of({{0x000B, {0, 0, 0x80, 0}}}), "");
  for (int bit = 0; bit < 8; ++bit)
    EXPECT_EQ(code_of({{0x000B, {1, 0, 0, static_cast<std::uint8_t>(1 << bit)}}}), "tpm.pcr-selection.index");
}

TEST(QuoteAttest, Q6_ARegisterOfABankIsSelectedOnce) {
  EXPECT_EQ(code_of({{0x000B, {1, 0, 0}}, {0x0004, {1, 0, 0}}}), "");
  EXPECT_EQ(code_of({{0x000B, {1, 0, 0}}, {0x000B, {2, 0, 0}}}), "");
  EXPECT_EQ(code_of({{0x000B, {1, 0, 0}}, {0x000B, {3, 0, 0}}}), "tpm.pcr-selection.repeated");
  EXPECT_EQ(code_of({{0x000B, {0, 0, 8}}, {0x0004, {0, 0, 8}}, {0x000B, {0, 0, 8}}}), "tpm.pcr-selection.repeated");
  // One that nobody computes with is a bank too.
  EXPECT_EQ(code_of({{0x7777, {1, 0, 0}}, {0x7777, {1, 0, 0}}}), "tpm.pcr-selection.repeated");
}

// TPMS_ATTEST of TPM2_Certify (0x8017) over an object with this Name.
wire::Writer certified(std::uint16_t type = 0x8017) {
  wire::Writer out;
  out.u32(0xff544347).u16(type).sized16(Bytes(34, 0x51)).sized16(Bytes(32, 0xE7));
  return out.u64(5000).u32(7).u32(1).u8(1).u64(0x2019102300163636);
}
Bytes whole() {
  return certified().sized16(Bytes(34, 0xA1)).sized16(Bytes(34, 0xB2)).take();
}
std::string certify_code(ByteView bytes) {
  const auto attest = CertifyAttest::parse(bytes);
  return attest ? "" : std::string(attest.error().code);
}

TEST(CertifyAttest, SaysWhichObjectWasCertified) {
  const auto attest = CertifyAttest::parse(whole());
  ASSERT_TRUE(attest);
  EXPECT_EQ(attest->qualified_signer, Bytes(34, 0x51));
  EXPECT_EQ(attest->extra_data, Bytes(32, 0xE7));
  EXPECT_EQ(attest->clock, (ClockInfo{.clock_ms = 5000, .reset_count = 7, .restart_count = 1, .safe = true}));
  EXPECT_EQ(attest->firmware_version, 0x2019102300163636U);
  EXPECT_EQ(attest->name, Bytes(34, 0xA1));
  EXPECT_EQ(attest->qualified_name, Bytes(34, 0xB2));
}

TEST(CertifyAttest, EveryByteBelongsToSomething) {
  const Bytes bytes = whole();
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(certify_code(ByteView(bytes).first(size)), "wire.truncated") << size;
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(certify_code(longer), "wire.trailing");
}

TEST(CertifyAttest, AQuoteIsNoneAndItIsNoQuote) {
  EXPECT_EQ(certify_code(certified(0x8018).sized16({}).sized16({}).take()), "tpm.attest.type");
  const auto quote = QuoteAttest::parse(whole());
  ASSERT_FALSE(quote);
  EXPECT_EQ(quote.error().code, "tpm.attest.type");
}

TEST(CertifyAttest, ANameHasAnEnd) {
  EXPECT_EQ(certify_code(certified().sized16(Bytes(67)).sized16({}).take()), "tpm.attest.name");
  EXPECT_EQ(certify_code(certified().sized16({}).sized16(Bytes(67)).take()), "tpm.attest.name");
}

std::string creation_code(ByteView bytes) {
  const auto attest = CreationAttest::parse(bytes);
  return attest ? "" : std::string(attest.error().code);
}

TEST(CreationAttest, SaysWhichObjectTheTpmMade) {
  const Bytes bytes = certified(0x801a).sized16(Bytes(34, 0xA1)).sized16(Bytes(32, 0xC3)).take();
  const auto attest = CreationAttest::parse(bytes);
  ASSERT_TRUE(attest);
  EXPECT_EQ(attest->extra_data, Bytes(32, 0xE7));
  EXPECT_EQ(attest->name, Bytes(34, 0xA1));
  EXPECT_EQ(attest->creation_hash, Bytes(32, 0xC3));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(creation_code(ByteView(bytes).first(size)), "wire.truncated") << size;
  EXPECT_EQ(creation_code(certified(0x801a).sized16({}).sized16({}).u8(0).take()), "wire.trailing");
}

TEST(CreationAttest, IsNoCertification) {
  EXPECT_EQ(creation_code(whole()), "tpm.attest.type");
  EXPECT_EQ(certify_code(certified(0x801a).sized16({}).sized16({}).take()), "tpm.attest.type");
  EXPECT_EQ(creation_code(certified(0x801a).sized16(Bytes(67)).sized16({}).take()), "tpm.attest.name");
  EXPECT_EQ(creation_code(certified(0x801a).sized16({}).sized16(Bytes(65)).take()), "tpm.attest.creation-hash");
}

}  // namespace
}  // namespace warifu::tpm
