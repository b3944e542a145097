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

struct CreationFields {
  Bytes pcr_digest = Bytes(32, 0xD4);
  std::uint16_t parent_algorithm = 0x0010;  // TPM_ALG_NULL
  Bytes parent_name = {0x40, 0, 0, 0x0b};
  Bytes outside_info = {};
};
Bytes creation_data(const CreationFields& fields = {}) {
  wire::Writer out;
  out.u32(1).u16(0x000b).u8(3).u8(0x81).u8(0).u8(0);
  out.sized16(fields.pcr_digest).u8(1).u16(fields.parent_algorithm);
  return out.sized16(fields.parent_name).sized16(fields.parent_name).sized16(fields.outside_info).take();
}
std::string creation_data_code(ByteView bytes) {
  const auto data = CreationData::parse(bytes);
  return data ? "" : std::string(data.error().code);
}

TEST(CreationData, SaysUnderWhatTheObjectWasMade) {
  const auto data = CreationData::parse(creation_data({.outside_info = Bytes(5, 0xE5)})).value();
  EXPECT_EQ(data.selections.size(), 1U);
  EXPECT_EQ(data.pcr_digest, Bytes(32, 0xD4));
  EXPECT_EQ(data.locality, 1);
  EXPECT_EQ(data.parent_qualified_name, (Bytes{0x40, 0, 0, 0x0b}));
  EXPECT_EQ(data.outside_info, Bytes(5, 0xE5));
  EXPECT_TRUE(data.is_under(kEndorsementHierarchy));
  EXPECT_FALSE(data.is_under(0x40000001)) << "the owner's";
  const auto is_under = [](const CreationFields& fields) {
    return CreationData::parse(creation_data(fields))->is_under(kEndorsementHierarchy);
  };
  EXPECT_FALSE(is_under({.parent_name = {0x40, 0, 0, 1}}));
  EXPECT_FALSE(is_under({.parent_algorithm = 0x000b, .parent_name = Bytes(34, 0x0b)})) << "a key";
  EXPECT_FALSE(is_under({.parent_algorithm = 0x000b})) << "neither of the two";
  EXPECT_FALSE(is_under({.parent_name = {0x40, 0, 0, 0x0b, 0}}));
  EXPECT_FALSE(is_under({.parent_name = {}}));
}

TEST(CreationData, EveryByteBelongsToSomething) {
  const Bytes bytes = creation_data();
  EXPECT_EQ(creation_data_code(bytes), "");
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(creation_data_code(ByteView(bytes).first(size)), "wire.truncated") << size;
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(creation_data_code(longer), "wire.trailing");
  EXPECT_EQ(creation_data_code(creation_data({.pcr_digest = Bytes(65)})), "tpm.attest.pcr-digest");
  EXPECT_EQ(creation_data_code(creation_data({.parent_name = Bytes(67)})), "tpm.attest.name");
  EXPECT_EQ(creation_data_code(creation_data({.outside_info = Bytes(67)})), "tpm.attest.extra-data");
}

}  // namespace
}  // namespace warifu::tpm
