#include "measured_boot/ima/list_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>

#include "measured_boot/ima/replay.h"
#include "measured_boot/ima/test_lists.h"

namespace warifu::measured_boot::ima {
namespace {

using crypto::HashAlgorithm;
using test::append;
using test::append_u32;
using test::digest_field;
using test::name_field;
using test::TestList;

Result<Replay> replayed(ByteView list, HashAlgorithm bank = HashAlgorithm::kSha256, BankRule rule = BankRule::kNative) {
  TRY(const auto form, list_form(list));
  Replay replay(form, rule, std::array{bank});
  ListReader reader(list, form);
  TRY_STATUS(replay.add_all(reader));
  return replay;
}

std::string value_of(const Replay& replay, RegisterIndex pcr = 10) {
  const auto* value = replay.banks().front().find(pcr);
  return value == nullptr ? "none" : to_hex(value->bytes());
}

crypto::Digest extended_by(HashAlgorithm bank, std::initializer_list<Bytes> digests) {
  crypto::Digest value(bank);
  for (const Bytes& digest : digests)
    value = crypto::digest(bank, {value.bytes(), digest});
  return value;
}

void expect_refused(ByteView list, std::string_view code, std::string_view where) {
  const auto replay = replayed(list);
  ASSERT_FALSE(replay) << "expected " << code;
  EXPECT_EQ(replay.error().code, code) << to_string(replay.error());
  EXPECT_EQ(replay.error().kind, ErrorKind::kInvalidInput);
  EXPECT_EQ(replay.error().where, where);
}

struct Sample {
  std::string_view name;
  std::vector<Bytes> fields;
  std::string ascii;  // how the kernel shows the fields
};

const std::string kHash = to_hex(crypto::digest(HashAlgorithm::kSha256, {as_bytes("content")}).bytes());
const std::string kSha1 = to_hex(crypto::digest(HashAlgorithm::kSha1, {as_bytes("content")}).bytes());

// Every template that the kernel has, and lists of fields.
std::vector<Sample> samples() {
  const Bytes d = digest_field("content");
  const Bytes d_v2 = digest_field("content", HashAlgorithm::kSha256, "ima:sha256:");
  const Bytes d_verity = digest_field("content", HashAlgorithm::kSha256, "verity:sha256:");
  const Bytes n = name_field("/usr/bin/true");
  const Bytes sig = {0x03, 0x02, 0x04};
  const std::string shown = "sha256:" + kHash + " /usr/bin/true";
  const Bytes names = name_field("security.selinux|security.ima");
  const Bytes old_d = digest_field("content", HashAlgorithm::kSha1, ":");
  return {
      {"ima-ng", {d, n}, shown},
      {"ima-sig", {d, n, sig}, shown + " 030204"},
      {"ima-sig", {d, n, {}}, shown + " "},
      {"ima-ngv2", {d_v2, n}, "ima:" + shown},
      {"ima-sigv2", {d_verity, n, {0x06, 0x03}}, "verity:" + shown + " 0603"},
      {"ima-buf", {d, n, {0xde, 0xad}}, shown + " dead"},
      {"ima-modsig", {d, n, {}, d, {0x30, 0x00}}, shown + "  sha256:" + kHash + " 3000"},
      {"ima-modsig", {d, n, {}, {}, {}}, shown + "   "},
      {"evm-sig",
       {d, n, {0x05, 0x02}, names, {2, 0, 0, 0}, {7, 7}, {0xe8, 3, 0, 0}, {0, 0, 0, 0}, {0xa4, 0x81}},
       shown + " 0502 security.selinux|security.ima 02000000 0707 1000 0 33188"},
      {"evm-sig", {d, n, {}, {}, {}, {}, {}, {}, {}}, shown + "       "},
      {"d-ng|n-ng", {d, n}, shown},
      {"n-ng|sig|d-ng", {n, sig, d}, "/usr/bin/true 030204 sha256:" + kHash},
      {"n|d", {n, to_bytes(ByteView(old_d).subspan(2))}, "/usr/bin/true " + kSha1},
      {"d-ng|n-ng", {old_d, n}, kSha1 + " /usr/bin/true"},
      {"sig", {{}}, ""},
  };
}

std::string ascii_line(std::string_view name, std::string_view fields, ByteView digest, int pcr = 10) {
  return fmt::format("{:2d} {} {} {}\n", pcr, to_hex(digest), name, fields);
}

TEST(ImaList, I5_ReadsEveryTemplateAndListOfFields) {
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.name);
    const Bytes list = TestList().add(sample.name, sample.fields).bytes();
    const auto form = list_form(list);
    ASSERT_TRUE(form) << to_string(form.error());
    ListReader reader(list, *form);
    const auto entry = reader.next();
    ASSERT_TRUE(entry && *entry != nullptr);
    ASSERT_EQ((*entry)->field_count, sample.fields.size());
    for (std::size_t i = 0; i < sample.fields.size(); ++i)
      EXPECT_EQ(to_hex((*entry)->all_fields[i].bytes), to_hex(sample.fields[i]));
    const Bytes data = test::data_of(sample.fields);
    const auto replay = replayed(list);
    ASSERT_TRUE(replay) << to_string(replay.error());
    const Bytes digest = to_bytes(crypto::digest(HashAlgorithm::kSha256, {data}).bytes());
    EXPECT_EQ(value_of(*replay), to_hex(extended_by(HashAlgorithm::kSha256, {digest}).bytes()));
  }
}

