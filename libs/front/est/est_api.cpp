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

Error wrong_secret() {
  Error error{ErrorKind::kUnauthenticated, "certificate.secret",
              "this reference and secret are not good: ask your operator for others"};
  error.operator_detail = "the reference is right, and the secret is not";
  return error;
}

// RFC 7030 §4.2.3: it may be had later, by the same request.
net::HttpResponse come_again(const Error& why) {
  return {202, {{"Retry-After", "60"}}, "text/plain; charset=utf-8", fmt::format("{} [{}]\n", why.message, why.code)};
}

}  // namespace

void EstApi::set_root(std::optional<crypto::Certificate> root) {
  const std::lock_guard lock(mutex_);
  root_ = std::move(root);
}

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
  TRY(auto issuer, office_.issuer_certificate());
  std::vector<crypto::Certificate> all;
  all.push_back(std::move(issuer));
  const std::lock_guard lock(mutex_);
  if (root_) all.push_back(root_->clone());
  return Answer(certificates_response(all, kCaCerts));
}

Result<EstApi::Client> EstApi::client_of_secret(const BasicCredentials& shown, std::string_view spent_for) const {
  std::optional<Client> client;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto found, office_.desk().find_secret(snapshot.device_ca(), shown.reference, spent_for));
    if (!equal_constant_time(found.secret.reveal(), shown.secret.reveal())) return wrong_secret();
    client = Client{found.record.scope, found.record.registration_id, shown.reference};
    return {};
  }));
  return *std::move(client);
}

Result<EstApi::Client> EstApi::client_of_certificate(ByteView der, bool is_again) const {
  std::optional<Client> client;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto shown, office_.desk().authenticate(snapshot.device_ca(), der));
    TRY_STATUS(applicants_.may_use(snapshot.provisioning(), shown.scope, shown.registration_id));
    // An LDevID is renewed; what it shows is no ground for a first one.
    if (!is_again && shown.identity != DeviceIdentity::kIdevid) return nobody();
    client = Client{shown.scope, shown.registration_id};
    return {};
  }));
  return *std::move(client);
}

Result<EstApi::Client> EstApi::find_client(const Call& call, bool is_again, std::string_view spent_for) const {
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
  return Answer(Slow{[this, client = std::move(client), public_key = std::move(public_key), spent_for] {
    return issue(client, public_key, spent_for);
  }});
}

Result<net::HttpResponse> EstApi::issue(const Client& client, const Bytes& public_key, const std::string& spent_for) {
  certificates::Request request{.scope = client.scope,
                                .registration = client.registration,
                                .door = device_ca::Door::kEst,
                                .public_key = public_key};
  if (!client.reference.empty())
    request.settle = [this, &client, &spent_for](store::Transaction& transaction) {
      return office_.desk().spend(transaction.device_ca(), transaction.audit(), client.reference, spent_for);
    };
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
