#include "crypto/digest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/cfb.h"

namespace warifu::crypto {
namespace {

std::string hash_of(HashAlgorithm algorithm, std::string_view text) {
  return to_hex(digest(algorithm, {as_bytes(text)}).bytes());
}

// FIPS 180-4, the examples published with it: "abc".
TEST(Digest, FollowsTheExamplesOfFips180) {
  EXPECT_EQ(hash_of(HashAlgorithm::kSha1, "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hash_of(HashAlgorithm::kSha256, "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash_of(HashAlgorithm::kSha384, "abc"),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(hash_of(HashAlgorithm::kSha512, "abc"),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(hash_of(HashAlgorithm::kSha256, ""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// GB/T 32905-2016, A.1.
TEST(Digest, FollowsTheExampleOfSm3) {
  EXPECT_EQ(hash_of(HashAlgorithm::kSm3, "abc"), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
}

TEST(Digest, OfPartsIsThatOfTheirConcatenation) {
  EXPECT_EQ(digest(HashAlgorithm::kSha256, {as_bytes("a"), {}, as_bytes("bc")}),
            digest(HashAlgorithm::kSha256, {as_bytes("abc")}));
  EXPECT_EQ(hmac(HashAlgorithm::kSha384, as_bytes("k"), {as_bytes("a"), as_bytes("bc")}),
            hmac(HashAlgorithm::kSha384, as_bytes("k"), {as_bytes("abc")}));
}

// RFC 4231 §4: test cases 1, 2, 3 and 6 (a key longer than the block).
TEST(Hmac, FollowsRfc4231) {
  struct Row {
    Bytes key;
    Bytes data;
    std::string sha256, sha384;
  };
  const Row rows[] = {
      {Bytes(20, 0x0b), to_bytes(as_bytes("Hi There")),
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
       "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6"},
      {to_bytes(as_bytes("Jefe")), to_bytes(as_bytes("what do ya want for nothing?")),
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
       "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"},
      {Bytes(20, 0xaa), Bytes(50, 0xdd), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
       "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b94e3ab6e101a34f27"},
      {Bytes(131, 0xaa), to_bytes(as_bytes("Test Using Larger Than Block-Size Key - Hash Key First")),
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
       "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(to_hex(hmac(HashAlgorithm::kSha256, row.key, {row.data}).bytes()), row.sha256);
    EXPECT_EQ(to_hex(hmac(HashAlgorithm::kSha384, row.key, {row.data}).bytes()), row.sha384);
  }
}

// NIST SP 800-38A F.3.13 ff. (CFB128). The example's IV is not zero: the first block of its input is one AES call,
// which a zero IV followed by IV-as-plaintext reproduces: CFB(0 IV) of [E(0) xor IV | P] continues exactly as CFB(IV)
// of P.
TEST(Cfb, FollowsSp80038A) {
  struct Row {
    std::string_view key, cipher;
  };
  const Row rows[] = {
      {"2b7e151628aed2a6abf7158809cf4f3c",
       "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b"
       "26751f67a3cbb140b1808cf187a4f4dfc04b05357c5d1c0eeac4c66f9ff7f2e6"},
      {"8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
       "cdc80d6fddf18cab34c25909c99a417467ce7f7f81173621961a2b70171d3d7a"
       "2e1e8a1dd59b88b1c8e60fed1efac4c9c05f9f9ca9834fa042ae8fba584b09ff"},
      {"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
       "dc7e84bfda79164b7ecd8486985d386039ffed143b28b1c832113c6331e5407b"
       "df10132415e54b92a13ed0a8267ae2f975a385741ab9cef82031623d55b1e471"},
  };
  const Bytes plain = *from_hex(
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
      "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
  const Bytes iv = *from_hex("000102030405060708090a0b0c0d0e0f");
  for (const Row& row : rows) {
    const Bytes key = *from_hex(row.key);
    Bytes data(16);
    cfb_encrypt(key, data);  // E(0)
    for (std::size_t i = 0; i < iv.size(); ++i)
      data[i] ^= iv[i];
    data.insert(data.end(), plain.begin(), plain.end());
    const Bytes before = data;
    cfb_encrypt(key, data);
    EXPECT_EQ(to_hex(data), to_hex(iv) + std::string(row.cipher));
    cfb_decrypt(key, data);
    EXPECT_EQ(data, before);
  }
}

TEST(Cfb, KeepsThePositionOfAPartialBlock) {
  const Bytes key(16, 7);
  Bytes whole(40, 1);
  Bytes part(18, 1);
  cfb_encrypt(key, whole);
  cfb_encrypt(key, part);
  whole.resize(part.size());
  EXPECT_EQ(whole, part);
  cfb_decrypt(key, part);
  EXPECT_EQ(part, Bytes(18, 1));
}

}  // namespace
}  // namespace warifu::crypto
