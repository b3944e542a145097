#include "front/cmp/cmp_api.h"

#include <spdlog/spdlog.h>

#include <fmt/format.h>

#include "crypto/cmp_message.h"

namespace warifu::front::cmp_door {
namespace {

constexpr std::string_view kContentType = "application/pkixcmp";
// Of the leaf that answers: the key is in memory, and another one takes its place at half of its life.
constexpr std::chrono::hours kCredentialLifetime{24 * 2};

// Where the signer was away.
constexpr std::chrono::minutes kTryAgainAfter{1};

Error not_ready() {
  return {ErrorKind::kUnavailable, "cmp.not_ready",
          "the server cannot answer CMP yet: its signer has not certified the key for it"};
}

}  // namespace

CmpApi::CmpApi(CmpIssuer& issuer, device_ca::Issuer& signer, const Clock& clock, const MonotonicClock& monotonic,
               Entropy& entropy)
    : issuer_(issuer), signer_(signer), clock_(clock), monotonic_(monotonic), entropy_(entropy) {
}

std::shared_ptr<cmp::Server> CmpApi::server() const {
  const std::lock_guard lock(mutex_);
  return server_;
}

std::vector<Route> CmpApi::routes() {
  const auto handle = [this](const Call& call) -> Result<Answer> {
    auto server = this->server();
    if (server == nullptr) return not_ready();
    if (call.request.body.size() > crypto::CmpMessage::kMaxSize)
      return invalid_input("http.body_too_large",
                           fmt::format("a message has at most {} bytes", crypto::CmpMessage::kMaxSize));
    return Answer(Slow{[server = std::move(server), body = to_bytes(as_bytes(call.request.body)),
                        tracking_id = call.tracking_id]() -> Result<net::HttpResponse> {
      const auto answer = server->answer(body);
      if (answer.error)
        spdlog::info("refused tracking_id={} request=cmp code={} detail={:?}", tracking_id, answer.error->code,
                     to_operator_string(*answer.error));
      return net::HttpResponse{
          200, {{"Cache-Control", "no-store"}}, std::string(kContentType), std::string(as_text(answer.der))};
    }});
  };
  constexpr std::string_view kWhy = "its messages protect themselves";
  std::vector<Route> routes = {{net::Method::kPost, "/.well-known/cmp", Access::open(kWhy), handle},
                               {net::Method::kPost, "/.well-known/cmp/p/{profile}", Access::open(kWhy), handle}};
  for (Route& route : routes)
    route.passes_over_lapsed_certificates = true;  // who asks here shows what he has in the message
  return routes;
}

Status CmpApi::look_after() {
  // Whoever looks already does it for both.
  const std::unique_lock turn(looking_, std::try_to_lock);
  if (!turn) return {};
  if (const auto running = server()) running->expire();
  const Timestamp now = clock_.now();
  if (now < renew_at_) return {};
  renew_at_ = now + kTryAgainAfter;
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  TRY(auto certificate,
      signer_.certify_responder(pki::ResponderPurpose::kCmp, key.public_key().spki(), kCredentialLifetime));
  TRY(auto issuer, signer_.certificate());
  std::vector<crypto::Certificate> chain;
  chain.push_back(std::move(issuer));
  renew_at_ = now + (certificate.not_after() - now) / 2;
  TRY(auto credential, cmp::Credential::of(std::move(certificate), std::move(chain), crypto::Signer(key)));
  if (const auto running = server()) {
    running->use(std::move(credential));
    return {};
  }
  const std::lock_guard lock(mutex_);
  server_ = std::make_shared<cmp::Server>(issuer_, std::move(credential), clock_, monotonic_, entropy_);
  return {};
}

}  // namespace warifu::front::cmp_door
