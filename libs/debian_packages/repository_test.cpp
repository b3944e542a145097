#include "debian_packages/repository.h"

#include <gtest/gtest.h>

#include "debian_packages/stanza.h"

namespace warifu::debian_packages {
namespace {

const std::string kDigest(64, 'a');

TEST(Stanza, HasFieldsThatGoOnInFurtherLines) {
  StanzaReader reader("# no comment is one\n", "f");
  EXPECT_FALSE(reader.next());
  StanzaReader good(
      "\n \nPackage: bash\nDescription: a shell\n that reads\n .\n commands\nSHA256:\n a 1 b\n\n\nPackage:x\n", "f");
  const auto first = good.next().value().value();
  EXPECT_EQ(first.find("package"), "bash");
  EXPECT_EQ(first.find("Description"), "a shell\n that reads\n .\n commands");
  EXPECT_EQ(first.find("SHA256"), "\n a 1 b");
  EXPECT_FALSE(first.find("Version"));
  EXPECT_EQ(first.required("Version").error().code, "debian.stanza");
  EXPECT_EQ(first.line(), 3u);
  EXPECT_EQ(good.next().value().value().find("Package"), "x");
  EXPECT_FALSE(good.next().value());
}

TEST(Stanza, WhatIsNoFieldIsRefusedWithItsLine) {
  for (const std::string& wrong :
       {std::string("Package: a\nno field\n"), std::string("A: 1\na: 2\n"), std::string("A: 1\n: 2\n"),
        std::string("A: 1\n-B: 2\n"), std::string("A: 1\nB\0: 2\n", 12), std::string("A: 1\nB C: 2\n")}) {
    const auto stanza = StanzaReader(wrong, "f").next();
    ASSERT_FALSE(stanza) << wrong;
    EXPECT_EQ(stanza.error().code, "debian.stanza");
    EXPECT_EQ(stanza.error().where, "f:2") << wrong;
  }
  EXPECT_FALSE(StanzaReader(" goes on\n", "f").next());
  std::string many;
  for (std::size_t i = 0; i <= StanzaReader::kFieldsMax; ++i)
    many += "F" + std::to_string(i) + ": x\n";
  EXPECT_FALSE(StanzaReader(many, "f").next());
}

std::string release(const std::string& lines, const std::string& more = {}) {
  return "Suite: stable\nCodename: bookworm\n" + more + "SHA256:\n" + lines;
}

TEST(Release, ListsIndicesWithTheirDigests) {
  const auto read = parse_release(release(" " + kDigest + "  12 main/binary-amd64/Packages\n " + kDigest + " 7 x.gz\n",
                                          "Valid-Until: Sat, 15 Nov 2026 09:52:17 UTC\n"));
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->suite, "stable");
  EXPECT_EQ(read->codename, "bookworm");
  ASSERT_TRUE(read->valid_until);
  EXPECT_EQ(to_rfc3339(*read->valid_until), "2026-11-15T09:52:17.000000Z");
  ASSERT_NE(read->find("main/binary-amd64/Packages"), nullptr);
  EXPECT_EQ(read->find("main/binary-amd64/Packages")->size, 12u);
  EXPECT_EQ(to_hex(read->find("x.gz")->sha256.bytes()), kDigest);
  EXPECT_EQ(read->find("y"), nullptr);
}

TEST(Release, WhatIsUnclearIsRefused) {
  const std::pair<std::string, std::string_view> rows[] = {
      {"", "debian.release"},
      {"Suite: stable\n", "debian.release"},
      {"Suite: a\n\nSuite: b\n", "debian.release"},
      {release(" " + kDigest + " 12\n"), "debian.release"},
      {release(" " + kDigest.substr(1) + " 12 x\n"), "debian.index"},
      {release(" " + kDigest + " -1 x\n"), "debian.index"},
      {release(" " + kDigest + " 99999999999999999999 x\n"), "debian.index"},
      {release(" " + kDigest + " 1 ../x\n"), "debian.path"},
      {release(" " + kDigest + " 1 /x\n"), "debian.path"},
      {release(" " + kDigest + " 1 a//x\n"), "debian.path"},
      {release(" " + kDigest + " 1 a/..\n"), "debian.path"},
      {release(" " + kDigest + " 1 x\n", "Valid-Until: tomorrow\n"), "debian.release"},
      {release(" " + kDigest + " 1 x\n", "Valid-Until: Sat, 31 Feb 2026 09:52:17 UTC\n"), "debian.release"},
      {release(" " + kDigest + " 1 x\n", "Valid-Until: Sat, 15 Nov 2026 09:52:17 CET\n"), "debian.release"},
  };
  for (const auto& [text, code] : rows) {
    const auto read = parse_release(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, code) << text;
  }
}

const std::string kPackage =
    "Package: bash\nVersion: 5.2\nArchitecture: amd64\nFilename: pool/bash.deb\nSize: 3\nSHA256: " + kDigest + "\n";

TEST(Packages, TellWhereADebIsAndWhatItMustBe) {
  const auto read = parse_packages(kPackage + "\n" + kPackage, "Packages");
  ASSERT_TRUE(read) << to_string(read.error());
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0].name, "bash");
  EXPECT_EQ((*read)[0].version, "5.2");
  EXPECT_EQ((*read)[0].architecture, "amd64");
  EXPECT_EQ((*read)[0].deb.path, "pool/bash.deb");
  EXPECT_EQ((*read)[0].deb.size, 3u);
  EXPECT_TRUE(parse_packages("", "Packages").value().empty());
  for (const char* field : {"Package", "Version", "Architecture", "Filename", "Size", "SHA256"}) {
    std::string without = kPackage;
    const auto begin = without.find(field);
    without.erase(begin, without.find('\n', begin) + 1 - begin);
    EXPECT_FALSE(parse_packages(without, "Packages")) << field;
  }
  std::string elsewhere = kPackage;
  elsewhere.replace(elsewhere.find("pool/"), 5, "../..");
  EXPECT_EQ(parse_packages(elsewhere, "Packages").error().code, "debian.path");
}

TEST(DpkgStatus, ListsWhatHasFilesOnADevice) {
  const auto package = [](const std::string& name, const std::string& status) {
    return "Package: " + name + "\nStatus: " + status + "\nVersion: 1\nArchitecture: all\n\n";
  };
  const auto read = parse_dpkg_status(package("a", "install ok installed") + package("b", "deinstall ok config-files") +
                                          package("c", "install ok unpacked") + package("d", "hold ok half-installed"),
                                      "status");
  ASSERT_TRUE(read) << to_string(read.error());
  ASSERT_EQ(read->size(), 3u);
  EXPECT_EQ((*read)[0].name, "a");
  EXPECT_EQ((*read)[1].name, "c");
  EXPECT_FALSE(parse_dpkg_status(package("a", "installed"), "status"));
  EXPECT_FALSE(parse_dpkg_status("Package: a\n", "status"));
}

}  // namespace
}  // namespace warifu::debian_packages
