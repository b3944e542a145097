#include "front/cmp/cmp_api.h"

#include <spdlog/spdlog.h>

#include <fmt/format.h>

#include "crypto/cmp_message.h"

namespace warifu::front::cmp_door {
namespace {

constexpr std::string_view kContentType = "application/pkixcmp";
// Of the leaf that answers: the key is in memory, and another one takes its place at half of its life.
constexpr std::chrono::hours kCredentialLifetime{24 * 2};

// The signer is asked no more often than that.
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
    auto work = [server = std::move(server), body = to_bytes(as_bytes(call.request.body)),
                 tracking_id = call.tracking_id]() -> Result<net::HttpResponse> {
      const auto answer = server->answer(body);
      if (answer.error)
        spdlog::info("refused tracking_id={} request=cmp asker={:?} code={} detail={:?}", tracking_id, answer.asker,
                     answer.error->code, to_operator_string(*answer.error));
      return net::HttpResponse{
          200, {{"Cache-Control", "no-store"}}, std::string(kContentType), std::string(as_text(answer.der))};
    };
    return Answer(Slow{.work = std::move(work), .is_for_anybody = true});
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
  if (const auto running = server())
    if (const auto done = running->expire(); !done)
      spdlog::warn("CMP, withdrawing what clients rejected: {}", to_string(done.error()));
  return renew();
}

Status CmpApi::renew() {
  auto issuer = signer_.certificate();
  // An organisation without that role issues nothing, and has nothing to answer.
  if (!issuer) return {};
  Bytes issuer_der = issuer->to_der();
  const Timestamp now = clock_.now();
  // Before its time, after the clock was set back, nobody believes it.
  const bool is_in_force = now >= not_before_ && now < renew_at_;
  if (is_in_force && issuer_der == made_by_) return {};
  if (monotonic_.now() < try_again_at_) return {};
  try_again_at_ = monotonic_.now() + kTryAgainAfter;
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  TRY(auto certificate,
      signer_.certify_responder(pki::ResponderPurpose::kCmp, key.public_key().spki(), kCredentialLifetime));
  const Timestamp not_before = certificate.not_before();
  const Timestamp renew_at = now + (certificate.not_after() - now) / 2;
  std::vector<crypto::Certificate> chain;
  chain.push_back(*std::move(issuer));
  TRY(auto credential, cmp::Credential::of(std::move(certificate), std::move(chain), crypto::Signer(key)));
  use(std::move(credential));
  made_by_ = std::move(issuer_der);
  not_before_ = not_before;
  renew_at_ = renew_at;
  return {};
}

void CmpApi::use(cmp::Credential credential) {
  if (const auto running = server()) return running->use(std::move(credential));
  const std::lock_guard lock(mutex_);
  // Each that waits would hold one of the few threads: who repeats a request that is worked on is told to come again.
  const cmp::Limits limits{.waiting_for_one = 1};
  server_ = std::make_shared<cmp::Server>(issuer_, std::move(credential), clock_, monotonic_, entropy_, limits);
}

}  // namespace warifu::front::cmp_door
