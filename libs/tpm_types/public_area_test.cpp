#include "tpm_types/public_area.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tss2/tss2_mu.h>

#include <functional>
#include <vector>

#include "tpm_types/test_keys.h"

namespace warifu::tpm {
namespace {

std::string_view code_of(const Result<PublicArea>& area) {
  return area ? "accepted" : area.error().code;
}

Bytes keyed_hash(ByteView scheme, ByteView unique) {
  return sized(wire::Writer().u16(8).u16(0x000B).u32(0x00040440).sized16({}).bytes(scheme).sized16(unique).take());
}

TEST(PublicArea, SaysWhatAnRsaKeySays) {
  const Bytes bytes = tpm2b_of(ek_fields());
  EXPECT_EQ(bytes.size(), 316u);
  const auto area = PublicArea::from_tpm2b(bytes);
  ASSERT_TRUE(area);
  const auto* rsa = std::get_if<RsaParameters>(&area->parameters());
  ASSERT_NE(rsa, nullptr);
  EXPECT_EQ(rsa->key_bits, 2048);
  EXPECT_EQ(rsa->exponent, 0u);
  EXPECT_EQ(rsa->symmetric, AesCfb{128});
  EXPECT_EQ(rsa->scheme, Scheme{});
  EXPECT_EQ(area->attributes(), ObjectAttributes(0x000300B2));
  EXPECT_EQ(to_bytes(area->auth_policy()), Bytes(32, 0x83));
  EXPECT_EQ(to_bytes(area->unique()), Bytes(256, 0xC5));
  EXPECT_EQ(to_bytes(area->tpm2b()), bytes);
  EXPECT_EQ(to_bytes(area->name().bytes()),
            wire::Writer()
                .u16(0x000B)
                .bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {tpmt_of(ek_fields())}).bytes())
                .take());
}

TEST(PublicArea, KeepsItsViewsWhenItIsMovedAndCopied) {
  auto area = PublicArea::from_tpm2b(tpm2b_of(ek_fields()));
  ASSERT_TRUE(area);
  const PublicArea copy = *area;
  const PublicArea moved = std::move(*area);
  EXPECT_EQ(to_bytes(copy.unique()), Bytes(256, 0xC5));
  EXPECT_EQ(to_bytes(moved.unique()), Bytes(256, 0xC5));
  EXPECT_EQ(copy, moved);
}

TEST(PublicArea, TakesTheBareStructureOnlyWhereItIsAskedTo) {
  const Bytes bare = tpmt_of(ek_fields());
  const Bytes whole = tpm2b_of(ek_fields());
  EXPECT_EQ(*PublicArea::from_any(bare), *PublicArea::from_any(whole));
  EXPECT_EQ(*PublicArea::from_tpmt(bare), *PublicArea::from_tpm2b(whole));
  EXPECT_FALSE(PublicArea::from_tpm2b(bare));
  EXPECT_FALSE(PublicArea::from_tpmt(whole));
  EXPECT_FALSE(PublicArea::from_any({}));
  EXPECT_FALSE(PublicArea::from_tpmt(Bytes(65536)));
}

TEST(PublicArea, RefusesEveryTruncation) {
  for (const Bytes& whole :
       {tpm2b_of(ek_fields()), ecc_tpm2b(3, Bytes(32, 1), Bytes(32, 2)), keyed_hash(Bytes{0, 5, 0, 0x0b}, Bytes(32))}) {
    ASSERT_TRUE(PublicArea::from_tpm2b(whole));
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_EQ(code_of(PublicArea::from_tpm2b(ByteView(whole).first(size))), "wire.truncated") << size;
    }
    // Cut inside, with a size field that agrees.
    for (std::size_t size = 2; size < whole.size(); ++size)
      EXPECT_FALSE(PublicArea::from_tpmt(ByteView(whole).subspan(2, size - 2))) << size;
  }
}

