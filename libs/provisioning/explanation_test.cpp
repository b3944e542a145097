#include "provisioning/explanation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "provisioning/refusal_advice.h"
#include "sim/deterministic.h"

namespace warifu::provisioning {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr Timestamp kEnrolled = Timestamp(seconds(1'790'000'000));
constexpr Timestamp kTried = kEnrolled + seconds(60);
constexpr Timestamp kAssigned = kEnrolled + seconds(120);
constexpr Timestamp kLater = kEnrolled + seconds(180);

const ScopeId kScope = ScopeId::parse("0ne00000001").value();
const RegistrationId kId = RegistrationId::parse("meter-1").value();

// Stories begin with an enrollment and nothing else.
class Verdict : public ::testing::Test {
 protected:
  Uuid fresh() { return Uuid::v7(kEnrolled, entropy_); }

  RegistrationStory enrolled() {
    RegistrationStory story{.registration_id = kId};
    story.enrollment = Enrollment{.scope = kScope,
                                  .registration_id = kId,
                                  .enrollment_id = generation_,
                                  .attestation = TpmAttestation{Bytes{1}, Bytes{2}},
                                  .device_id = std::nullopt,
                                  .terms = {},
                                  .revision = fresh(),
                                  .created_at = kEnrolled,
                                  .updated_at = kEnrolled};
    return story;
  }
  RegistrationStory in_group() {
    RegistrationStory story{.registration_id = kId};
    story.group = EnrollmentGroup{.scope = kScope,
                                  .group_id = GroupId::parse("plant").value(),
                                  .enrollment_id = generation_,
                                  .attestation = EkListAttestation{RegistrationNaming::ek_hash()},
                                  .terms = {},
                                  .revision = fresh(),
                                  .created_at = kEnrolled,
                                  .updated_at = kEnrolled};
    return story;
  }
  Device device() {
    return {.scope = kScope,
            .device_id = DeviceId::parse("pump-9").value(),
            .registration_id = kId,
            .enrollment_id = generation_,
            .group = std::nullopt,
            .mechanism = Mechanism::kTpm,
            .operation_id = fresh(),
            .standing = {lifecycle::State::kProvisioned, lifecycle::Hold::kNone},
            .ek_name = {},
            .srk_name = {},
            .certificate_sha256 = {},
            .assigned_hub = "hub-a.example",
            .sealed_hub_key = {},
            .created_at = kAssigned,
            .updated_at = kAssigned};
  }
  Operation operation(std::optional<Timestamp> ended_at) {
    return {.scope = kScope,
            .operation_id = fresh(),
            .registration_id = kId,
            .enrollment_id = generation_,
            .group = std::nullopt,
            .challenge_id = std::nullopt,
            .sealed_challenge_key = {},
            .ek_name = {},
            .srk_public = {},
            .token_digest = {},
            .created_at = kAssigned,
            .ended_at = ended_at};
  }
  Attempt attempt(Timestamp at, std::string stage, std::string code = {}, std::string message = {}) {
    return {kScope, kId, fresh(), at, "192.0.2.7", std::move(stage), std::move(code), std::move(message)};
  }
  static Approval approval(std::optional<Timestamp> approved_at) {
    return {kScope, kId, Bytes{0xEE}, Bytes{0x5A}, kTried, approved_at};
  }

  sim::SeededEntropy entropy_{1};
  const Uuid generation_ = fresh();
};

TEST_F(Verdict, SaysWhatStandsInTheWay) {
  using Change = std::function<void(RegistrationStory&)>;
  const struct {
    std::string what;
    RegistrationStory story;
    Change change;
    std::vector<std::string> says;
  } rows[] = {
      {"never came", enrolled(), [](auto&) {}, {"nobody came under this ID", "ID scope"}},
      {"never came, in a group", in_group(), [](auto&) {}, {"nobody came under this ID"}},
      {"assigned",
       enrolled(),
       [&](auto& s) {
         s.device = device();
         s.operation = operation(kAssigned);
         s.attempts = {attempt(kAssigned, "assignment")};
       },
       {"All is well", "hub-a.example", "pump-9", "2026-09-21T"}},
      {"assigned long ago", enrolled(), [&](auto& s) { s.device = device(); }, {"All is well"}},
      {"assigned, and not fetched",
       enrolled(),
       [&](auto& s) {
         s.device = device();
         s.operation = operation(std::nullopt);
       },
       {"is assigned to hub-a.example", "has not fetched"}},
      {"disabled",
       enrolled(),
       [](auto& s) { s.enrollment->terms.enabled = false; },
       {"warifu enrollment enable meter-1"}},
      {"group disabled",
       in_group(),
       [](auto& s) { s.group->terms.enabled = false; },
       {"group plant", "warifu enrollment-group update plant --enabled"}},
      {"on hold",
       enrolled(),
       [&](auto& s) {
         s.device = device();
         s.device->standing.hold = lifecycle::Hold::kSuspended;
         s.attempts = {attempt(kLater, "device", "device.hold", "hold")};
       },
       {"on hold (suspended)"}},
      {"disposed",
       enrolled(),
       [&](auto& s) {
         s.device = device();
         s.device->standing.state = lifecycle::State::kDisposed;
       },
       {"disposed"}},
      {"waits",
       enrolled(),
       [&](auto& s) {
         s.approval = approval(std::nullopt);
         s.attempts = {attempt(kLater, "operation")};
       },
       {"EK ee", "SRK 5a", "warifu approval approve meter-1", "warifu approval reject meter-1"}},
      {"approved",
       enrolled(),
       [&](auto& s) {
         s.approval = approval(kLater);
         s.attempts = {attempt(kTried, "assignment")};
       },
       {"is approved", "as soon as it asks again"}},
      {"another EK",
       enrolled(),
       [&](auto& s) {
         s.attempts = {attempt(kTried, "enrollment", "enrollment.ek", "enrolled is 000b11, it has 000b22")};
       },
       {"192.0.2.7", "000b11", "000b22", "--tpm-ek"}},
      {"the device's clock",
       enrolled(),
       [&](auto& s) { s.attempts = {attempt(kTried, "token", "token.expired", "expired")}; },
       {"refused: expired", "clock"}},
      {"bound elsewhere",
       in_group(),
       [&](auto& s) { s.attempts = {attempt(kTried, "enrollment", "enrollment.bound", "belongs to meter-0")}; },
       {"meter-0", "remove-ek"}},
      {"refused, mended, and not back",
       enrolled(),
       [&](auto& s) {
         s.enrollment->updated_at = kLater;
         s.attempts = {attempt(kTried, "enrollment", "enrollment.ek", "another EK")};
       },
       {"has not come again since its enrollment was changed", "another EK"}},
      {"refused before it was assigned",
       enrolled(),
       [&](auto& s) {
         s.device = device();
         s.attempts = {attempt(kTried, "token", "token.expired", "expired")};
       },
       {"All is well"}},
      {"refused after it was assigned",
       enrolled(),
       [&](auto& s) {
         s.device = device();
         s.attempts = {attempt(kLater, "enrollment", "enrollment.ek", "another EK")};
       },
       {"is assigned to hub-a.example", "Later somebody", "another EK"}},
      {"challenge unanswered",
       enrolled(),
       [&](auto& s) { s.attempts = {attempt(kTried, "challenge")}; },
       {"meter-1 was given a challenge", "192.0.2.7", "TPM", "0x81000001"}},
      {"challenge unanswered, assigned before",
       enrolled(),
       [&](auto& s) {
         s.device = device();
         s.attempts = {attempt(kLater, "challenge"), attempt(kAssigned, "assignment")};
       },
       {"is assigned to hub-a.example", "challenge"}},
      {"enrolled anew",
       enrolled(),
       [&](auto& s) {
         s.device = device();
         s.device->enrollment_id = fresh();
         s.attempts = {attempt(kTried, "assignment")};
       },
       {"was enrolled anew", "void"}},
      {"enrolled anew, and refused",
       enrolled(),
       [&](auto& s) {
         s.device = device();
         s.device->enrollment_id = fresh();
         s.attempts = {attempt(kLater, "enrollment", "enrollment.ek", "another EK")};
       },
       {"meter-1 came from", "another EK"}},
      {"not enrolled, tried",
       RegistrationStory{.registration_id = kId},
       [&](auto& s) { s.attempts = {attempt(kTried, "enrollment", "enrollment.unknown", "it has the EK 000b22")}; },
       {"no enrollment of its own", "000b22", "warifu enrollment create"}},
      {"not enrolled, of a group that refuses",
       RegistrationStory{.registration_id = kId},
       [&](auto& s) { s.attempts = {attempt(kTried, "certificate", "certificate.expired", "expired")}; },
       {"no enrollment of its own", "Renew"}},
      {"not enrolled, only an alert", RegistrationStory{.registration_id = kId}, [](auto&) {}, {"is not enrolled"}},
      {"no longer enrolled",
       RegistrationStory{.registration_id = kId},
       [&](auto& s) { s.device = device(); },
       {"its enrollment is gone", "hub-a.example", "void"}},
  };
  for (const auto& row : rows) {
    RegistrationStory story = row.story;
    row.change(story);
    const std::string verdict = verdict_of(story);
    for (const auto& part : row.says)
      EXPECT_THAT(verdict, HasSubstr(part)) << row.what;
    EXPECT_EQ(verdict.starts_with("All is well"), row.says.front() == "All is well") << row.what;
  }
}

TEST(RefusalAdvice, SaysWhatToDoAboutEachRefusal) {
  const struct {
    std::string_view code;
    std::string_view says;
  } rows[] = {
      {"enrollment.unknown", "warifu enrollment create"},
      {"enrollment.ek", "--tpm-ek"},
      {"enrollment.mechanism", "something else"},
      {"enrollment.disabled", "enable"},
      {"enrollment.name", "ID"},
      {"enrollment.bound", "remove-ek"},
      {"enrollment.ek_barred", "allow-ek"},
      {"enrollment.allocation", "--allocation"},
      {"challenge.unknown", "expired"},
      {"challenge.keys", "Two"},
      {"challenge.too_many", "throttled"},
      {"limit.address", "throttled"},
      {"token.expired", "clock"},
      {"token.signature", "warifu enrollment keys"},
      {"token.signature", "warifu enrollment-group keys"},
      {"enrollment.changed", "tries again by itself"},
      {"enrollment.id_bound", "belongs to another device"},
      {"approval.pending", "warifu approval list"},
      {"token.resource", "ID scope"},
      {"token.malformed", "ID scope"},
      {"certificate.missing", "proxy"},
      {"certificate.expired", "Renew"},
      {"certificate.not_yet_valid", "clock"},
      {"certificate.unknown", "--x509"},
      {"certificate.name", "common name"},
      {"certificate.form", "does not lead"},
      {"operation.unknown", "register again"},
      {"operation.superseded", "two machines"},
      {"device.id_taken", "--device-id"},
      {"device.hold", "warifu device show"},
      {"store.full", "disk"},
      {"json.syntax", "software"},
      {"tpm.public.size", "software"},
  };
  for (const auto& row : rows)
    EXPECT_THAT(std::string(advice_on(row.code)), HasSubstr(std::string(row.says))) << row.code;
}

}  // namespace
}  // namespace warifu::provisioning
