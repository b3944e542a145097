#include "measured_boot/userspace_log/claims.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "measured_boot/userspace_log/parse.h"
#include "measured_boot/userspace_log/replay.h"
#include "measured_boot/userspace_log/test_log.h"

namespace warifu::measured_boot {
namespace {

using crypto::HashAlgorithm;
using test::kBoot;
using test::log_of;
using test::Measurement;

constexpr auto kBank = HashAlgorithm::kSha256;

UserspaceLog parsed(const std::string& text) {
  auto log = parse_userspace_log(as_bytes(text));
  EXPECT_TRUE(log) << to_string(log.error());
  return *log;
}
UserspaceClaims claims_in(const UserspaceLog& log, const RegisterSet& confirmed = RegisterSet().set()) {
  return claims_of(UserspaceProver(log, kBank, confirmed));
}
std::vector<std::string_view> codes_of(const UserspaceClaims& claims) {
  std::vector<std::string_view> codes;
  for (const auto& finding : claims.findings)
    codes.push_back(finding.code);
  return codes;
}
std::vector<std::string_view> values_of(const std::vector<Proved<std::string_view>>& texts) {
  std::vector<std::string_view> values;
  for (const auto& text : texts)
    values.push_back(*text);
  return values;
}

TEST(UserspaceClaims, L15_WhatFirmwareDidNotLogIsReplayedOnTopOfIt) {
  RegisterValues firmware;
  const auto stub = crypto::digest(kBank, {as_bytes("the sections of an image")});
  firmware.bank(kBank).set(11, stub);
  firmware.bank(kBank).set(4, stub);
  const RegisterValues after = replay(parsed(log_of(kBoot)), firmware);
  crypto::Digest pcr11 = stub;
  crypto::Digest pcr15(kBank);
  for (const Measurement& one : kBoot) {
    crypto::Digest& pcr = one.pcr == 11 ? pcr11 : pcr15;
    pcr = crypto::digest(kBank, {pcr.bytes(), crypto::digest(kBank, {as_bytes(one.measured)}).bytes()});
  }
  EXPECT_EQ(*after.find(kBank, 11), pcr11);
  EXPECT_EQ(*after.find(kBank, 15), pcr15);
  ASSERT_NE(after.find(kBank, 4), nullptr);
  EXPECT_EQ(*after.find(kBank, 4), stub);
  EXPECT_NE(*after.find(HashAlgorithm::kSha1, 11), crypto::Digest(HashAlgorithm::kSha1));
  // Without firmware's part PCR 11 is another, and PCR 15 is the same.
  const RegisterValues alone = replay(parsed(log_of(kBoot)), {});
  EXPECT_NE(*alone.find(kBank, 11), pcr11);
  EXPECT_EQ(*alone.find(kBank, 15), pcr15);
}

TEST(UserspaceClaims, L15_TellsWhatWasMeasured) {
  const UserspaceLog log = parsed(log_of(kBoot));
  const UserspaceClaims claims = claims_in(log);
  EXPECT_EQ(values_of(claims.phases),
            (std::vector<std::string_view>{"enter-initrd", "leave-initrd", "sysinit", "ready"}));
  ASSERT_TRUE(claims.machine_id);
  EXPECT_EQ(**claims.machine_id, "00112233445566778899aabbccddeeff");
  EXPECT_EQ(claims.machine_id->event(), 4U);
  EXPECT_EQ(claims.machine_id->register_index(), 15U);
  EXPECT_EQ(values_of(claims.file_systems), (std::vector<std::string_view>{"/:btrfs:fd4b:root:::"}));
  ASSERT_EQ(claims.volume_keys.size(), 1U);
  EXPECT_EQ(*claims.volume_keys[0].digest, crypto::digest(kBank, {as_bytes("a MAC of the key")}));
  EXPECT_EQ(claims.volume_keys[0].name.value, "root:1e023a55-60f9-4b6b-9b80-67438dc5f065");
  EXPECT_TRUE(claims.other_texts.empty());
  EXPECT_TRUE(claims.findings.empty());
}

TEST(UserspaceClaims, L15_ARegisterThatIsNotConfirmedProvesNothing) {
  const UserspaceLog log = parsed(log_of(kBoot));
  const UserspaceClaims claims = claims_in(log, RegisterSet().set(15));
  EXPECT_TRUE(claims.phases.empty());
  EXPECT_TRUE(claims.machine_id);
  EXPECT_EQ(codes_of(claims), std::vector<std::string_view>(4, "userspace.unconfirmed"));
  EXPECT_FALSE(claims_in(log, RegisterSet().set(11)).machine_id);
}

TEST(UserspaceClaims, L1_TheTypeDecidesNothing) {
  const UserspaceLog log = parsed(log_of({{11, "machine-id", "machine-id:00112233445566778899aabbccddeeff"},
                                          {15, "phase", "machine-id:ffeeddccbbaa99887766554433221100"},
                                          {15, "volume-key", "cryptsetup:root:x"},
                                          {12, "machine-id", "machine-id:0"}}));
  const UserspaceClaims claims = claims_in(log);
  EXPECT_EQ(values_of(claims.phases), std::vector<std::string_view>{"machine-id:00112233445566778899aabbccddeeff"});
  ASSERT_TRUE(claims.machine_id);
  EXPECT_EQ(**claims.machine_id, "ffeeddccbbaa99887766554433221100");
  // Everybody can hash the name of a volume.
  EXPECT_TRUE(claims.volume_keys.empty());
  EXPECT_EQ(claims.other_texts.size(), 2U);
  EXPECT_EQ(codes_of(claims), std::vector<std::string_view>(4, "userspace.retyped"));
}

TEST(UserspaceClaims, L2_ATextThatWasNotMeasuredIsNotBelieved) {
  for (const Measurement& lie : {Measurement{11, "phase", "ready", "other"},
                                 Measurement{15, "machine-id", "machine-id:00112233445566778899aabbccddeeff", "other"},
                                 Measurement{15, "filesystem", "file-system:/:ext4", "other"},
                                 Measurement{11, "volume-key", "cryptsetup:root:x", "other"},
                                 // With the NUL that systemd leaves out.
                                 Measurement{11, "phase", "ready", std::string("ready\0", 6)}}) {
    const UserspaceLog log = parsed(log_of({lie}));
    const UserspaceClaims claims = claims_in(log);
    EXPECT_EQ(codes_of(claims), std::vector<std::string_view>{"userspace.unexplained"}) << lie.text;
    EXPECT_TRUE(claims.phases.empty() && !claims.machine_id && claims.file_systems.empty() &&
                claims.volume_keys.empty() && claims.other_texts.empty());
  }
}

TEST(UserspaceClaims, DoesNotBelieveTwoMachineIdsOrAMalformedOne) {
  const std::string one = "machine-id:00112233445566778899aabbccddeeff";
  for (const auto& texts : {std::vector<std::string>{one, one},
                            {one, "machine-id:"},
                            {"machine-id:", one},
                            {"machine-id:00112233445566778899AABBCCDDEEFF"},
                            {one + "0"}}) {
    std::vector<Measurement> measurements;
    for (const auto& text : texts)
      measurements.push_back({15, "machine-id", text});
    const UserspaceLog log = parsed(log_of(measurements));
    const UserspaceClaims claims = claims_in(log);
    EXPECT_FALSE(claims.machine_id) << texts.back();
    EXPECT_EQ(codes_of(claims), std::vector<std::string_view>{"userspace.machine-id"}) << texts.back();
  }
}

TEST(UserspaceClaims, DoesNotBelieveAMachineIdBesideWhatIsUnexplained) {
  const Measurement id{15, "machine-id", "machine-id:00112233445566778899aabbccddeeff"};
  for (const auto& [pcr, is_believed] : {std::pair<RegisterIndex, bool>(15, false), {11, true}}) {
    const UserspaceLog log = parsed(log_of({{pcr, "machine-id", "hidden", "machine-id:0"}, id}));
    EXPECT_EQ(claims_in(log).machine_id.has_value(), is_believed) << pcr;
  }
}

TEST(UserspaceClaims, L7_EachBankByItself) {
  const UserspaceLog log = parsed(log_of({{11, "phase", "ready"}}, {HashAlgorithm::kSha1}));
  EXPECT_EQ(codes_of(claims_in(log)), std::vector<std::string_view>{"userspace.bank-missing"});
  EXPECT_EQ(claims_of(UserspaceProver(log, HashAlgorithm::kSha1, RegisterSet().set())).phases.size(), 1U);
  EXPECT_EQ(replay(log, {}).find(kBank), nullptr);
}

TEST(UserspaceClaims, AnNvIndexIsNoRegister) {
  const UserspaceLog log =
      parsed(test::record_of(R"("nv_index":30409216)", test::digests_of("product-id:missing", {kBank}),
                             R"("nvIndexName":"hardware","string":"product-id:missing")"));
  EXPECT_EQ(codes_of(claims_in(log)), std::vector<std::string_view>{"userspace.nv-index"});
  EXPECT_TRUE(replay(log, {}).banks().empty());
}

TEST(UserspaceClaims, L6_DynamicRegistersBeginWithOnes) {
  const UserspaceLog log = parsed(log_of({{17, "phase", "x"}, {23, "phase", "x"}}));
  const auto digest = crypto::digest(kBank, {as_bytes("x")});
  crypto::Digest ones(kBank);
  std::ranges::fill(ones.writable(), std::uint8_t{0xFF});
  const RegisterValues values = replay(log, {});
  EXPECT_EQ(*values.find(kBank, 17), extended(ones, digest.bytes()));
  EXPECT_EQ(*values.find(kBank, 23), extended(crypto::Digest(kBank), digest.bytes()));
}

}  // namespace
}  // namespace warifu::measured_boot