TEST(ImaList, I5_RefusesFieldsThatTheTemplateDoesNotHave) {
  const Bytes d = digest_field("content");
  const Bytes n = name_field("/a");
  expect_refused(TestList().add("ima-ng", {d}).bytes(), "ima.field", "entry 1: template data, offset 82");
  expect_refused(TestList().add("ima-ng", {d, n, {}}).bytes(), "ima.field", "entry 1: template data, offset 89");
  Bytes short_data = test::data_of({d, n});
  short_data.pop_back();
  expect_refused(
      TestList().add_data("ima-ng", short_data, crypto::digest(HashAlgorithm::kSha1, {short_data}), 10).bytes(),
      "ima.truncated", "entry 1: n-ng, offset 86");
}

TEST(ImaList, I5_HashesTheNameOfTheOriginalTemplatePadded) {
  const auto digest = crypto::digest(HashAlgorithm::kSha1, {as_bytes("content")});
  const auto list = TestList().add_original(digest.bytes(), "/bin/sh").add_original(Bytes(16, 0x5a), "/bin/md5");
  const auto replay = replayed(list.bytes());
  ASSERT_TRUE(replay) << to_string(replay.error());
  EXPECT_EQ(replay->position().entries, 2U);
  ListReader reader(list.bytes(), replay->form());
  ASSERT_TRUE(reader.next());
  const auto second = reader.next();
  ASSERT_TRUE(second && *second != nullptr);
  EXPECT_EQ(name_of(**second), "/bin/md5");
  EXPECT_EQ(file_digest_of(**second)->algorithm, "md5");

  EXPECT_TRUE(replayed(TestList().add_original(digest.bytes(), std::string(255, 'n')).bytes()));
  Bytes long_name = TestList().add_original(digest.bytes(), std::string(255, 'n')).bytes();
  long_name[4 + 20 + 4 + 3 + 20 + 1] = 1;  // 511
  expect_refused(long_name, "ima.template-data", "entry 1: d, offset 31");
}

TEST(ImaList, I5_TellsTheHashOfTheTemplateDigests) {
  for (const auto algorithm : {HashAlgorithm::kSha1, HashAlgorithm::kSha256, HashAlgorithm::kSha384,
                               HashAlgorithm::kSha512, HashAlgorithm::kSm3}) {
    for (const bool starts_with_a_violation : {false, true}) {
      TestList list(algorithm);
      if (starts_with_a_violation) list.add_violation("ima-ng", {digest_field("x"), name_field("/v")});
      const auto form = list_form(list.add_file("/a", "content").bytes());
      ASSERT_TRUE(form) << to_string(form.error());
      EXPECT_EQ(form->template_digest, algorithm);
    }
  }
}

