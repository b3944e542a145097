#include "measured_boot/ima/boot_aggregate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "measured_boot/ima/test_match.h"

namespace warifu::measured_boot::ima {
namespace {

using crypto::HashAlgorithm;
using test::digest_field;
using test::matched;
using test::name_field;
using test::TestList;

RegisterValues boot_registers() {
  RegisterValues values;
  for (const auto algorithm : {HashAlgorithm::kSha1, HashAlgorithm::kSha256, HashAlgorithm::kSha384})
    for (RegisterIndex pcr = 0; pcr <= 9; ++pcr)
      values.bank(algorithm).set(pcr, crypto::digest(algorithm, {as_bytes(fmt::format("PCR {}", pcr))}));
  return values;
}

Bytes aggregate_of(const RegisterValues& values, HashAlgorithm bank, RegisterIndex last) {
  Bytes all;
  for (RegisterIndex pcr = 0; pcr <= last; ++pcr)
    test::append(all, values.find(bank, pcr)->bytes());
  return to_bytes(crypto::digest(bank, {all}).bytes());
}

FileDigest file_digest(HashAlgorithm bank, ByteView bytes) {
  FileDigest digest;
  digest.algorithm = bank_name(bank);
  digest.bytes = bytes;
  return digest;
}

TEST(ImaBootAggregate, I9_TakesEveryVariantOfTheKernel) {
  const RegisterValues quoted = boot_registers();
  for (const auto& [bank, last] :
       {BootAggregate{HashAlgorithm::kSha1, 7}, BootAggregate{HashAlgorithm::kSha256, 7},
        BootAggregate{HashAlgorithm::kSha256, 9}, BootAggregate{HashAlgorithm::kSha384, 9}}) {
    const Bytes digest = aggregate_of(quoted, bank, last);
    const auto variant = check_boot_aggregate(file_digest(bank, digest), quoted);
    ASSERT_TRUE(variant) << to_string(variant.error());
    EXPECT_EQ(*variant, (BootAggregate{bank, last}));
  }
}

TEST(ImaBootAggregate, I9_RefusesAnotherBoot) {
  const RegisterValues quoted = boot_registers();
  const auto expect_refusal = [](const FileDigest& digest, const RegisterValues& values, std::string_view part) {
    const auto variant = check_boot_aggregate(digest, values);
    ASSERT_FALSE(variant) << part;
    EXPECT_EQ(variant.error().code, "ima.boot-aggregate");
    EXPECT_NE(variant.error().message.find(part), std::string::npos) << variant.error().message;
  };
  for (RegisterIndex pcr = 0; pcr <= 9; ++pcr) {
    RegisterValues other = quoted;
    other.bank(HashAlgorithm::kSha256).set(pcr, crypto::Digest(HashAlgorithm::kSha256));
    expect_refusal(file_digest(HashAlgorithm::kSha256, aggregate_of(quoted, HashAlgorithm::kSha256, 9)), other,
                   "another boot");
  }
  // No kernel takes PCR 8 and 9 into a SHA-1 aggregate.
  expect_refusal(file_digest(HashAlgorithm::kSha1, aggregate_of(quoted, HashAlgorithm::kSha1, 9)), quoted,
                 "another boot");
  expect_refusal(file_digest(HashAlgorithm::kSha1, Bytes(20)), quoted, "no TPM");
  const Bytes sha512(64, 1);
  expect_refusal(file_digest(HashAlgorithm::kSha512, sha512), quoted, "not quoted");
  expect_refusal(file_digest(HashAlgorithm::kSha256, sha512), quoted, "bank that we know");
}

TestList& add_aggregate(TestList& list, const RegisterValues& quoted, HashAlgorithm bank, RegisterIndex last) {
  Bytes field = test::joined({bank_name(bank), ":", std::string_view("\0", 1)});
  test::append(field, aggregate_of(quoted, bank, last));
  return list.add("ima-ng", {field, name_field("boot_aggregate")});
}

TEST(ImaBootAggregate, I10_KexecIsTakenOnlyWhenAnnounced) {
  const RegisterValues quoted = boot_registers();
  TestList list;
  add_aggregate(list, quoted, HashAlgorithm::kSha256, 9).add_file("/init", "init");
  EXPECT_TRUE(check_boot(matched(list).measured, quoted));
  add_aggregate(list, quoted, HashAlgorithm::kSha256, 7).add_file("/init", "init again");
  const auto match = matched(list);
  const Status surprise = check_boot(match.measured, quoted);
  ASSERT_FALSE(surprise);
  EXPECT_EQ(surprise.error().code, "ima.kexec");
  EXPECT_TRUE(check_boot(match.measured, quoted, 0, 1));
  EXPECT_FALSE(check_boot(match.measured, quoted, 1, 1)) << "one was seen before";
  EXPECT_EQ(match.verified.boot_aggregates(), 2U);
}

TEST(ImaBootAggregate, I9_TheListStartsWithIt) {
  const RegisterValues quoted = boot_registers();
  TestList late;
  late.add_file("/init", "init");
  add_aggregate(late, quoted, HashAlgorithm::kSha256, 9);
  EXPECT_EQ(check_boot(matched(late).measured, quoted).error().code, "ima.boot-aggregate");
  const auto violated = TestList().add_violation("ima-ng", {digest_field("x"), name_field("boot_aggregate")});
  EXPECT_EQ(check_boot(matched(violated).measured, quoted).error().code, "ima.boot-aggregate");
  // Going on in a list that began with it.
  EXPECT_TRUE(check_boot(matched(TestList().add_file("/init", "init")).measured, quoted, 1));
}

}  // namespace
}  // namespace warifu::measured_boot::ima
