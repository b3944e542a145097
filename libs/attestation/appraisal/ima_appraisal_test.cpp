#include "attestation/appraisal/test_appraisal.h"
#include "measured_boot/ima/list_reader.h"
#include "measured_boot/ima/replay.h"
#include "measured_boot/ima/test_lists.h"

namespace warifu::attestation {
namespace {

using crypto::HashAlgorithm;
using measured_boot::RegisterValues;
using measured_boot::ima::test::TestList;

// An IMA list of this boot, and the registers after it.
struct Runtime {
  std::uint32_t pcr;
  TestList list;
  RegisterValues values = some_values({HashAlgorithm::kSha256});

  explicit Runtime(std::uint32_t register_of_ima = 10) : pcr(register_of_ima) {
    Bytes hashed;
    for (std::uint32_t index = 0; index < 10; ++index) {
      const ByteView value = values.find(HashAlgorithm::kSha256, index)->bytes();
      hashed.insert(hashed.end(), value.begin(), value.end());
    }
    namespace ima = measured_boot::ima::test;
    list.add("ima-ng", {ima::digest_field(as_text(hashed)), ima::name_field("boot_aggregate")}, pcr);
    list.add_file("/usr/bin/true", "true", pcr);
    quote();
  }
  // The register as it is now.
  void quote(measured_boot::ima::BankRule rule = measured_boot::ima::BankRule::kNative,
             HashAlgorithm algorithm = HashAlgorithm::kSha256) {
    const std::array bank = {algorithm};
    const auto form = measured_boot::ima::list_form(list.bytes()).value();
    measured_boot::ima::ListReader reader(list.bytes(), form);
    measured_boot::ima::Replay replay(form, rule, bank);
    EXPECT_TRUE(replay.add_all(reader));
    values.bank(algorithm).set(pcr, *replay.banks()[0].find(pcr));
  }
  AttestationResult appraise(Status& status) const {
    AttestationResult result;
    status = appraise_ima_list(list.bytes(), proved(values), result);
    return result;
  }
};

TEST(LogAppraisal, I8_AListIsProvedByTheQuotedRegisterAndNotJudgedYet) {
  Runtime runtime;
  Status status;
  AttestationResult result = runtime.appraise(status);
  EXPECT_TRUE(status) << to_string(status.error());
  EXPECT_EQ(result.of(Layer::kRuntime), Tier::kNone);
  EXPECT_NE(find(result, "runtime.no-policy"), nullptr);
  runtime.list.add_file("/tmp/later", "later");
  runtime.appraise(status);
  EXPECT_TRUE(status) << "what came after the quote waits for the next";
  runtime.values.bank(HashAlgorithm::kSha256).set(10, other(HashAlgorithm::kSha256));
  runtime.appraise(status);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, "ima.no-match");
}

TEST(LogAppraisal, I7_AListInAnotherRegisterSaysNothingOfPcr10) {
  const Runtime forged(11);  // in PCR 10 stands something else
  Status status;
  const AttestationResult result = forged.appraise(status);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, "ima.register");
  EXPECT_EQ(find(result, "runtime.no-policy"), nullptr);
}

TEST(LogAppraisal, I2_Sha1AloneCarriesAListOnlyForThoseWhoAskForIt) {
  const TestList list = TestList().add_file("boot_aggregate", "x");
  const auto form = measured_boot::ima::list_form(list.bytes()).value();
  measured_boot::ima::ListReader reader(list.bytes(), form);
  measured_boot::ima::Replay replay(form, measured_boot::ima::BankRule::kNative, std::array{HashAlgorithm::kSha1});
  ASSERT_TRUE(replay.add_all(reader));
  RegisterValues values;
  values.bank(HashAlgorithm::kSha1) = replay.banks()[0];
  for (const Sha1Use sha1 : {Sha1Use::kRefused, Sha1Use::kAllowed}) {
    AttestationResult result;
    (void)appraise_ima_list(list.bytes(), proved(values), result, {.sha1 = sha1});
    EXPECT_NE(find(result, "runtime.no-policy"), nullptr);
    EXPECT_EQ(find(result, "ima.sha1-alone") == nullptr, sha1 == Sha1Use::kAllowed);
  }
}

TEST(LogAppraisal, I2_Sha1DigestsInALongerBankAreSaid) {
  Runtime runtime;
  Status status;
  EXPECT_EQ(find(runtime.appraise(status), "ima.sha1-padded"), nullptr);
  runtime.quote(measured_boot::ima::BankRule::kPaddedSha1);
  const AttestationResult result = runtime.appraise(status);
  EXPECT_TRUE(status);
  EXPECT_NE(find(result, "ima.sha1-padded"), nullptr);
  EXPECT_EQ(result.of(Layer::kRuntime), Tier::kWarning);
  // A kernel without SHA-384 pads that bank alone: the other one carries the list, and must do so.
  Runtime mixed;
  mixed.quote(measured_boot::ima::BankRule::kPaddedSha1, HashAlgorithm::kSha384);
  EXPECT_EQ(find(mixed.appraise(status), "ima.sha1-padded"), nullptr);
  EXPECT_TRUE(status);
  mixed.values.bank(HashAlgorithm::kSha256).set(10, other(HashAlgorithm::kSha256));
  mixed.appraise(status);
  EXPECT_FALSE(status);
}

TEST(LogAppraisal, I1_AViolationWarns) {
  Runtime runtime;
  namespace ima = measured_boot::ima::test;
  runtime.list.add_violation("ima-ng", {ima::digest_field(""), ima::name_field("/var/log/x")});
  runtime.quote();
  Status status;
  const AttestationResult result = runtime.appraise(status);
  EXPECT_TRUE(status);
  EXPECT_EQ(result.of(Layer::kRuntime), Tier::kWarning);
}