TEST(ImaList, KnowsThatATemplateIsNotKnown) {
  const auto list = TestList().add("ima-future", {{1, 2}, {3}});
  const auto form = list_form(list.bytes());
  ASSERT_TRUE(form) << to_string(form.error());
  ListReader reader(list.bytes(), *form);
  const auto entry = reader.next();
  ASSERT_TRUE(entry && *entry != nullptr);
  EXPECT_FALSE((*entry)->is_known);
  EXPECT_EQ((*entry)->all_fields[1].id, FieldId::kUnknown);
  EXPECT_FALSE(name_of(**entry));
}

TEST(ImaList, I1_ViolationsExtendOnes) {
  const auto list = TestList().add_file("/a", "content").add_violation("ima-ng", {digest_field("x"), name_field("/v")});
  for (const BankRule rule : {BankRule::kNative, BankRule::kPaddedSha1}) {
    const auto replay = replayed(list.bytes(), HashAlgorithm::kSha256, rule);
    ASSERT_TRUE(replay) << to_string(replay.error());
    EXPECT_EQ(replay->violations(), 1U);
    const Bytes data = test::data_of({digest_field("content"), name_field("/a")});
    Bytes digest = to_bytes(
        crypto::digest(rule == BankRule::kNative ? HashAlgorithm::kSha256 : HashAlgorithm::kSha1, {data}).bytes());
    digest.resize(32);  // I2
    EXPECT_EQ(value_of(*replay), to_hex(extended_by(HashAlgorithm::kSha256, {digest, Bytes(32, 0xff)}).bytes()));
  }
}

TEST(ImaList, I3_RefusesAnEntryThatIsNotWhatItsDigestSays) {
  const auto list = TestList().add_file("/a", "content").add_file("/usr/bin/true", "more");
  ASSERT_TRUE(replayed(list.bytes()));
  Bytes changed = list.bytes();
  changed.back() ^= 0x01;  // of the path: its NUL
  expect_refused(changed, "ima.template-digest", "entry 2: template digest, offset 89");
  changed = list.bytes();
  changed[list.starts()[1] + 4] ^= 0x80;  // of the template digest
  expect_refused(changed, "ima.template-digest", "entry 2: template digest, offset 89");
}

TEST(ImaList, I4_ReadsTheSameFromText) {
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.ascii);
    const Bytes data = test::data_of(sample.fields);
    const auto digest = crypto::digest(HashAlgorithm::kSha1, {data});
    const std::string line = ascii_line(sample.name, sample.ascii, digest.bytes());
    const auto text = replayed(as_bytes(line + line));
    ASSERT_TRUE(text) << to_string(text.error());
    EXPECT_EQ(text->form().encoding, ListForm::Encoding::kAscii);
    const auto binary = replayed(TestList().add(sample.name, sample.fields).add(sample.name, sample.fields).bytes());
    EXPECT_EQ(value_of(*text), value_of(*binary));
  }
}

TEST(ImaList, I4_ReadsNamesWithSpacesAndLineFeedsFromText) {
  for (const std::string_view name : {"/a b (deleted)", "/a\nb", "/a\n10 ", "/a\n\n"}) {
    const Bytes data = test::data_of({digest_field("content"), name_field(name)});
    const auto line = ascii_line("ima-ng", "sha256:" + kHash + " " + std::string(name),
                                 crypto::digest(HashAlgorithm::kSha1, {data}).bytes());
    const auto text = replayed(as_bytes(line + line));
    ASSERT_TRUE(text) << to_string(text.error());
    EXPECT_EQ(text->position().entries, 2U);
  }
  // A name that looks like an entry: nobody can tell, so the digest does not fit and the list is refused.
  const std::string forged = "/a\n10 " + std::string(40, '0') + " ima-ng sha256:" + kHash + " /b";
  const Bytes data = test::data_of({digest_field("content"), name_field(forged)});
  const auto line =
      ascii_line("ima-ng", "sha256:" + kHash + " " + forged, crypto::digest(HashAlgorithm::kSha1, {data}).bytes());
  expect_refused(as_bytes(line), "ima.template-digest", "entry 1: template digest, offset 0");
}

