#include "measured_boot/ima/match.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>

#include "measured_boot/ima/test_lists.h"

namespace warifu::measured_boot::ima {
namespace {

using crypto::HashAlgorithm;
using test::digest_field;
using test::name_field;
using test::TestList;

// What a TPM's bank holds after the first `count` entries.
Bank quoted_after(ByteView list, std::uint64_t count, BankRule rule = BankRule::kNative,
                  HashAlgorithm bank = HashAlgorithm::kSha256) {
  const auto form = list_form(list).value();
  Replay replay(form, rule, std::array{bank});
  ListReader reader(list, form);
  while (reader.position().entries < count) {
    const auto entry = reader.next();
    if (!replay.add(**entry, reader.position())) std::abort();
  }
  Bank quoted = replay.banks().front();
  if (quoted.find(10) == nullptr) quoted.set(10, crypto::Digest(bank));
  return quoted;
}

TestList files(std::size_t count) {
  TestList list;
  list.add_file("boot_aggregate", "pcrs");
  for (std::size_t i = 1; i < count; ++i)
    list.add_file(fmt::format("/usr/bin/{}", i), fmt::format("content {}", i));
  return list;
}

// PCR 10 and these.
ImaRegisters with(std::initializer_list<RegisterIndex> more) {
  return ImaRegisters::with(std::vector<RegisterIndex>(more)).value();
}

void expect_refused(const Result<Match>& match, std::string_view code) {
  ASSERT_FALSE(match) << "expected " << code;
  EXPECT_EQ(match.error().code, code) << to_string(match.error());
}

TEST(ImaMatch, I8_FindsThePrefixThatWasQuoted) {
  const Bytes list = files(20).bytes();
  for (std::uint64_t count = 1; count <= 20; ++count) {
    const auto match = match_quote(list, quoted_after(list, count));
    ASSERT_TRUE(match) << to_string(match.error());
    EXPECT_EQ(match->verified.position().entries, count);
    EXPECT_EQ(match->measured.size(), count);
    EXPECT_EQ(match->beyond, 20 - count);
    std::uint64_t read = 0;
    for (MeasuredReader reader(match->measured); reader.next();)
      ++read;
    EXPECT_EQ(read, count) << "nothing beyond the prefix may be read as proved";
  }
  Bank other = quoted_after(list, 20);
  other.set(10, crypto::digest(HashAlgorithm::kSha256, {as_bytes("other")}));
  expect_refused(match_quote(list, other), "ima.no-match");
}

TEST(ImaMatch, I8_RefusesAShorterList) {
  const auto list = files(20);
  const auto first = match_quote(list.bytes(), quoted_after(list.bytes(), 12));
  ASSERT_TRUE(first) << to_string(first.error());
  const ByteView cut = ByteView(list.bytes()).first(list.starts()[8]);
  const auto since = entries_since(cut, first->verified);
  ASSERT_FALSE(since);
  EXPECT_EQ(since.error().code, "ima.shorter");
  // The register as it was at an earlier entry, with all of the list: time does not run backwards either.
  const auto rest = entries_since(list.bytes(), first->verified);
  ASSERT_TRUE(rest);
  expect_refused(match_quote(*rest, quoted_after(list.bytes(), 8), &first->verified), "ima.no-match");
}

TEST(ImaMatch, GoesOnFromWhatWasKept) {
  const auto list = files(20);
  const auto first = match_quote(list.bytes(), quoted_after(list.bytes(), 12));
  ASSERT_TRUE(first);
  const Bytes kept = first->verified.to_bytes();
  EXPECT_EQ(kept.size(), 74U);
  const auto last = Replay::from_bytes(kept);
  ASSERT_TRUE(last) << to_string(last.error());
  ASSERT_EQ(*last, first->verified);
  const auto rest = entries_since(list.bytes(), *last);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->size(), list.bytes().size() - list.starts()[12]);
  const auto second = match_quote(*rest, quoted_after(list.bytes(), 17), &*last);
  ASSERT_TRUE(second) << to_string(second.error());
  EXPECT_EQ(second->measured.size(), 5U);
  EXPECT_EQ(second->measured.earlier(), 12U);
  MeasuredReader reader(second->measured);
  const auto entry = reader.next();
  ASSERT_TRUE(entry);
  EXPECT_EQ(std::get<ProvedEntry>(*entry).number(), 13U);
  EXPECT_EQ(std::get<ProvedEntry>(*entry).name(), "/usr/bin/12");
  // Nothing new is fine too.
  const auto same = match_quote({}, quoted_after(list.bytes(), 12), &*last);
  ASSERT_TRUE(same) << to_string(same.error());
  EXPECT_EQ(same->measured.size(), 0U);
}

TEST(ImaMatch, RefusesAStateThatWasNotKept) {
  const auto list = files(3);
  const Bytes kept = match_quote(list.bytes(), quoted_after(list.bytes(), 3))->verified.to_bytes();
  for (std::size_t size = 0; size < kept.size(); ++size)
    EXPECT_FALSE(Replay::from_bytes(ByteView(kept).first(size)));
  Bytes longer = kept;
  longer.push_back(0);
  EXPECT_FALSE(Replay::from_bytes(longer));
  Bytes no_bank = to_bytes(ByteView(kept).first(37));
  no_bank.push_back(0);
  EXPECT_FALSE(Replay::from_bytes(no_bank));
  for (const std::size_t offset : {0U, 1U, 2U, 4U, 5U, 37U, 38U, 40U, 41U}) {
    Bytes changed = kept;
    changed[offset] = 0xee;
    const auto state = Replay::from_bytes(changed);
    EXPECT_FALSE(state) << offset;
  }
}

TEST(ImaMatch, I2_FindsTheRuleOnceAndKeepsIt) {
  const auto list = files(6);
  for (const BankRule rule : {BankRule::kNative, BankRule::kPaddedSha1}) {
    const auto first = match_quote(list.bytes(), quoted_after(list.bytes(), 3, rule));
    ASSERT_TRUE(first) << to_string(first.error());
    EXPECT_EQ(first->verified.rule(), rule);
    const auto rest = entries_since(list.bytes(), first->verified).value();
    EXPECT_TRUE(match_quote(rest, quoted_after(list.bytes(), 6, rule), &first->verified));
  }
  // Three entries by one rule and three by the other: no kernel does that.
  const auto first = match_quote(list.bytes(), quoted_after(list.bytes(), 3, BankRule::kPaddedSha1)).value();
  Bank mixed = first.verified.banks().front();
  const auto rest = entries_since(list.bytes(), first.verified).value();
  ListReader reader(rest, first.verified.form(), first.verified.position());
  for (auto entry = reader.next(); *entry != nullptr; entry = reader.next())
    mixed.set(10, extended(*mixed.find(10), template_digest(**entry, HashAlgorithm::kSha256).bytes()));
  expect_refused(match_quote(rest, mixed, &first.verified), "ima.no-match");
  expect_refused(match_quote(list.bytes(), mixed), "ima.no-match");
}

TEST(ImaMatch, I3_RefusesAChangedEntryAnywhere) {
  const auto list = files(6);
  const Bank quoted = quoted_after(list.bytes(), 6);
  Bytes changed = list.bytes();
  changed[list.starts()[4] + 60] ^= 0x01;
  expect_refused(match_quote(changed, quoted), "ima.template-digest");
}

TEST(ImaMatch, I7_TheListDoesNotChooseTheRegister) {
  // Somebody extended PCR 11 with a list of his own; in PCR 10 stands what the kernel measured.
  TestList forged;
  for (std::size_t i = 0; i < 3; ++i)
    forged.add_file(i == 0 ? "boot_aggregate" : "/usr/bin/good", "good", 11);
  Bank quoted(HashAlgorithm::kSha256);
  quoted.set(11, *quoted_after(forged.bytes(), 3).find(11));
  quoted.set(10, crypto::digest(HashAlgorithm::kSha256, {as_bytes("what the kernel measured")}));
  expect_refused(match_quote(forged.bytes(), quoted), "ima.register");
  // Announced, the register still does not speak for PCR 10.
  expect_refused(match_quote(forged.bytes(), quoted, nullptr, with({11})), "ima.no-match");
  quoted.set(10, crypto::Digest(HashAlgorithm::kSha256));
  expect_refused(match_quote(forged.bytes(), quoted, nullptr, with({11})), "ima.no-evidence");
  // Nor is a register that is expected, and that the list leaves alone, passed over.
  const auto list = files(3);
  quoted.set(10, *quoted_after(list.bytes(), 3).find(10));
  EXPECT_TRUE(match_quote(list.bytes(), quoted));
  expect_refused(match_quote(list.bytes(), quoted, nullptr, with({11})), "ima.no-match");
  quoted.set(11, crypto::Digest(HashAlgorithm::kSha256));
  const auto match = match_quote(list.bytes(), quoted, nullptr, with({11}));
  ASSERT_TRUE(match) << to_string(match.error());
  // Going on from what was kept is no other way in.
  const auto more = files(3).add_file("/usr/bin/good", "good", 11);
  const auto rest = entries_since(more.bytes(), match->verified).value();
  expect_refused(match_quote(rest, quoted_after(more.bytes(), 4), &match->verified), "ima.register");
  EXPECT_TRUE(match_quote(rest, quoted_after(more.bytes(), 4), &match->verified, with({11})));
}

TEST(ImaMatch, I7_NoPolicyTakesARegisterOfFirmwareOrOneThatIsResetWithoutAReboot) {
  for (RegisterIndex pcr = 0; pcr < 26; ++pcr)
    EXPECT_EQ(ImaRegisters::with(std::array{pcr}).has_value(), pcr >= 8 && pcr <= 15) << pcr;
  for (RegisterIndex pcr = 16; pcr < 24; ++pcr) {
    const auto list = files(2).add_file("/x", "x", pcr);
    expect_refused(match_quote(list.bytes(), quoted_after(list.bytes(), 3)), "ima.register");
  }
}

TEST(ImaMatch, I7_NeedsEveryRegisterThatIsExpected) {
  auto list = files(4).add_file("/other", "register", 11).add_file("/usr/bin/more", "ten");
  const Bank quoted = quoted_after(list.bytes(), 6);
  ASSERT_NE(quoted.find(11), nullptr);
  const ImaRegisters both = with({11});
  const auto match = match_quote(list.bytes(), quoted, nullptr, both);
  ASSERT_TRUE(match) << to_string(match.error());
  EXPECT_EQ(match->measured.size(), 6U);

  Bank only_ten(HashAlgorithm::kSha256);
  only_ten.set(10, *quoted.find(10));
  expect_refused(match_quote(list.bytes(), only_ten, nullptr, both), "ima.pcr-not-quoted");
  Bank only_eleven(HashAlgorithm::kSha256);
  only_eleven.set(11, *quoted.find(11));
  expect_refused(match_quote(list.bytes(), only_eleven, nullptr, both), "ima.pcr-not-quoted");
  // Registers of two moments.
  Bank torn = quoted;
  torn.set(10, *quoted_after(list.bytes(), 4).find(10));
  EXPECT_EQ(match_quote(list.bytes(), torn, nullptr, both)->measured.size(), 5U)
      << "PCR 10 of entry 4 is that of entry 5 too";
  torn = quoted;
  torn.set(11, crypto::Digest(HashAlgorithm::kSha256));
  expect_refused(match_quote(list.bytes(), torn, nullptr, both), "ima.no-match");
}

TEST(ImaMatch, AZeroRegisterIsNoEvidence) {
  const Bytes list = files(3).bytes();
  Bank zero(HashAlgorithm::kSha256);
  zero.set(10, crypto::Digest(HashAlgorithm::kSha256));
  expect_refused(match_quote(list, zero), "ima.no-evidence");
  expect_refused(match_quote({}, zero), "ima.no-evidence");
  expect_refused(match_quote({}, quoted_after(list, 3)), "ima.no-evidence");
  expect_refused(match_quote(list, Bank(HashAlgorithm::kSha256)), "ima.pcr-not-quoted");
}

TEST(ImaMatch, I1_NothingOfAViolationIsProvedButItself) {
  const auto list = files(2).add_violation("ima-ng", {digest_field("x"), name_field("/etc/passwd")});
  const auto match = match_quote(list.bytes(), quoted_after(list.bytes(), 3));
  ASSERT_TRUE(match);
  MeasuredReader reader(match->measured);
  reader.next();
  reader.next();
  const auto third = reader.next();
  ASSERT_TRUE(third);
  ASSERT_TRUE(std::holds_alternative<ProvedViolation>(*third));
  EXPECT_EQ(std::get<ProvedViolation>(*third).described_name(), "/etc/passwd");
  // Its name can be changed, and the list matches as before: so no policy may believe it.
  const auto renamed = files(2).add_violation("ima-ng", {digest_field("x"), name_field("/tmp/harmless")});
  EXPECT_TRUE(match_quote(renamed.bytes(), quoted_after(list.bytes(), 3)));
}

TEST(ImaMatch, I17_NothingHashesTheNameOfTheTemplate) {
  const auto list = TestList().add("ima-sig", {digest_field("x"), name_field("/a"), {0x03}});
  const auto renamed = TestList().add("ima-buf", {digest_field("x"), name_field("/a"), {0x03}});
  EXPECT_TRUE(match_quote(renamed.bytes(), quoted_after(list.bytes(), 1)));
  // What does not read as the name says is nothing.
  const auto swapped = TestList().add("n-ng|d-ng|sig", {digest_field("x"), name_field("/a"), {0x03}});
  const auto match = match_quote(swapped.bytes(), quoted_after(list.bytes(), 1));
  ASSERT_TRUE(match);
  MeasuredReader reader(match->measured);
  EXPECT_FALSE(std::get<ProvedEntry>(*reader.next()).digest());
}

TEST(ImaMatch, I17_ADigestIsTheFirstFieldAndANameTheSecond) {
  // The owner of a file wrote the digest of another one into its extended attribute.
  const std::vector<Bytes> fields = {digest_field("evil"), name_field("/bin/tool"), digest_field("good"),
                                     name_field("/bin/good")};
  const auto list = TestList().add("d-ng|n-ng|sig|buf", fields);
  for (const std::string_view renamed : {"sig|n-ng|d-ng|buf", "sig|buf|d-ng|n-ng", "d-ng|buf|sig|n-ng",
                                         "n-ng|n-ng|d-ng|buf", "sig|n-ng|d-ngv2|n", "sig|buf|buf|buf"}) {
    const auto other = TestList().add(renamed, fields);
    const auto match = match_quote(other.bytes(), quoted_after(list.bytes(), 1));
    ASSERT_TRUE(match) << renamed;
    MeasuredReader reader(match->measured);
    const auto entry = reader.next();
    EXPECT_FALSE(std::get<ProvedEntry>(*entry).digest()) << renamed;
    EXPECT_FALSE(std::get<ProvedEntry>(*entry).name()) << renamed;
  }
  // The same fields under a name that calls them what they are.
  const auto match = match_quote(list.bytes(), quoted_after(list.bytes(), 1));
  MeasuredReader reader(match->measured);
  const auto entry = reader.next();
  EXPECT_EQ(std::get<ProvedEntry>(*entry).name(), "/bin/tool");
  EXPECT_EQ(to_hex(std::get<ProvedEntry>(*entry).digest()->bytes),
            to_hex(crypto::digest(HashAlgorithm::kSha256, {as_bytes("evil")}).bytes()));
}

}  // namespace
}  // namespace warifu::measured_boot::ima
