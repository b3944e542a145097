#include "provisioning/escrow_package.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "crypto/digest.h"

namespace warifu::provisioning {
namespace {

const std::string kEnvelopedData = "06092a864886f70d010703";
const std::string kAuthEnvelopedData = "060b2a864886f70d0109100117";
const std::string kSignedData = "06092a864886f70d010702";

// DER of a tag, the shortest length, and the content, all in hexadecimal.
std::string element(const std::string& tag, const std::string& content) {
  const std::size_t size = content.size() / 2;
  const std::string length = size < 0x80    ? fmt::format("{:02x}", size)
                             : size < 0x100 ? fmt::format("81{:02x}", size)
                                            : fmt::format("82{:04x}", size);
  return tag + length + content;
}

std::string package(const std::string& type, std::size_t inner_size = 3) {
  std::string inner;
  for (std::size_t i = 0; i < inner_size; ++i)
    inner += "5a";
  return element("30", type + element("a0", element("30", inner)));
}

Bytes from(const std::string& hex) {
  return from_hex(hex).value();
}

std::string code_of(Bytes der) {
  const auto parsed = EscrowPackage::parse(std::move(der));
  return parsed ? "taken" : std::string(parsed.error().code);
}

TEST(EscrowPackage, TakesBothKindsOfEnvelopeInEveryLengthOfDer) {
  for (const auto& type : {kEnvelopedData, kAuthEnvelopedData})
    for (const std::size_t size : {0U, 1U, 100U, 110U, 127U, 128U, 200U, 255U, 256U, 6000U}) {
      const Bytes der = from(package(type, size));
      const auto parsed = EscrowPackage::parse(der);
      ASSERT_TRUE(parsed) << size << ": " << to_string(parsed.error());
      EXPECT_EQ(to_bytes(parsed->der()), der);
      EXPECT_EQ(parsed->sha256(), to_bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {der}).bytes()));
    }
}

TEST(EscrowPackage, RefusesWhatIsCutAtAnyByteAndWhatGoesOn) {
  const Bytes whole = from(package(kAuthEnvelopedData, 300));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(code_of(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))), "escrow.package")
        << size;
  Bytes longer = whole;
  longer.push_back(0);
  EXPECT_EQ(code_of(longer), "escrow.package");
}

TEST(EscrowPackage, RefusesWhatIsNotEncryptedAndWhatIsNotDer) {
  const std::string inner = element("30", "5a5a5a");
  const struct {
    std::string what, hex;
  } rows[] = {
      {"signed, not encrypted", package(kSignedData)},
      {"text", "7b226b696e64223a2274706d2d6c6f636b6f75742d61757468227d"},
      {"no ContentInfo", element("31", kEnvelopedData + element("a0", inner))},
      {"no type", element("30", element("a0", inner))},
      {"no content", element("30", kEnvelopedData)},
      {"another tag of the content", element("30", kEnvelopedData + element("a1", inner))},
      {"no EnvelopedData", element("30", kEnvelopedData + element("a0", ""))},
      {"a string for EnvelopedData", element("30", kEnvelopedData + element("a0", element("04", "5a")))},
      {"two contents", element("30", kEnvelopedData + element("a0", inner) + element("a0", inner))},
      {"more inside of the content", element("30", kEnvelopedData + element("a0", inner + "0500"))},
      {"the indefinite form", "3080" + kEnvelopedData + "a080" + "3080" + "00000000" + "0000"},
      {"a length in more octets than it needs", "308112" + kEnvelopedData + element("a0", inner)},
      {"a length in two octets that fits one", "30820012" + kEnvelopedData + element("a0", inner)},
      {"a length of four octets", "308400000012" + kEnvelopedData + element("a0", inner)},
      {"a length beyond the end", "3013" + kEnvelopedData + element("a0", inner)},
      {"a type beyond the end", "30120670" + kEnvelopedData.substr(4) + element("a0", inner)},
  };
  for (const auto& row : rows)
    EXPECT_EQ(code_of(from(row.hex)), "escrow.package") << row.what;
}

TEST(EscrowPackage, RefusesWhatIsTooBigBeforeItLooksInside) {
  const std::size_t around = package(kEnvelopedData, 6000).size() / 2 - 6000;
  EXPECT_EQ(code_of(from(package(kEnvelopedData, EscrowPackage::kSizeMax - around))), "taken");
  EXPECT_EQ(code_of(from(package(kEnvelopedData, EscrowPackage::kSizeMax - around + 1))), "escrow.package.size");
  EXPECT_EQ(code_of(Bytes(EscrowPackage::kSizeMax + 1)), "escrow.package.size");
}

TEST(EscrowPackage, NamesThePlaceOfWhatIsWrong) {
  const auto refused = EscrowPackage::parse(from(element("30", kEnvelopedData + element("a1", "3000"))));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().where, "content, offset 13");
}

}  // namespace
}  // namespace warifu::provisioning
