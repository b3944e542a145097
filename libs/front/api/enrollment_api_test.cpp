#include "front/api/enrollment_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <set>

#include "crypto/certificate.h"
#include "crypto/private_key.h"
#include "front/api/body_limits.h"
#include "front/api/bulk.h"
#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::api {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;
using test::member;

const std::string kEnrollments = "/api/v1/enrollments";
const std::string kBulk = "/api/v1/bulk/enrollments";

class EnrollmentApiTest : public ::testing::Test {
 protected:
  static std::string bulk(std::string_view mode, const std::vector<std::string>& items, std::string_view more = "") {
    return fmt::format(R"({{"mode":"{}"{},"enrollments":[{}]}})", mode, more, fmt::join(items, ","));
  }
  static boost::json::array results_of(const net::HttpResponse& answer) {
    return boost::json::parse(answer.body).at("results").as_array();
  }
  crypto::Certificate certificate(const std::string& name) {
    const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
    return crypto::issue_certificate({.common_name = name,
                                      .not_before = world_.clock.now(),
                                      .not_after = world_.clock.now() + std::chrono::hours(24)},
                                     key.public_key(), nullptr, key, world_.entropy)
        .value();
  }

  World world_;
  const test::Operator operator_{world_.server};
};

TEST_F(EnrollmentApiTest, EnrollsACertificateAsPemAndAsDer) {
  const auto leaf = certificate("lamp-1");
  std::string pem = boost::json::serialize(boost::json::string(leaf.to_pem()));
  const auto body = [](const std::string& quoted) {
    return fmt::format(
        R"({{"registration_id":"lamp-1","attestation":{{"type":"x509","x509":{{"primary":{}}}}},"device_id":"lamp"}})",
        quoted);
  };
  const auto created = operator_.post(kEnrollments, body(pem));
  ASSERT_EQ(created.status, 201) << created.body;
  EXPECT_EQ(member(created, "attestation.x509.primary.certificate"), to_base64(leaf.to_der()));
  EXPECT_EQ(member(created, "attestation.x509.primary.not_after"), to_rfc3339(leaf.not_after()));
  EXPECT_EQ(member(created, "attestation.x509.secondary"), "null");
  EXPECT_EQ(member(created, "ek_name"), "null");
  EXPECT_EQ(member(created, "device_id"), "lamp");
  const auto again = operator_.put(kEnrollments + "/lamp-1", body("\"" + to_base64(leaf.to_der()) + "\""));
  EXPECT_EQ(member(again, "outcome"), "unchanged");
}

TEST_F(EnrollmentApiTest, ShowsTheKeysOfAnEnrollmentAndWritesThatDown) {
  const std::string key = to_base64(Bytes(32, 7));
  ASSERT_EQ(
      operator_
          .post(kEnrollments, fmt::format(R"({{"registration_id":"lamp-1","attestation":{{"type":"symmetric-key",)"
                                          R"("symmetric_key":{{"primary_key":"{}"}}}}}})",
                                          key))
          .status,
      201);
  const auto keys = operator_.get(kEnrollments + "/lamp-1/keys");
  EXPECT_EQ(keys.status, 200);
  EXPECT_EQ(member(keys, "primary_key"), key);
  EXPECT_EQ(from_base64(member(keys, "secondary_key")).value().size(), 32u);
  EXPECT_THAT(world_.stored(), ContainsRegex("enrollment-keys.read enrollment:lamp-1"));
  EXPECT_THAT(world_.stored(), Not(HasSubstr(key)));
  EXPECT_THAT(operator_.get(kEnrollments + "/lamp-1").body, Not(HasSubstr(key)));
  EXPECT_EQ(member(operator_.get(kEnrollments + "/meter-1/keys"), "code"), "enrollment.no_keys");
  EXPECT_EQ(member(operator_.get(kEnrollments + "/lamp-2/keys"), "code"), "enrollment.unknown");
}

TEST_F(EnrollmentApiTest, ADryRunSaysTheSameAndLeavesNothing) {
  const auto before = world_.stored();
  const std::string meter = kEnrollments + "/meter-1";
  const auto other = test::tpm_enrollment("meter-1", world_.tpm_b.ek(), R"(,"enabled":false)");
  const auto would = operator_.put(meter + "?dry_run=true", other);
  EXPECT_EQ(would.status, 200);
  EXPECT_EQ(member(would, "outcome"), "updated");
  EXPECT_THAT(member(would, "changes"), HasSubstr(R"("field":"enabled","from":"true","to":"false")"));
  EXPECT_EQ(member(operator_.put(kEnrollments + "/lamp-1?dry_run=true", test::key_enrollment("lamp-1")), "outcome"),
            "created");
  EXPECT_EQ(world_.stored(), before);
  EXPECT_EQ(member(operator_.put(meter + "?dry_run=1", other), "code"), "request.dry_run");
  const auto written = operator_.put(meter, other);
  EXPECT_EQ(member(written, "changes"), member(would, "changes"));
  EXPECT_EQ(member(operator_.get(meter), "enabled"), "false");
}

