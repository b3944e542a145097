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

}  // namespace
}  // namespace warifu::tpm