TEST(ImaList, I4_RefusesTextThatNoKernelWrites) {
  const Bytes data = test::data_of({digest_field("content"), name_field("/a")});
  const std::string digest = to_hex(crypto::digest(HashAlgorithm::kSha1, {data}).bytes());
  const std::string good = "10 " + digest + " ima-ng sha256:" + kHash + " /a\n";
  ASSERT_TRUE(replayed(as_bytes(good)));
  EXPECT_TRUE(replayed(as_bytes(std::string_view(good).substr(0, good.size() - 1)))) << "a line feed at the end";
  for (std::size_t size = 0; size + 1 < good.size(); ++size)
    EXPECT_FALSE(replayed(as_bytes(std::string_view(good).substr(0, size)))) << size;
  expect_refused(as_bytes("99" + good.substr(2)), "ima.pcr", "entry 1: PCR, offset 0");
  expect_refused(as_bytes("10 " + digest + " ima-zz sha256:" + kHash + " /a\n"), "ima.line",
                 "entry 1: template name, offset 44");
  expect_refused(as_bytes("10 " + digest + " ima-ng sha256:" + kHash.substr(1) + " /a\n"), "ima.line",
                 "entry 1: d-ng, offset 51");
  expect_refused(as_bytes("10 " + digest + "\n"), "ima.line", "entry 1: template name, offset 43");
}

TEST(ImaList, I6_RefusesTheListOfABigEndianMachine) {
  Bytes list = {0, 0, 0, 10};
  append(list, Bytes(20, 1));
  append(list, Bytes{0, 0, 0, 6});
  append(list, as_bytes("ima-ng"));
  expect_refused(list, "ima.big-endian", "entry 1: PCR, offset 0");
}

TEST(ImaList, I7_ExtendsTheRegisterThatTheEntryNames) {
  const auto list = TestList().add_file("/a", "one").add_file("/b", "two", 11);
  const auto replay = replayed(list.bytes());
  ASSERT_TRUE(replay) << to_string(replay.error());
  EXPECT_EQ(value_of(*replay), value_of(*replayed(TestList().add_file("/a", "one").bytes())));
  EXPECT_EQ(value_of(*replay, 11), value_of(*replayed(TestList().add_file("/b", "two", 11).bytes()), 11));
  expect_refused(TestList().add_file("/a", "one").add_file("/b", "two", 24).bytes(), "ima.pcr",
                 "entry 2: PCR, offset 89");
}

TEST(ImaList, RefusesWhatIsTruncatedAnywhere) {
  const auto list = TestList().add_file("/a", "one").add_original(Bytes(20, 1), "/b");
  for (std::size_t size = 0; size < list.bytes().size(); ++size) {
    if (size == list.starts()[1]) continue;
    EXPECT_FALSE(replayed(ByteView(list.bytes()).first(size))) << size;
  }
  Bytes padded = list.bytes();
  padded.push_back('\n');
  expect_refused(padded, "ima.truncated", fmt::format("entry 3: PCR, offset {}", list.bytes().size()));
  expect_refused({}, "ima.empty", "entry 1, offset 0");
}

TEST(ImaList, RefusesLengthsBeyondTheListWithoutAllocatingThem) {
  const Bytes good = TestList().add_file("/a", "one").bytes();
  struct Length {
    std::size_t offset;
    std::string_view code;
    std::string_view where;
  };
  for (const auto& [offset, code, where] : {Length{24, "ima.template-name", "entry 1: template name length, offset 24"},
                                            Length{34, "ima.truncated", "entry 1: template data, offset 38"},
                                            Length{38, "ima.truncated", "entry 1: d-ng, offset 42"},
                                            Length{82, "ima.truncated", "entry 1: n-ng, offset 86"}}) {
    Bytes list = good;
    std::fill_n(list.begin() + static_cast<std::ptrdiff_t>(offset), 4, std::uint8_t{0xff});
    expect_refused(list, code, where);
  }
  expect_refused(TestList().add("", {}).bytes(), "ima.template-name", "entry 1: template name, offset 28");
  expect_refused(TestList().add("ima ng", {}).bytes(), "ima.template-name", "entry 1: template name, offset 28");
}

}  // namespace
}  // namespace warifu::measured_boot::ima