TEST_F(EnrollmentApiTest, TakesTermsOfAttestationForTpmsOnly) {
  const std::string meter = kEnrollments + "/meter-1";
  const auto put = [&](const std::string& more) {
    return operator_.put(meter, test::tpm_enrollment("meter-1", world_.tpm_a.ek(), more));
  };
  const auto written = put(R"(,"required_attestation":"affirming","attestation_interval_seconds":600)");
  EXPECT_EQ(written.status, 200) << written.body;
  EXPECT_THAT(written.body, HasSubstr(R"("field":"required_attestation","from":"","to":"affirming")"));
  EXPECT_EQ(member(operator_.get(meter), "required_attestation"), "affirming");
  EXPECT_EQ(member(operator_.get(meter), "attestation_interval_seconds"), "600");
  EXPECT_EQ(put("").status, 200);
  EXPECT_EQ(member(operator_.get(meter), "required_attestation"), "null") << "what is not said is not demanded";

  const std::pair<const char*, const char*> wrong[] = {
      {R"(,"required_attestation":"none")", "enrollment.required_attestation"},
      {R"(,"required_attestation":true)", "json.type"},
      {R"(,"attestation_interval_seconds":9)", "enrollment.attestation_interval"},
      {R"(,"attestation_interval_seconds":18446744073709551615)", "enrollment.attestation_interval"},
      {R"(,"attestation_interval_seconds":"60")", "json.type"},
      {R"(,"attestation_interval_seconds":-60)", "json.type"},
  };
  for (const auto& [more, code] : wrong)
    EXPECT_EQ(member(put(more), "code"), code) << more;

  const std::pair<const char*, const char*> terms[] = {
      {R"(,"required_attestation":"warning")", "enrollment.required_attestation"},
      {R"(,"attestation_interval_seconds":60)", "enrollment.attestation_interval"}};
  for (const auto& [more, code] : terms) {
    EXPECT_EQ(member(operator_.post(kEnrollments, test::key_enrollment("lamp-1", more)), "code"), code);
    EXPECT_EQ(member(operator_.put("/api/v1/enrollment-groups/lamps", test::key_group("lamps", more)), "code"), code);
    EXPECT_EQ(operator_.put("/api/v1/enrollment-groups/plant", test::tpm_group("plant", "*", more)).status / 100, 2);
  }
}

TEST_F(EnrollmentApiTest, IfMatchLetsOnlyOneOfTwoChangesThrough) {
  const std::string meter = kEnrollments + "/meter-1";
  const std::string etag(net::find_header(operator_.get(meter).headers, "ETag").value());
  const auto change = [&](std::string_view flag) {
    return operator_.put(meter, test::tpm_enrollment("meter-1", world_.tpm_a.ek(), fmt::format(R"(,"{}":true)", flag)),
                         {{"If-Match", etag}});
  };
  EXPECT_EQ(change("iot_edge").status, 200);
  EXPECT_EQ(member(change("approve_srk_changes"), "code"), "enrollment.revision");
  EXPECT_EQ(member(operator_.remove(meter, {{"If-Match", etag}}), "code"), "enrollment.revision");
  EXPECT_EQ(member(operator_.get(meter), "approve_srk_changes"), "false");
}

