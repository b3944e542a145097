#include "tpm_types/tss2_private_key.h"

#include <gtest/gtest.h>

#include "wire/der.h"

namespace warifu::tpm {
namespace {

Bytes content_of(const std::string& pem) {
  std::string base64;
  for (std::size_t at = 0, end = 0; (end = pem.find('\n', at)) != std::string::npos; at = end + 1) {
    EXPECT_LE(end - at, 64U);
    if (pem[at] != '-') base64 += pem.substr(at, end - at);
  }
  return from_base64(base64).value();
}

TEST(Tss2PrivateKey, HasTheBytesOfItsDescription) {
  EXPECT_EQ(to_hex(content_of(tss2_private_key_pem(0x81000001, Bytes{1, 2, 3}, Bytes{4, 5}))),
            "301d"
            "06066781050a0103"
            "a0030101ff"
            "02050081000001"
            "0403010203"
            "04020405");
  const std::string pem = tss2_private_key_pem(0x40000001, Bytes(100), Bytes(200));
  EXPECT_TRUE(pem.starts_with("-----BEGIN TSS2 PRIVATE KEY-----\n"));
  EXPECT_TRUE(pem.ends_with("\n-----END TSS2 PRIVATE KEY-----\n"));
}

TEST(Tss2PrivateKey, IsReadBackWhateverTheSizes) {
  for (const std::size_t size : {0U, 1U, 90U, 127U, 128U, 255U, 256U, 600U}) {
    const Bytes public_area(size, 7), private_area(size + 1, 8);
    const Bytes encoded = content_of(tss2_private_key_pem(0x40000001, public_area, private_area));
    wire::DerReader outer(encoded);
    auto key = outer.enter(wire::der::kSequence, "TPMKey");
    ASSERT_TRUE(key && outer.done()) << size;
    const auto type = key->oid("type");
    EXPECT_EQ(wire::oid_text(*type).value(), "2.23.133.10.1.3");
    auto empty_auth = key->enter(wire::der::context_constructed(0), "emptyAuth");
    EXPECT_TRUE(empty_auth->boolean("emptyAuth").value());
    EXPECT_EQ(key->small_integer("parent").value(), 0x40000001U);
    const auto first = key->element(wire::der::kOctetString, "pubkey");
    const auto second = key->element(wire::der::kOctetString, "privkey");
    ASSERT_TRUE(first && second) << size;
    EXPECT_EQ(to_bytes(first->content), public_area);
    EXPECT_EQ(to_bytes(second->content), private_area);
    EXPECT_TRUE(key->done());
  }
}

}  // namespace
}  // namespace warifu::tpm
