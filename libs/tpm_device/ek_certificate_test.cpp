#include "tpm_device/ek_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace warifu::tpm_device {
namespace {

Bytes with_padding(Bytes content, std::uint8_t padding) {
  content.resize(content.size() + 100, padding);
  return content;
}

TEST(TrimCertificate, TakesTheSequenceAndLeavesThePadding) {
  const Bytes short_form = {0x30, 0x03, 1, 2, 3};
  Bytes long_form = {0x30, 0x82, 0x01, 0x00};
  long_form.resize(4 + 256, 7);
  for (const Bytes& certificate : {short_form, long_form}) {
    EXPECT_EQ(trim_certificate(certificate).value(), certificate);
    EXPECT_EQ(trim_certificate(with_padding(certificate, 0x00)).value(), certificate);
    EXPECT_EQ(trim_certificate(with_padding(certificate, 0xFF)).value(), certificate);
  }
}

TEST(TrimCertificate, RefusesWhatIsCutOff) {
  Bytes certificate = {0x30, 0x82, 0x01, 0x00};
  certificate.resize(4 + 256, 7);
  for (std::size_t size = 0; size < certificate.size(); ++size)
    EXPECT_FALSE(trim_certificate(ByteView(certificate).first(size))) << size;
}

TEST(TrimCertificate, RefusesWhatIsNoneOrLies) {
  for (const Bytes& content :
       {Bytes(64, 0x00), Bytes(64, 0xFF), Bytes{0x31, 0x01, 0x00}, Bytes{0x30, 0x00}, Bytes{0x30, 0x80, 0, 0},
        Bytes{0x30, 0x85, 0, 0, 0, 0, 1, 9}, Bytes{0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 1}})
    EXPECT_FALSE(trim_certificate(content)) << to_hex(content);
}

}  // namespace
}  // namespace warifu::tpm_device
