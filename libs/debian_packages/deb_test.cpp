#include "debian_packages/deb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "debian_packages/test_deb.h"

namespace warifu::debian_packages {
namespace {

using test::ar_member;
using test::deb_of;
using test::tar_of;
using testing::ElementsAre;
using testing::HasSubstr;

Result<std::vector<PackagedFile>> read(const std::string& deb, FileLayout layout = FileLayout::kMergedUsr,
                                       const DebLimits& limits = {}) {
  return read_deb({.name = "p.deb", .bytes = as_bytes(deb)}, layout, limits);
}
std::vector<std::string> paths_of(const Result<std::vector<PackagedFile>>& files) {
  EXPECT_TRUE(files) << to_string(files.error());
  std::vector<std::string> paths;
  for (const auto& file : *files)
    paths.push_back(file.path);
  return paths;
}
crypto::Digest hash_of(std::string_view content) {
  return crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes(content)});
}

TEST(Deb, TellsTheDigestsOfItsFilesAndOfWhatLinksNameSo) {
  const auto files = read(deb_of(tar_of({{"./", "", '5'},
                                         {"./bin/", "", '5'},
                                         {"./bin/two words", "sh"},
                                         {"./bin/link", "", '1', "./bin/two words"},
                                         {"./bin/soft", "", '2', "sh"},
                                         {"./usr/share/empty", ""},
                                         {"./etc/x", std::string(100'000, 'x')}})));
  ASSERT_THAT(paths_of(files), ElementsAre("/usr/bin/two_words", "/usr/bin/link", "/usr/share/empty", "/etc/x"));
  EXPECT_EQ((*files)[0].sha256, hash_of("sh"));
  EXPECT_EQ((*files)[1].sha256, hash_of("sh"));
  EXPECT_EQ((*files)[2].sha256, hash_of(""));
  EXPECT_EQ((*files)[3].sha256, hash_of(std::string(100'000, 'x')));
}

TEST(Deb, NamesFilesWhereTheSystemHasThem) {
  const std::string deb = deb_of(
      tar_of({{"./lib/a"}, {"./lib64/b"}, {"./sbin/c"}, {"./library/d"}, {"./bin"}, {"./usr/lib/e"}, {"./opt/lib/f"}}));
  EXPECT_THAT(paths_of(read(deb)), ElementsAre("/usr/lib/a", "/usr/lib64/b", "/usr/sbin/c", "/library/d", "/bin",
                                               "/usr/lib/e", "/opt/lib/f"));
  EXPECT_THAT(paths_of(read(deb, FileLayout::kAsPacked)),
              ElementsAre("/lib/a", "/lib64/b", "/sbin/c", "/library/d", "/bin", "/usr/lib/e", "/opt/lib/f"));
}

TEST(Deb, MembersThatLeadElsewhereOrLieAreRefusedByName) {
  const std::pair<std::string, std::string_view> rows[] = {
      {tar_of({{"./usr/../../etc/passwd", "x"}}), "p.deb: ./usr/../../etc/passwd"},
      {tar_of({{"/etc/passwd", "x"}}), "p.deb: /etc/passwd"},
      {tar_of({{"./a", "x"}, {"./b", "", '1', "../a"}}), "p.deb: ./b"},
      {tar_of({{"./b", "", '1', "./a"}, {"./a", "x"}}), "p.deb: ./b"},
      {tar_of({{"./d", "", '2', "/etc"}, {"./d/passwd", "x"}}), "p.deb: ./d/passwd"},
      {tar_of({{"./d", "x"}, {"./d/passwd", "x"}}), "p.deb: ./d/passwd"},
      {tar_of({{"./a", "x"}, {"./a", "y"}}), "p.deb: ./a"},
      {tar_of({{"./a", "", '2', "/etc/b"}, {"./a", "y"}}), "p.deb: ./a"},
      {tar_of({{"./dev/sda", "", '3'}}), "p.deb: ./dev/sda"},
      {tar_of({{"./\xff", "x"}}), "p.deb: ./\xEF\xBF\xBD"},
      {tar_of({{".", "x"}}), "p.deb: ."},
  };
  for (const auto& [tar, where] : rows) {
    const auto files = read(deb_of(tar));
    ASSERT_FALSE(files) << where;
    EXPECT_EQ(files.error().code, "deb.member") << to_string(files.error());
    EXPECT_EQ(files.error().where, where);
  }
}

TEST(Deb, WhatIsBeyondTheLimitsIsRefused) {
  const std::string deb = deb_of(tar_of({{"./a", "12345"}, {"./b", "123456"}, {"./l", "", '2', "a"}}));
  EXPECT_TRUE(read(deb, FileLayout::kMergedUsr, {.unpacked_bytes = 11, .members = 3, .paths_bytes = 3}));
  for (const DebLimits& limits : {DebLimits{.unpacked_bytes = 10}, DebLimits{.members = 2}, DebLimits{.path_size = 2},
                                  DebLimits{.paths_bytes = 2}}) {
    const auto files = read(deb, FileLayout::kMergedUsr, limits);
    ASSERT_FALSE(files);
    EXPECT_EQ(files.error().code, "deb.size") << to_string(files.error());
  }
}

TEST(Deb, SizesThatLieAreRefused) {
  test::TarMember lies{"./a", "12345"};
  for (const std::size_t told : {std::size_t{2'000}, std::size_t{1} << 32}) {
    lies.told_size = told;
    const auto files = read(deb_of(tar_of({lies})));
    ASSERT_FALSE(files) << told;
    EXPECT_EQ(files.error().code, "deb.format");
    EXPECT_THAT(files.error().where, HasSubstr("p.deb"));
  }
  const std::string data = tar_of({{"./a", "x"}});
  const std::string head = "!<arch>\n" + ar_member("debian-binary", "2.0\n");
  EXPECT_FALSE(read(head + ar_member("data.tar", data, data.size() + 512)));
  EXPECT_FALSE(read(head + ar_member("data.tar", data, 512)));
}

TEST(Deb, WhatIsTruncatedAnywhereIsRefused) {
  const std::string deb = deb_of(tar_of({{"./a", "x"}, {"./b", std::string(1000, 'y')}}));
  ASSERT_TRUE(read(deb));
  // Beyond lie the two empty blocks that end an archive: without them all files are there.
  for (std::size_t size = 0; size + 1024 < deb.size(); size += 1) {
    const auto files = read(deb.substr(0, size));
    ASSERT_FALSE(files) << size;
    EXPECT_EQ(files.error().code, "deb.format");
  }
}

TEST(Deb, WhatIsNoPackageIsRefused) {
  const std::string data = tar_of({{"./a", "x"}});
  for (const std::string& wrong :
       {std::string(), std::string("!<arch>\n"), data, "!<arch>\n" + ar_member("data.tar", data),
        "!<arch>\n" + ar_member("debian-binary", "3.0\n") + ar_member("data.tar", data),
        "!<arch>\n" + ar_member("debian-binary", "2.0\n"), deb_of(data) + ar_member("data.tar.xz", data),
        deb_of("no archive at all, though it is of some length")}) {
    const auto files = read(wrong);
    ASSERT_FALSE(files) << wrong.substr(0, 80);
    EXPECT_EQ(files.error().code, "deb.format");
  }
  EXPECT_TRUE(read(deb_of(data) + ar_member("_gpgorigin", "signature")));
}

TEST(Deb, OnlySoMuchIsUnpacked) {
  const std::string text(1000, 'x');
  EXPECT_EQ(decompressed({.name = "f", .bytes = as_bytes(text)}, 1000).value(), text);
  const auto larger = decompressed({.name = "f", .bytes = as_bytes(text)}, 999);
  ASSERT_FALSE(larger);
  EXPECT_EQ(larger.error().code, "deb.size");
}

}  // namespace
}  // namespace warifu::debian_packages