TEST(LogAppraisal, I9_AListOfAnotherBootIsRefused) {
  Runtime runtime;
  runtime.values.bank(HashAlgorithm::kSha256).set(4, other(HashAlgorithm::kSha256));
  Status status;
  runtime.appraise(status);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, "ima.boot-aggregate");
}

TEST(LogAppraisal, I9_TheBootAggregateIsOfWhatTheKernelFound) {
  Runtime runtime;
  const RegisterValues before = runtime.values;
  runtime.values.bank(HashAlgorithm::kSha256).set(0, other(HashAlgorithm::kSha256));  // extended since
  AttestationResult result;
  EXPECT_FALSE(appraise_ima_list(runtime.list.bytes(), proved(runtime.values), result));
  EXPECT_TRUE(appraise_ima_list(runtime.list.bytes(), proved(runtime.values), result, {.before_userspace = &before}));
  RegisterValues wrong = before;
  wrong.bank(HashAlgorithm::kSha256).set(4, other(HashAlgorithm::kSha256));
  EXPECT_FALSE(appraise_ima_list(runtime.list.bytes(), proved(runtime.values), result, {.before_userspace = &wrong}));
}

TEST(LogAppraisal, APcr10ThatIsNotQuotedProvesNoList) {
  const Runtime runtime;
  RegisterValues values;
  values.bank(HashAlgorithm::kSha256).set(0, other(HashAlgorithm::kSha256));
  AttestationResult result;
  const Status status = appraise_ima_list(runtime.list.bytes(), proved(values), result);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, "ima.pcr-not-quoted");
}

// What `true` is measured as, in the list above.
measured_boot::ima::Policy policy_for(std::string_view content) {
  measured_boot::ima::Policy policy;
  const auto digest = crypto::digest(HashAlgorithm::kSha256, {as_bytes(content)});
  policy.files.allow("/usr/bin/true", {.algorithm = "sha256", .bytes = digest.bytes()});
  return policy;
}

TEST(LogAppraisal, I11_APolicyJudgesWhatIsProved) {
  const Runtime runtime;
  const auto judged = [&](const measured_boot::ima::Policy& policy) {
    AttestationResult result;
    EXPECT_TRUE(appraise_ima_list(runtime.list.bytes(), proved(runtime.values), result, {.policy = &policy}));
    EXPECT_EQ(find(result, "runtime.no-policy"), nullptr);
    EXPECT_NE(find(result, "ima.policy"), nullptr);
    return result;
  };
  EXPECT_EQ(judged(policy_for("true")).of(Layer::kRuntime), Tier::kAffirming);
  const auto changed = judged(policy_for("false"));
  EXPECT_EQ(changed.of(Layer::kRuntime), Tier::kContraindicated);
  ASSERT_NE(find(changed, "ima.file-changed"), nullptr);
  EXPECT_EQ(find(changed, "ima.file-changed")->what, "/usr/bin/true");
  EXPECT_NE(find(judged({}), "ima.file-unknown"), nullptr);
  // I16: what must have been measured.
  auto required = policy_for("true");
  required.required = {"/usr/bin/true"};
  EXPECT_EQ(judged(required).of(Layer::kRuntime), Tier::kAffirming);
  required.required = {"ima_policy"};
  EXPECT_EQ(judged(required).of(Layer::kRuntime), Tier::kContraindicated);
  EXPECT_EQ(find(judged(required), "ima.required")->where, "ima_policy");
  // I13: how much an exclude swallowed is told.
  measured_boot::ima::Policy excludes;
  excludes.excludes.push_back(measured_boot::ima::Exclude::parse("/usr/").value());
  EXPECT_EQ(judged(excludes).of(Layer::kRuntime), Tier::kAffirming);
  EXPECT_EQ(find(judged(excludes), "ima.excluded")->what.substr(0, 12), "1 entries of");
}

TEST(LogAppraisal, I14_AWindowThatClosedIsNamed) {
  const Runtime runtime;
  const Timestamp until{std::chrono::seconds(1'796'083'200)};
  const auto digest = crypto::digest(HashAlgorithm::kSha256, {as_bytes(std::string_view("true"))});
  measured_boot::ima::Policy policy;
  ASSERT_TRUE(policy.files.allow_until("/usr/bin/true", {.algorithm = "sha256", .bytes = digest.bytes()}, until));
  const auto judged = [&](Timestamp now) {
    AttestationResult result;
    EXPECT_TRUE(
        appraise_ima_list(runtime.list.bytes(), proved(runtime.values), result, {.policy = &policy, .now = now}));
    return result;
  };
  EXPECT_EQ(judged(until - std::chrono::microseconds(1)).of(Layer::kRuntime), Tier::kAffirming);
  const auto closed = judged(until);
  EXPECT_EQ(closed.of(Layer::kRuntime), Tier::kContraindicated);
  ASSERT_NE(find(closed, "ima.file-retired"), nullptr);
  EXPECT_EQ(find(closed, "ima.file-retired")->what, "/usr/bin/true, which was good until 2026-12-01T00:00:00.000000Z");
}

TEST(LogAppraisal, I11_APolicyJudgesNothingThatIsNotProved) {
  Runtime runtime;
  runtime.values.bank(HashAlgorithm::kSha256).set(10, other(HashAlgorithm::kSha256));
  const auto policy = policy_for("true");
  AttestationResult result;
  EXPECT_FALSE(appraise_ima_list(runtime.list.bytes(), proved(runtime.values), result, {.policy = &policy}));
  EXPECT_EQ(find(result, "ima.policy"), nullptr);
}

}  // namespace
}  // namespace warifu::attestation
