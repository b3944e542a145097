#include "front/http/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;
using test::member;

// Everything that is logged while it lives.
class LogCapture {
 public:
  LogCapture() : before_(spdlog::default_logger()) {
    auto logger =
        std::make_shared<spdlog::logger>("capture", std::make_shared<spdlog::sinks::ostream_sink_mt>(stream_));
    logger->set_level(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
  }
  ~LogCapture() { spdlog::set_default_logger(before_); }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;
  std::string text() const { return stream_.str(); }

 private:
  std::ostringstream stream_;
  std::shared_ptr<spdlog::logger> before_;
};

net::HttpRequest request(net::Method method, std::string target, std::string body = {}) {
  return World::TestDevice::request(method, std::move(target), "", std::move(body));
}

class DispatcherTest : public ::testing::Test {
 protected:
  World world_;
  const LogCapture log_;
};

TEST_F(DispatcherTest, RefusesTargetsThatAreNone) {
  for (const std::string target :
       {"", "*", "api/v1/devices", "/api/../api/v1/devices", "/api/v1/%2e%2e/devices", "/api//v1", "/%zz", "/a\nb"}) {
    const auto answer = world_.server.operator_asks(request(net::Method::kGet, target));
    EXPECT_EQ(answer.status, 400) << target;
    EXPECT_EQ(member(answer, "code"), "http.target") << target;
  }
}

TEST_F(DispatcherTest, ReadsALargeBodyForWhoMayUseTheRouteOnly) {
  const auto writer = world_.server.access_token(operators::Permissions::parse({"enrollment:write"}).value());
  const auto reader = world_.server.access_token(operators::Permissions::parse({"enrollment:read"}).value());
  const std::string bulk = "/api/v1/bulk/enrollments";
  const struct {
    std::string target, authorization;
    int status;
    std::string code;
  } rows[] = {
      {bulk, "Bearer " + writer.value(), 0, ""},
      {bulk, "Bearer " + reader.value(), 403, "permission.missing"},
      {bulk, "", 401, "credential.missing"},
      {bulk, "Basic abc", 401, "credential.missing"},
      {bulk, "Bearer abc", 401, "credential.form"},
      {bulk, "Bearer warifu_access_" + std::string(43, 'A'), 401, "credential.unknown"},
      {bulk, "SharedAccessSignature sr=warifu.example&sig=" + std::string(43, 'A') + "%3D&se=9999999999&skn=none", 401,
       "credential.unknown"},
      {"/healthz", "", 413, "http.body_too_large"},
      {"/api/v1/login", "", 413, "http.body_too_large"},
      {"/nothing", "Bearer " + writer.value(), 404, "http.route"},
      {"/%zz", "", 400, "http.target"},
  };
  for (const auto& row : rows) {
    auto large = World::TestDevice::request(row.target == "/healthz" ? net::Method::kGet : net::Method::kPost,
                                            row.target, row.authorization, "");
    const auto refused = world_.server.operators.refuse_body(large);
    EXPECT_EQ(refused ? refused->status : 0, row.status) << row.target << " " << row.authorization;
    EXPECT_EQ(refused ? member(*refused, "code") : "", row.code) << row.target << " " << row.authorization;
  }
}

TEST_F(DispatcherTest, LogsOneExampleASecondOfWhoSendsLargeBodies) {
  for (int i = 0; i < 50; ++i)
    EXPECT_TRUE(world_.server.operators.refuse_body(request(net::Method::kPost, "/api/v1/bulk/enrollments")));
  const std::string log = log_.text();
  const auto first = log.find("credential.missing");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(log.find("code=credential.missing", first + 1), std::string::npos);
}

TEST_F(DispatcherTest, NamesTheMethodsThatAPathTakes) {
  const auto answer = world_.server.operator_asks(request(net::Method::kPatch, "/api/v1/enrollments"));
  EXPECT_EQ(answer.status, 405);
  EXPECT_THAT(std::string(net::find_header(answer.headers, "Allow").value_or("")),
              ::testing::AllOf(HasSubstr("GET"), HasSubstr("POST")));
  EXPECT_EQ(world_.server.operator_asks(request(net::Method::kHead, "/healthz")).status, 200);
}

TEST_F(DispatcherTest, LogsEachRefusalUnderItsTrackingId) {
  const auto answer = world_.meter.ask(world_.device(world_.tpm_b, "meter-1").register_request());
  EXPECT_THAT(log_.text(), HasSubstr("tracking_id=" + member(answer, "trackingId")));
  EXPECT_THAT(log_.text(), HasSubstr("code=enrollment.ek"));
}

// Who is not even logged in must not be able to write lines of his own into the log.
TEST_F(DispatcherTest, LogsOneLineForARefusalWhateverTheRequestSays) {
  const std::string forged = "x\\n[2026-01-01 00:00:00.000] [info] forged";
  world_.server.operator_asks(request(net::Method::kPost, "/api/v1/login",
                                      fmt::format(R"({{"bootstrap_token":"x","permissions":["{}"]}})", forged)));
  world_.server.operator_asks(request(net::Method::kPost, "/api/v1/login", fmt::format(R"({{"{}":1}})", forged)));
  world_.server.operator_asks(request(net::Method::kGet, "/x\n[2026-01-01 00:00:00.000] [info] forged"));
  world_.server.operator_asks(request(net::Method::kGet, "/a\x1b[2J\xff"));
  const std::string log = log_.text();
  EXPECT_EQ(std::ranges::count(log, '\n'), 4) << log;
  EXPECT_THAT(log, Not(HasSubstr("\x1b")));
}

TEST_F(DispatcherTest, LogsNoSecretThatARunUses) {
  std::vector<Bytes> keys;
  std::vector<std::string> texts;
  const auto keep = [&](const SecretBytes& key) { keys.push_back(to_bytes(key.reveal())); };
  const auto& meter = world_.meter;
  keep(test::Server::envelope_key());

  // An operator's day.
  const auto bootstrap = world_.server.bootstrap_token().value();
  texts.push_back(bootstrap);
  const auto login =
      request(net::Method::kPost, "/api/v1/login", fmt::format(R"({{"bootstrap_token":"{}"}})", bootstrap));
  const auto access = member(world_.server.operator_asks(login), "access_token");
  texts.push_back(access);
  world_.server.operator_asks(login);  // refused: used
  world_.server.operator_asks(
      request(net::Method::kPost, "/api/v1/login", fmt::format(R"({{"bootstrap_token":"{}"}})", access)));
  world_.server.operator_asks(
      request(net::Method::kPost, "/api/v1/login", fmt::format(R"({{"name":"{}"}})", bootstrap)));
  const auto as_operator = [&](net::Method method, std::string target, std::string body = {}) {
    auto asked = request(method, std::move(target), std::move(body));
    asked.headers.emplace_back("Authorization", "Bearer " + access);
    return world_.server.operator_asks(std::move(asked));
  };
  const auto connection =
      member(as_operator(net::Method::kPost, "/api/v1/service-keys", R"({"name":"ci"})"), "connection_string");
  texts.push_back(connection.substr(connection.find("SharedAccessKey=") + 16));
  as_operator(net::Method::kPost, "/api/v1/service-keys", R"({"name":"ci"})");
  as_operator(net::Method::kGet, "/nowhere");

  // A device's day, with its refusals.
  for (int round = 0; round < 2; ++round) {
    const auto key = meter.get_challenge().value();
    keep(key);
    const auto token = meter.sign(key);
    texts.push_back(token);
    texts.push_back(token.substr(token.find("sig=") + 4, 40));
    const auto operation = meter.open_operation(token).value();
    keep(meter.collect(operation, token).value());
    EXPECT_EQ(meter.ask(meter.register_request(token)).status, 401);
    EXPECT_EQ(meter.ask(meter.register_request(meter.sign(key, -std::chrono::hours(1)))).status, 401);
    EXPECT_EQ(meter.ask(meter.register_request(token + "&x=1")).status, 401);
    auto in_the_body = meter.register_request();
    in_the_body.body = fmt::format(R"({{"registrationId":"{}"}})", token);
    EXPECT_EQ(meter.ask(in_the_body).status, 400);
  }
  as_operator(net::Method::kGet, "/api/v1/devices/meter-1/hub-key");

  const std::string log = log_.text();
  EXPECT_THAT(log, HasSubstr("challenge.unknown"));  // something was logged
  for (const Bytes& key : keys)
    for (const std::string& form : {std::string(as_text(key)), to_hex(key), to_base64(key), to_base64url(key)})
      texts.push_back(form);
  const std::string metrics = world_.server.metrics.text();
  const std::string stored = world_.stored();
  for (const std::string& secret : texts) {
    EXPECT_EQ(log.find(secret), std::string::npos) << "logged";
    EXPECT_EQ(metrics.find(secret), std::string::npos) << "in the metrics";
    EXPECT_EQ(stored.find(secret), std::string::npos) << "in the audit log, or stored in the clear";
  }
  for (const Bytes& key : keys) {
    std::string upper = to_hex(key);
    std::ranges::transform(upper, upper.begin(), [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
    EXPECT_EQ(stored.find(upper), std::string::npos) << "stored in the clear";
  }
}

}  // namespace
}  // namespace warifu::front
