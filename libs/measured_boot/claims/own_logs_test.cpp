// The logs of tests/logs: the registers are those that the guest read from its TPM, the claims what the recipe put in.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "measured_boot/claims/test_claims.h"
#include "measured_boot/event_log/comparison.h"
#include "measured_boot/ima/match.h"
#include "measured_boot/registers_json.h"
#include "sim/own_logs.h"
#include "sim/test_seed.h"

namespace warifu::measured_boot {
namespace {

namespace json = boost::json;
using Pairs = std::vector<std::pair<std::string, std::string>>;

RegisterValues values_of(const sim::OwnLog& log) {
  return parse_register_values(log.expected_text).value();
}

// Of one bank, the registers that are as the TPM says; of IMA's register a boot log tells nothing.
Result<RegisterSet> confirmed(const EventLog& log, const Bank& bank) {
  TRY(const auto comparison, compare(log, bank));
  for (const RegisterComparison& one : comparison.registers)
    if (one.answer != RegisterComparison::Answer::kEqual && one.index != ima::kImaRegister)
      return Error{ErrorKind::kRefused, "test.register", std::to_string(one.index)};
  return comparison.confirmed();
}

Result<RegisterSet> confirmed(const EventLog& log, const RegisterValues& values) {
  RegisterSet of_sha256;
  for (const Bank& bank : values.banks()) {
    TRY(const RegisterSet set, confirmed(log, bank));
    if (bank.algorithm() == kSha256) of_sha256 = set;
  }
  return of_sha256;
}

// A boot with what was put into it.
struct Boot : sim::OwnLog {
  explicit Boot(const sim::OwnLog& own)
      : sim::OwnLog(own), claimed(expected.at("claims").as_object()), boot(read(bytes("event-log"), {})) {
    const auto set = confirmed(boot.log, values_of(*this));
    EXPECT_TRUE(set) << to_string(set.error());
    if (set) boot.claims = claims_of(Prover(boot.log, kSha256, *set));
  }
  const Claims& claims() const { return boot.claims; }

  std::string text(std::string_view claim) const {
    const auto* value = claimed.if_contains(claim);
    return value == nullptr ? "" : std::string(value->as_string());
  }
  Pairs pairs(std::string_view claim) const {
    Pairs all;
    if (const auto* list = claimed.if_contains(claim); list != nullptr)
      for (const auto& pair : list->as_array())
        all.emplace_back(pair.at(0).as_string(), pair.at(1).as_string());
    return all;
  }

