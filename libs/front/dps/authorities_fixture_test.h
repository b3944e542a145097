#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ek_trust/test_maker.h"
#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::dps {

inline const std::string kGroupsOfAll = "/api/v1/enrollment-groups";
// Of a group: its devices wait for their attestation.
inline const std::string kDemands = R"(,"required_attestation":"affirming")";
inline const std::string kRefused = "enrollment.ek_certificate";

inline std::string fingerprint_of(const Bytes& der) {
  return endorsement::X509Certificate::parse(der).value().fingerprint_sha256();
}

// A scope in which TPMs come to groups by who certified their EK.
class DeviceAuthoritiesTest : public ::testing::Test {
 protected:
  using Maker = ek_trust::test::Maker;
  using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

  DeviceAuthoritiesTest() { test::must(world_.server.unenroll("meter-1")); }

  void import(const std::vector<Bytes>& ders) {
    std::string list;
    for (const Bytes& der : ders)
      list += fmt::format("{}\"{}\"", list.empty() ? "" : ",", to_base64(der));
    const auto answer = operator_.post("/api/v1/ek-roots", fmt::format(R"({{"certificates":[{}]}})", list));
    ASSERT_EQ(answer.status, 200) << answer.body;
  }
  void distrust(const Bytes& der) {
    const auto path = fmt::format("/api/v1/ek-roots/{}/distrust", fingerprint_of(der));
    ASSERT_EQ(operator_.post(path, R"({"reason":"leaked"})").status, 200);
  }
  net::HttpResponse put_group(const std::string& id, const std::string& body) {
    return operator_.put(kGroupsOfAll + "/" + id, body);
  }
  void make_group(const std::string& id, const std::vector<Bytes>& authorities, const std::string& naming = "pump-*",
                  bool approve_uncertified = false, const std::string& more = {}) {
    std::vector<std::string> fingerprints;
    for (const Bytes& authority : authorities)
      fingerprints.push_back(fingerprint_of(authority));
    const auto answer = put_group(id, test::authority_group(id, naming, fingerprints, approve_uncertified, more));
    ASSERT_LT(answer.status, 300) << answer.body;
  }
  // The code of the refusal; "waits" or "assigned".
  std::string come(const World::TestDevice& device) {
    world_.clock.advance(std::chrono::seconds(1));
    auto came = device.come();
    const std::string told = came.told;
    if (!came.operation.empty()) last_ = std::move(came);  // who is refused leaves what waits alone
    return told;
  }
  std::string poll(const World::TestDevice& device) { return device.poll(last_.operation, last_.token); }
  // To the end, once an operator approved.
  std::string poll_until_assigned(const World::TestDevice& device) {
    const auto first = poll(device);
    return first == "waits" ? poll(device) : first;
  }
  std::string group_of(const std::string& device) {
    return test::member(operator_.get("/api/v1/devices/" + device), "group_id");
  }
  std::string explained(const std::string& id) {
    // What the diary holds back for a moment is on disk afterwards.
    world_.server.attempts.flush();
    test::must(world_.store->write([](store::Transaction&) { return Status(); }));
    return test::member(operator_.get("/api/v1/registrations/" + id + "/explanation"), "verdict");
  }
  // "", or the code of the refusal: of a device that shows no certificate.
  std::string attesting_refusal(const World::TestDevice& device) {
    std::string code;
    test::must(world_.store->read([&](store::Snapshot& snapshot) -> Status {
      provisioning::NoEndorsements none;
      const auto allowed =
          world_.server.registrar.may_attest(snapshot.provisioning(), test::scope_id(),
                                             RegistrationId::parse(device.id()).value(), device.tpm().ek(), none);
      code = allowed ? "" : std::string(allowed.error().code);
      return {};
    }));
    return code;
  }
  // An EK of the group, by the end of the path.
  std::string ek_path(const std::string& group, const tpm::EkPublic& ek) {
    return fmt::format("{}/{}/eks/{}", kGroupsOfAll, group, ek.name().text());
  }
  std::string approvals() { return test::member(operator_.get("/api/v1/approvals"), "items"); }
  std::string alerts() { return operator_.get("/api/v1/alerts").body; }
  std::string eks_of(const std::string& group) { return operator_.get(kGroupsOfAll + "/" + group + "/eks").body; }
  World::TestDevice pump(const std::string& id = "pump-1") { return world_.device(world_.tpm_b, id); }
  World::TestDevice certified_pump(const std::string& id = "pump-1") {
    return pump(id).with_certificate(maker_.certify(ek_));
  }

  World::TestDevice::Came last_;
  World world_;
  const test::Operator operator_{world_.server};
  const Maker maker_{"Test"};
  const Maker other_{"Other"};
  const tpm::EkPublic& ek_ = world_.tpm_b.ek();
};

}  // namespace warifu::front::dps
