#include "front/well_known/jwks_route.h"

namespace warifu::front::well_known {
namespace {

// Less than a key is listed before its first result (ResultsKeys::kListedAround): no cache lacks a key that signs.
constexpr std::string_view kCaching = "public, max-age=3600";
static_assert(attestation::ResultsKeys::kListedAround > std::chrono::hours(1));

}  // namespace

Route jwks_route(const attestation::ResultsKeys& keys, const Clock& clock) {
  return {net::Method::kGet, "/.well-known/jwks.json", Access::open("public keys are public"),
          [&keys, &clock](const Call&) -> Result<Answer> {
            return Answer(net::HttpResponse{
                200, {{"Cache-Control", std::string(kCaching)}}, "application/jwk-set+json", keys.jwks(clock.now())});
          }};
}

}  // namespace warifu::front::well_known
