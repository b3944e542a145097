// Trust bundles for whoever asks: the latest, each by its version, and what a cache may do with them.
#include "front/device/trust_bundle_api.h"

#include <gtest/gtest.h>

#include "front/http/http_fields.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"
#include "trust_bundle/test_organisation.h"

namespace warifu::front::device {
namespace {

using test::member;
using trust_bundle::TestOrganisation;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

class TrustBundleApiTest : public ::testing::Test {
 protected:
  TrustBundleApiTest() {
    envelopes_.push_back(organisation_.signed_by(organisation_.first(), {"Root-1", "Ann", "bob"}));
    envelopes_.push_back(organisation_.signed_by(TestOrganisation::after(organisation_.begun()), {"Ann", "bob"}));
  }
  net::HttpResponse get(const std::string& path, const std::string& known = "") {
    auto request = World::TestDevice::request(net::Method::kGet, "/api/v1/device/trust-bundle" + path, "", "");
    if (!known.empty()) request.headers.emplace_back("If-None-Match", known);
    return world_.server.device_asks(std::move(request));
  }
  static std::string header(const net::HttpResponse& answer, std::string_view name) {
    return std::string(net::find_header(answer.headers, name).value_or(""));
  }

  World world_;
  TestOrganisation organisation_;
  std::vector<trust_bundle::Envelope> envelopes_;
};

TEST_F(TrustBundleApiTest, ShowsTheLatestAndEachByItsVersion) {
  ASSERT_TRUE(world_.server.trust_bundle_api.set(envelopes_));
  EXPECT_EQ(get("").body, envelopes_[1].to_json());
  EXPECT_EQ(get("/1").body, envelopes_[0].to_json());
  EXPECT_EQ(get("/2").body, envelopes_[1].to_json());
  EXPECT_EQ(header(get(""), "Cache-Control"), "public, max-age=300");
  EXPECT_EQ(header(get("/1"), "Cache-Control"), "public, max-age=31536000, immutable");
}

TEST_F(TrustBundleApiTest, SendsNothingTwiceToWhoHasIt) {
  ASSERT_TRUE(world_.server.trust_bundle_api.set(envelopes_));
  const std::string etag = header(get(""), "ETag");
  EXPECT_EQ(etag, etag_of(as_bytes(envelopes_[1].to_json())));
  for (const std::string& known : {etag, "W/" + etag, "\"x\", " + etag, std::string("*")}) {
    const auto answer = get("", known);
    EXPECT_EQ(answer.status, 304) << known;
    EXPECT_EQ(answer.body, "");
    EXPECT_EQ(header(answer, "ETag"), etag);
  }
  EXPECT_EQ(get("", header(get("/1"), "ETag")).status, 200) << "that of another version";
}

TEST_F(TrustBundleApiTest, SaysWhatIsNotThere) {
  const auto none = get("");
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(member(none, "code"), "trust.none");
  ASSERT_TRUE(world_.server.trust_bundle_api.set(envelopes_));
  EXPECT_EQ(get("/3").status, 404);
  EXPECT_EQ(member(get("/9007199254740991"), "code"), "trust.none");
  for (const char* version : {"0", "-1", "01", "1x", "x", "18446744073709551617"}) {
    EXPECT_EQ(get(std::string("/") + version).status, 400) << version;
    EXPECT_EQ(member(get(std::string("/") + version), "code"), "trust.version") << version;
  }
}

TEST_F(TrustBundleApiTest, GoesOnWithTheOldOnesWhenTheNewAreTooLarge) {
  ASSERT_TRUE(world_.server.trust_bundle_api.set(envelopes_));
  const std::vector<trust_bundle::Envelope> many(TrustBundleApi::kSizeMax / envelopes_[0].to_json().size() + 1,
                                                 envelopes_[0]);
  EXPECT_EQ(world_.server.trust_bundle_api.set(many).error().code, "trust.size");
  EXPECT_EQ(get("").body, envelopes_[1].to_json());
  EXPECT_EQ(get("/3").status, 404);
}

}  // namespace
}  // namespace warifu::front::device