TEST(PublicArea, RefusesEverySizeThatLies) {
  struct Row {
    Bytes whole;
    std::vector<std::size_t> sizes;  // where the size fields are
  };
  const Row rows[] = {
      {tpm2b_of(ek_fields()), {0, 10, 58}},
      {ecc_tpm2b(3, Bytes(32, 1), Bytes(32, 2)), {0, 10, 56, 90}},
      {keyed_hash(Bytes{0, 5, 0, 0x0b}, Bytes(32)), {0, 10, 16}},
  };
  for (const Row& row : rows) {
    for (const std::size_t at : row.sizes) {
      const int size = row.whole[at] << 8 | row.whole[at + 1];
      for (const int lie : {0, size - 1, size + 1, 0xffff}) {
        if (lie == size || lie < 0) continue;
        Bytes bad = row.whole;
        bad[at] = static_cast<std::uint8_t>(lie >> 8);
        bad[at + 1] = static_cast<std::uint8_t>(lie & 0xff);
        EXPECT_FALSE(PublicArea::from_tpm2b(bad)) << "size at " << at << " = " << lie;
      }
    }
    Bytes trailing = row.whole;
    trailing.push_back(0);
    EXPECT_EQ(code_of(PublicArea::from_tpm2b(trailing)), "wire.trailing");
    trailing = sized(ByteView(trailing).subspan(2));
    EXPECT_EQ(code_of(PublicArea::from_tpm2b(trailing)), "wire.trailing");
  }
}

TEST(PublicArea, RefusesAFieldThatIsWrong) {
  struct Row {
    std::function<void(RsaFields&)> change;
    std::string_view code;
  };
  const Row rows[] = {
      {[](auto& f) { f.type = 0x0025; }, "tpm.public.type"},
      {[](auto& f) { f.type = 0; }, "tpm.public.type"},
      {[](auto& f) { f.name_algorithm = 0x0010; }, "tpm.algorithm.hash"},
      {[](auto& f) { f.name_algorithm = 0x0012; }, "tpm.algorithm.hash"},
      {[](auto& f) { f.attributes |= 1; }, "tpm.public.attributes"},
      {[](auto& f) { f.attributes |= 0x80000000; }, "tpm.public.attributes"},
      {[](auto& f) { f.policy = Bytes(31); }, "tpm.public.auth-policy"},
      {[](auto& f) { f.policy = Bytes(48); }, "tpm.public.auth-policy"},
      {[](auto& f) { f.symmetric = {0x00, 0x26, 0x00, 0x80, 0x00, 0x43}; }, "tpm.public.symmetric"},
      {[](auto& f) { f.symmetric = {0x00, 0x06, 0x00, 0x81, 0x00, 0x43}; }, "tpm.public.symmetric"},
      {[](auto& f) { f.symmetric = {0x00, 0x06, 0x00, 0x80, 0x00, 0x42}; }, "tpm.public.symmetric"},
      {[](auto& f) {
         f.scheme = {0x00, 0x18, 0x00, 0x0b};
       },
       "tpm.public.scheme"},
      {[](auto& f) {
         f.scheme = {0x00, 0x14, 0x00, 0x10};
       },
       "tpm.algorithm.hash"},
      {[](auto& f) { f.key_bits = 512; }, "tpm.public.key-bits"},
      {[](auto& f) { f.key_bits = 8192; }, "tpm.public.key-bits"},
      {[](auto& f) { f.key_bits = 2047; }, "tpm.public.key-bits"},
      {[](auto& f) { f.modulus = Bytes(257, 0xC5); }, "tpm.public.unique"},
  };
  for (const Row& row : rows) {
    RsaFields fields = ek_fields();
    row.change(fields);
    EXPECT_EQ(code_of(PublicArea::from_tpm2b(tpm2b_of(fields))), row.code);
  }
  EXPECT_EQ(code_of(PublicArea::from_tpm2b(ecc_tpm2b(0x0005, Bytes(32), Bytes(32)))), "tpm.algorithm.curve");
  EXPECT_EQ(code_of(PublicArea::from_tpm2b(ecc_tpm2b(3, Bytes(33), Bytes(32)))), "tpm.public.unique");
  EXPECT_EQ(code_of(PublicArea::from_tpm2b(keyed_hash(Bytes{0, 0x14, 0, 0x0b}, Bytes(32)))), "tpm.public.scheme");
  EXPECT_EQ(code_of(PublicArea::from_tpm2b(keyed_hash(Bytes{0, 5, 0, 0x0b}, Bytes(31)))), "tpm.public.unique");
}