  json::object claimed;
  Read boot;
};

Boot boot_of(std::string_view name) {
  const auto logs = sim::own_logs();
  const auto found = std::ranges::find(logs, name, &sim::OwnLog::name);
  EXPECT_NE(found, logs.end()) << name;
  return Boot(*found);
}

std::string hex(const crypto::Digest& digest) {
  return to_hex(digest.bytes());
}
std::string sha256_of(const Signature& signature) {
  return hex(crypto::digest(kSha256, {signature.data}));
}

void add_certificates(Pairs& to, std::string name, const std::optional<Proved<SignatureDatabase>>& database) {
  if (!database) return;
  for (const Signature& signature : (*database)->signatures)
    to.emplace_back(name, sha256_of(signature));
}

void compare_secure_boot(const Boot& boot) {
  const SecureBootClaims& found = boot.claims().secure_boot;
  const auto* wanted = boot.claimed.if_contains("secure_boot");
  ASSERT_EQ(found.enabled.has_value(), wanted != nullptr);
  if (wanted != nullptr) {
    EXPECT_EQ(**found.enabled, wanted->as_bool());
  }
  Pairs certificates;
  add_certificates(certificates, "PK", found.pk);
  add_certificates(certificates, "KEK", found.kek);
  add_certificates(certificates, "db", found.db);
  add_certificates(certificates, "dbx", found.dbx);
  EXPECT_EQ(certificates, boot.pairs("certificate"));
  ASSERT_NE(boot.claims().authorities.complete(), nullptr);
  Pairs authorities;
  for (const Authority& authority : *boot.claims().authorities.complete()) {
    ASSERT_TRUE(authority.signature && authority.is_in_db);
    authorities.emplace_back(authority.told_name.value, sha256_of(**authority.signature));
  }
  EXPECT_EQ(authorities, boot.pairs("authority"));
}

void compare_kernel(const Boot& boot) {
  const Claims& found = boot.claims();
  ASSERT_NE(found.images.complete(), nullptr);
  Pairs images;
  for (const BootImage& image : *found.images.complete())
    images.emplace_back(image.path.value, hex(*image.digest));
  EXPECT_EQ(images, boot.pairs("image"));
  EXPECT_EQ(to_string(found.kernel), boot.text("kernel"));
  Pairs sections;
  for (const UkiSection& section : found.sections)
    sections.emplace_back(*section.name, hex(*section.content));
  EXPECT_EQ(sections, boot.pairs("section"));
  Pairs contents;
  for (const MeasuredContent& content : found.contents)
    contents.emplace_back(content.name.value, hex(*content.digest));
  for (const auto& wanted : boot.pairs("content"))
    EXPECT_NE(std::ranges::find(contents, wanted), contents.end()) << wanted.first;
  EXPECT_EQ(found.kernel_command_line.has_value(), boot.claimed.contains("command_line"));
  if (found.kernel_command_line) {
    EXPECT_EQ(**found.kernel_command_line, boot.text("command_line"));
  }
}

void compare_findings(const Boot& boot) {
  std::set<std::string> wanted;
  if (const auto* list = boot.claimed.if_contains("finding"); list != nullptr)
    for (const auto& code : list->as_array())
      wanted.insert(std::string(code.as_string()));
  std::set<std::string> found;
  for (const ClaimFinding& finding : boot.claims().findings)
    found.insert(std::string(finding.code));
  EXPECT_EQ(found, wanted);
}

TEST(OwnLogs, AreReadAsTheyWereMade) {
  for (const sim::OwnLog& own : sim::own_logs()) {
    SCOPED_TRACE(own.name);
    const Boot boot(own);
    compare_secure_boot(boot);
    compare_kernel(boot);
    compare_findings(boot);
    if (const auto disk = boot.text("disk"); !disk.empty()) {
      ASSERT_EQ(boot.claims().disks.size(), 1u);
      EXPECT_EQ(to_string((*boot.claims().disks[0]).disk), disk);
    }
  }
}

// What a policy of `wanted` asks for: the claims that tell one of these boots from another.
bool has_claims_of(const Claims& found, const Boot& wanted) {
  const Claims& good = wanted.claims();
  const auto same = [](const auto& a, const auto& b) { return a.has_value() == b.has_value() && (!a || **a == **b); };
  const auto contents = [](const Claims& claims) {
    std::vector<std::string> all;
    for (const auto& content : claims.contents)
      all.push_back(hex(*content.digest));
    for (const auto& section : claims.sections)
      all.push_back(hex(*section.content));
    return all;
  };
  return same(found.secure_boot.enabled, good.secure_boot.enabled) && found.kernel == good.kernel &&
         same(found.kernel_command_line, good.kernel_command_line) && contents(found) == contents(good);
}

TEST(OwnLogs, ATwinIsAnotherBootInItsClaimsAndItsRegisters) {
  const std::pair<const char*, const char*> twins[] = {{"uki-secure-boot", "uki-secure-boot-off"},
                                                       {"uki-secure-boot", "uki-other-command-line"},
                                                       {"uki-secure-boot", "qemu-kernel"},
                                                       {"uki-secure-boot-off", "uki-options"},
                                                       {"grub", "grub-other-command-line"},
                                                       {"u-boot", "u-boot-other-command-line"},
                                                       {"u-boot", "u-boot-booti"}};
  for (const auto& [good_name, bad_name] : twins) {
    SCOPED_TRACE(std::string(good_name) + ", " + bad_name);
    const Boot good = boot_of(good_name);
    const Boot bad = boot_of(bad_name);
    EXPECT_TRUE(has_claims_of(good.claims(), good));
    EXPECT_FALSE(has_claims_of(bad.claims(), good));
    EXPECT_FALSE(confirmed(bad.boot.log, values_of(good)));
    EXPECT_FALSE(confirmed(good.boot.log, values_of(bad)));
  }
}

// QEMU's -kernel replays perfectly under Secure Boot, and no event tells that an unsigned kernel was started.
TEST(OwnLogs, WhatWasNeverMeasuredIsMissed) {
  const Boot unmeasured = boot_of("qemu-kernel");
  EXPECT_TRUE(**unmeasured.claims().secure_boot.enabled);
  EXPECT_EQ(unmeasured.claims().kernel, KernelEvidence::kNone);
  EXPECT_TRUE(has(unmeasured.claims(), "kernel.not-measured"));
  EXPECT_FALSE(has(boot_of("uki-secure-boot").claims(), "kernel.not-measured"));
}

// An event told as of another type, with its data, replays; the command line stays the one that was given.
TEST(OwnLogs, NoRetypingMakesAClaimBetter) {
  for (const sim::OwnLog& own : sim::own_logs()) {
    const Boot boot(own);
    const RegisterSet set = confirmed(boot.boot.log, values_of(own)).value();
    for (const Event& event : boot.boot.log.events()) {
      if (!event.is_measured()) continue;
      for (const EventType type : every_type()) {
        SCOPED_TRACE(own.name + ", event " + std::to_string(event.number) + " as " + std::string(name_of(type)));
        if (type == EventType::kNoAction) continue;
        expect_no_better(boot.claims(), read(retyped(boot.boot.bytes, event, type, ""), set).claims);
      }
    }
  }
}

// A random bit in some bytes, others at each run: refused, or not these registers, or a log that says no more than
// before.
TEST(OwnLogs, AFlippedBitIsNeverBelieved) {
  const auto seed = sim::drawn_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (const sim::OwnLog& own : sim::own_logs()) {
    const Boot boot(own);
    const RegisterValues values = values_of(own);
    Bytes changed = boot.boot.bytes;
    for (std::size_t at = random() % 4; at < changed.size(); at += 1 + random() % 4) {
      const auto bit = static_cast<std::uint8_t>(1u << random() % 8);
      changed[at] ^= bit;
      const auto log = parse_event_log(changed);
      const auto set = log ? confirmed(*log, values) : Result<RegisterSet>(Error{ErrorKind::kRefused, "test", ""});
      if (set) {
        SCOPED_TRACE(own.name + ", byte " + std::to_string(at));
        expect_no_better(boot.claims(), claims_of(Prover(*log, kSha256, *set)));
      }
      changed[at] ^= bit;
    }
  }
}

}  // namespace
}  // namespace warifu::measured_boot