TEST_F(EnrollmentApiTest, WritesAThousandAtOnce) {
  std::vector<std::string> items;
  for (int i = 0; i < 1'000; ++i)
    items.push_back(test::tpm_enrollment(fmt::format("fleet-{}", i), world_.tpm_b.ek()));
  const std::string body = bulk("create", items);
  ASSERT_GT(body.size(), kBodySizeMax);
  const auto answer = operator_.post(kBulk, body);
  ASSERT_EQ(answer.status, 200) << answer.body.substr(0, 500);
  EXPECT_EQ(member(answer, "succeeded"), "true");
  EXPECT_EQ(results_of(answer).size(), 1'000u);
  EXPECT_EQ(operator_.get(kEnrollments + "/fleet-999").status, 200);
  items.push_back(test::key_enrollment("one-more"));
  EXPECT_EQ(member(operator_.post(kBulk, bulk("create", items)), "code"), "bulk.size");
}

TEST_F(EnrollmentApiTest, ABulkWritesWhatItCanAndSaysWhatItCannot) {
  const auto answer =
      operator_.post(kBulk, bulk("create", {test::key_enrollment("lamp-1"), test::key_enrollment("meter-1"),
                                            R"({"registration_id":"lamp-2","attestation":{"type":"tpm"}})", "7"}));
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(member(answer, "succeeded"), "false");
  const auto results = results_of(answer);
  EXPECT_EQ(results[0].at("outcome").as_string(), "created");
  EXPECT_EQ(results[1].at("error").at("code").as_string(), "enrollment.exists");
  EXPECT_EQ(results[1].at("registration_id").as_string(), "meter-1");
  EXPECT_EQ(results[2].at("error").at("code").as_string(), "json.missing");
  EXPECT_THAT(std::string(results[2].at("error").at("detail").as_string()), HasSubstr("enrollments.2.attestation.tpm"));
  EXPECT_EQ(results[3].at("error").at("code").as_string(), "json.type");
  EXPECT_EQ(operator_.get(kEnrollments + "/lamp-1").status, 200);
}

TEST_F(EnrollmentApiTest, EachModeOfABulkDoesWhatItSays) {
  const auto outcome = [&](std::string_view mode, const std::string& item) {
    const auto results = results_of(operator_.post(kBulk, bulk(mode, {item})));
    const auto& result = results.at(0).as_object();
    return std::string(result.contains("error") ? result.at("error").at("code").as_string()
                                                : result.at("outcome").as_string());
  };
  const std::string lamp = test::key_enrollment("lamp-1");
  const std::string dark = test::key_enrollment("lamp-1", R"(,"enabled":false)");
  EXPECT_EQ(outcome("update", lamp), "enrollment.unknown");
  EXPECT_EQ(outcome("apply", lamp), "created");
  EXPECT_EQ(outcome("apply", lamp), "unchanged");
  EXPECT_EQ(outcome("create", lamp), "enrollment.exists");
  EXPECT_EQ(outcome("update", dark), "updated");
  EXPECT_EQ(outcome("delete", R"({"registration_id":"lamp-1"})"), "deleted");
  EXPECT_EQ(outcome("delete", R"({"registration_id":"lamp-1"})"), "enrollment.unknown");
}

TEST_F(EnrollmentApiTest, ABulkThatIsADryRunLeavesNothing) {
  const auto before = world_.stored();
  const auto would = operator_.post(kBulk, bulk("apply", {test::key_enrollment("lamp-1")}, R"(,"dry_run":true)"));
  EXPECT_EQ(results_of(would).at(0).at("outcome").as_string(), "created");
  EXPECT_EQ(world_.stored(), before);
}

TEST_F(EnrollmentApiTest, TakesLargeBodiesOnBulkRoutesOnly) {
  const std::string large(kBodySizeMax + 1, ' ');
  const std::string too_large(kBulkBodySizeMax + 1, ' ');
  const std::set<std::string> authorities = {"/api/v1/ek-roots", "/api/v1/ek-crls"};
  std::set<std::string> taking = authorities;
  taking.insert({kBulk, "/api/v1/enrollment-groups/plant/eks"});
  for (const std::string& target : taking) {
    EXPECT_EQ(member(operator_.post(target, large), "code"), "json.syntax") << target;
    EXPECT_EQ(operator_.post(target, too_large).status, 413) << target;
  }
  std::size_t tried = 0;
  for (const Route& route : world_.server.operators.router().routes()) {
    if (route.pattern == kBulk || route.pattern.ends_with("/eks")) continue;
    const bool is_azures_bulk = route.pattern == "/enrollments" || route.pattern == "/enrollments/";
    const bool is_large = is_azures_bulk || authorities.contains(route.pattern);
    if (is_large && route.method == net::Method::kPost) continue;
    const bool is_policy = (route.method == net::Method::kPut || route.method == net::Method::kPost) &&
                           route.pattern.starts_with("/api/v1/attestation-policies/");
    if (is_policy || route.pattern == "/api/v1/attestation/verify") continue;
    const bool is_package =
        route.pattern.starts_with("/api/v1/tpm-flaws") || route.pattern == "/api/v1/firmware-quirks";
    if (is_package && (route.method == net::Method::kPut || route.method == net::Method::kPost)) continue;
    std::string target = route.pattern;
    std::ranges::replace(target, '{', 'x');
    std::ranges::replace(target, '}', 'x');
    EXPECT_EQ(operator_.ask(route.method, target, large).status, 413) << target;
    ++tried;
  }
  EXPECT_GT(tried, 20u);
}

TEST_F(EnrollmentApiTest, RefusesABulkThatIsNone) {
  const auto before = world_.stored();
  const struct {
    std::string body, code, names;
  } rows[] = {
      {R"({"enrollments":[{}]})", "json.missing", "mode"},
      {bulk("upsert", {"{}"}), "bulk.mode", "mode"},
      {R"({"mode":"create"})", "json.missing", "enrollments"},
      {bulk("create", {}), "bulk.size", "enrollments"},
      {bulk("create", {"{}"}, R"(,"dry_run":1)"), "json.type", "dry_run"},
      {bulk("create", {"{}"}, R"(,"x":1)"), "json.unknown-field", "x"},
  };
  for (const auto& row : rows) {
    const auto answer = operator_.post(kBulk, row.body);
    EXPECT_EQ(answer.status, 400) << row.body;
    EXPECT_EQ(member(answer, "code"), row.code) << row.body;
    EXPECT_THAT(member(answer, "detail"), HasSubstr(row.names)) << row.body;
  }
  EXPECT_EQ(world_.stored(), before);
}

}  // namespace
}  // namespace warifu::front::api
