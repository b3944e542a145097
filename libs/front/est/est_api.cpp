#include "front/est/est_api.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::front::est {
namespace {

using pki::DeviceIdentity;

// The largest that CertificateRequest reads, in base64 with line feeds.
constexpr std::size_t kBodySizeMax = 24 * 1024;
static_assert(kBodySizeMax > crypto::CertificateRequest::kMaxSize * 4 / 3 + 512);

Error nobody() {
  return {ErrorKind::kUnauthenticated, "est.credential",
          "this needs the reference and secret of `warifu certificate secret` (HTTP Basic), or a certificate of this "
          "device in the handshake"};
}

// RFC 7030 §4.2.3: it may be had later, by the same request.
net::HttpResponse come_again(const Error& why) {
  return {202, {{"Retry-After", "60"}}, "text/plain; charset=utf-8", fmt::format("{} [{}]\n", why.message, why.code)};
}

}  // namespace

std::vector<Route> EstApi::routes() {
  using enum net::Method;
  const std::string base = "/.well-known/est";
  constexpr std::string_view kPublic = "certificates are public";
  constexpr std::string_view kShown = "the device shows a one-time secret, or a certificate of ours in the handshake";
  Route enroll_first{kPost, base + "/simpleenroll", Access::open(kShown),
                     [this](const Call& call) { return enroll(call, false); }};
  enroll_first.passes_over_lapsed_certificates = true;  // a secret may be shown beside it
  return {
      {kGet, base + "/cacerts", Access::open(kPublic), [this](const Call&) { return show_authorities(); }},
      {kGet, base + "/csrattrs", Access::open(kPublic),
       [](const Call&) -> Result<Answer> { return Answer(attributes_response()); }},
      std::move(enroll_first),
      {kPost, base + "/simplereenroll", Access::open(kShown), [this](const Call& call) { return enroll(call, true); }},
      {kPost, base + "/serverkeygen", Access::open("it is always refused"), [](const Call&) -> Result<Answer> {
         return refused("est.serverkeygen",
                        "no key is made here for a device: keys are born in devices, and stay there");
       }}};
}

Result<Answer> EstApi::show_authorities() {
  TRY(const auto all, office_.ca_certificates());
  return Answer(certificates_response(all, kCaCerts));
}

Result<EstApi::Client> EstApi::client_of_secret(const BasicCredentials& shown, const std::string& spent_for) const {
  std::optional<Client> client;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto found,
        office_.desk().check_secret(snapshot.device_ca(), shown.reference, shown.secret.reveal(), spent_for));
    client = Client{.scope = found.record.scope,
                    .registration = found.record.registration_id,
                    .secret = certificates::Spending{shown.reference, spent_for}};
    return {};
  }));
  return *std::move(client);
}

Result<EstApi::Client> EstApi::client_of_certificate(ByteView der, bool is_again) const {
  std::optional<Client> client;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto shown, office_.desk().authenticate(snapshot.device_ca(), der));
    TRY_STATUS(applicants_.may_use(snapshot.provisioning(), shown));
    // An LDevID is renewed; what it shows is no ground for a first one.
    if (!is_again && shown.identity != DeviceIdentity::kIdevid) return nobody();
    client = Client{.scope = shown.scope, .registration = shown.registration_id, .certificate = shown.serial};
    return {};
  }));
  return *std::move(client);
}

Result<EstApi::Client> EstApi::find_client(const Call& call, bool is_again, const std::string& spent_for) const {
  TRY(const auto shown, basic_credentials_of(call.request));
  if (shown && !is_again) return client_of_secret(*shown, spent_for);
  if (call.request.peer_chain != nullptr) return client_of_certificate(call.request.peer_chain->front(), is_again);
  return nobody();
}

Result<Answer> EstApi::enroll(const Call& call, bool is_again) {
  if (call.request.body.size() > kBodySizeMax)
    return invalid_input("http.body_too_large", fmt::format("a request has at most {} bytes", kBodySizeMax));
  TRY(const auto request, crypto::CertificateRequest::from_text(call.request.body));
  auto public_key = request.public_key().spki();
  // The same key again is the same use: a client that lost the answer asks again.
  const std::string spent_for = fmt::format("est:{}", to_hex(device_ca::key_sha256_of(public_key)));
  TRY(auto client, find_client(call, is_again, spent_for));
  TRY_STATUS(certificates::check_requested_names(request.names(), client.registration));
  certificates::Request wanted{
      .client = std::move(client), .door = device_ca::Door::kEst, .public_key = std::move(public_key)};
  return Answer(Slow{[this, wanted = std::move(wanted)] { return issue(wanted); }});
}

Result<net::HttpResponse> EstApi::issue(const certificates::Request& request) {
  const auto issued = office_.issue(request);
  if (!issued && certificates::is_pending(issued.error())) return come_again(issued.error());
  if (!issued) return issued.error();
  TRY(auto certificate, crypto::Certificate::from_der(issued->certificate.certificate));
  TRY(auto issuer, office_.issuer_certificate());
  std::vector<crypto::Certificate> chain;
  chain.push_back(std::move(certificate));
  chain.push_back(std::move(issuer));
  return certificates_response(chain, kCertsOnly);
}

}  // namespace warifu::front::est