TEST(PublicArea, NamesTheFieldAndOffset) {
  RsaFields fields = ek_fields();
  fields.key_bits = 8192;
  const auto area = PublicArea::from_tpm2b(tpm2b_of(fields));
  ASSERT_FALSE(area);
  EXPECT_EQ(area.error().where, "keyBits, offset 54");
  EXPECT_THAT(area.error().message, testing::HasSubstr("8192"));
}

// tpm2-tss reads and writes the same structure.
TEST(PublicArea, AgreesWithTss2Mu) {
  RsaFields signing = ek_fields();
  signing.attributes = 0x00050072;
  signing.symmetric = {0x00, 0x10};
  signing.scheme = {0x00, 0x14, 0x00, 0x0b};
  for (const Bytes& ours : {tpm2b_of(ek_fields()), tpm2b_of(srk_fields()), tpm2b_of(signing),
                            ecc_tpm2b(3, Bytes(32, 1), Bytes(32, 2)), ecc_tpm2b(4, Bytes(48, 1), Bytes(48, 2), 0x000C),
                            keyed_hash(Bytes{0, 5, 0, 0x0b}, Bytes(32)), keyed_hash(Bytes{0, 0x10}, Bytes(32))}) {
    const auto area = PublicArea::from_tpm2b(ours);
    ASSERT_TRUE(area) << to_string(area.error());
    TPM2B_PUBLIC theirs{};
    std::size_t offset = 0;
    ASSERT_EQ(Tss2_MU_TPM2B_PUBLIC_Unmarshal(ours.data(), ours.size(), &offset, &theirs), TSS2_RC_SUCCESS);
    EXPECT_EQ(offset, ours.size());
    EXPECT_EQ(theirs.publicArea.objectAttributes, area->attributes().bits());
    EXPECT_EQ(theirs.publicArea.authPolicy.size, area->auth_policy().size());
    if (const auto* rsa = std::get_if<RsaParameters>(&area->parameters())) {
      EXPECT_EQ(theirs.publicArea.parameters.rsaDetail.keyBits, rsa->key_bits);
      EXPECT_EQ(theirs.publicArea.parameters.rsaDetail.scheme.scheme, static_cast<std::uint16_t>(rsa->scheme.id));
      EXPECT_EQ(theirs.publicArea.unique.rsa.size, area->unique().size());
    }
    Bytes written(sizeof theirs);
    std::size_t size = 0;
    ASSERT_EQ(Tss2_MU_TPM2B_PUBLIC_Marshal(&theirs, written.data(), written.size(), &size), TSS2_RC_SUCCESS);
    written.resize(size);
    EXPECT_EQ(written, to_bytes(area->tpm2b()));
  }
}

TEST(Name, IsReadBackAndNothingElseIs) {
  const Name name = Name::of(crypto::HashAlgorithm::kSha384, as_bytes("public"));
  EXPECT_EQ(name.bytes().size(), 50u);
  EXPECT_EQ(*Name::parse(name.bytes()), name);
  EXPECT_EQ(Name::parse(name.bytes().first(49)).error().code, "tpm.name");
  EXPECT_EQ(Name::parse({}).error().code, "wire.truncated");
  EXPECT_EQ(Name::parse(Bytes(34)).error().code, "tpm.algorithm.hash");
}

}  // namespace
}  // namespace warifu::tpm
