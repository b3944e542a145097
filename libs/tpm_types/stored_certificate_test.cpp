#include "tpm_types/stored_certificate.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace warifu::tpm {
namespace {

Bytes joined(ByteView a, ByteView b) {
  Bytes out(a.size() + b.size());
  std::ranges::copy(a, out.begin());
  std::ranges::copy(b, out.begin() + static_cast<std::ptrdiff_t>(a.size()));
  return out;
}

Bytes with_padding(const Bytes& content, std::uint8_t padding) {
  return joined(content, Bytes(100, padding));
}

Bytes long_form() {
  return joined(from_hex("30820100").value(), Bytes(256, 7));
}

// Tag, type, size and inner tag before `certificate`.
Bytes with_header(const Bytes& certificate, std::size_t size, std::uint8_t type = 0) {
  return joined(
      Bytes{0x10, 0x01, type, static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size), 0x10, 0x02},
      certificate);
}

bool is(ByteView a, const Bytes& b) {
  return std::ranges::equal(a, b);
}

TEST(StoredCertificate, K1_TakesTheSequenceAndLeavesThePadding) {
  for (const Bytes& certificate : {Bytes{0x30, 0x03, 1, 2, 3}, long_form()}) {
    EXPECT_TRUE(is(stored_certificate(certificate).value().der, certificate));
    for (const std::uint8_t filler : Bytes{0x00, 0xFF}) {
      const Bytes padded = with_padding(certificate, filler);
      const auto stored = stored_certificate(padded).value();
      EXPECT_TRUE(is(stored.der, certificate));
      EXPECT_EQ(stored.padding, 100U);
      EXPECT_FALSE(stored.odd_padding);
    }
  }
}

TEST(StoredCertificate, K1_SaysWhenWhatFollowsIsNoPadding) {
  for (const Bytes& tail : {Bytes{1}, Bytes{0, 0xFF}, Bytes{0xFF, 0xFF, 0}, Bytes{0x30, 0x01, 0x00}}) {
    const Bytes content = joined(long_form(), tail);
    const auto stored = stored_certificate(content).value();
    EXPECT_TRUE(is(stored.der, long_form()));
    EXPECT_TRUE(stored.odd_padding) << to_hex(tail);
  }
}

TEST(StoredCertificate, K1_TakesTheHeaderOfTheTcgOff) {
  const Bytes certificate = long_form();
  for (const std::size_t size : {certificate.size() + 2, certificate.size()}) {
    const Bytes content = with_padding(with_header(certificate, size), 0xFF);
    const auto stored = stored_certificate(content).value();
    EXPECT_TRUE(stored.has_header);
    EXPECT_TRUE(is(stored.der, certificate));
    EXPECT_EQ(stored.padding, 100U);
  }
}

TEST(StoredCertificate, K1_RefusesAHeaderThatLies) {
  const Bytes certificate = long_form();
  EXPECT_FALSE(stored_certificate(with_header(certificate, 0xFFFF)));
  EXPECT_FALSE(stored_certificate(with_header(certificate, 0)));
  EXPECT_FALSE(stored_certificate(with_header(certificate, certificate.size(), 1))) << "a partial certificate";
  Bytes other_tag = with_header(certificate, certificate.size());
  other_tag[6] = 0x03;
  EXPECT_FALSE(stored_certificate(other_tag));
}

TEST(StoredCertificate, RefusesWhatIsCutOff) {
  for (const Bytes& whole : {long_form(), with_header(long_form(), 262)}) {
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_FALSE(stored_certificate(ByteView(whole).first(size))) << size;
  }
}

TEST(StoredCertificate, RefusesWhatIsNoneOrLies) {
  for (const Bytes& content :
       {Bytes(64, 0x00), Bytes(64, 0xFF), Bytes{0x31, 0x01, 0x00}, Bytes{0x30, 0x00}, Bytes{0x30, 0x80, 0, 0},
        Bytes{0x30, 0x85, 0, 0, 0, 0, 1, 9}, Bytes{0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 1}})
    EXPECT_FALSE(stored_certificate(content)) << to_hex(content);
}

TEST(StoredChain, IsOneCertificateAfterAnother) {
  const Bytes first{0x30, 0x03, 1, 2, 3};
  const Bytes both = joined(first, long_form());
  for (const Bytes& content : {both, with_padding(both, 0x00), with_padding(both, 0xFF)}) {
    const auto chain = stored_chain(content, 2);
    ASSERT_EQ(chain.size(), 2U);
    EXPECT_TRUE(is(chain[0], first));
    EXPECT_TRUE(is(chain[1], long_form()));
    EXPECT_TRUE(stored_chain(content, 1).empty()) << "one more than may be there";
  }
  EXPECT_TRUE(stored_chain({}, 2).empty());
  for (std::size_t size = first.size() + 1; size < both.size(); ++size)
    EXPECT_TRUE(stored_chain(ByteView(both).first(size), 2).empty()) << "cut off after " << size;
}

}  // namespace
}  // namespace warifu::tpm
