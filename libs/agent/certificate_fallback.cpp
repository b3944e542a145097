#include "agent/certificate_fallback.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "agent/messages.h"
#include "agent/server_reply.h"

namespace warifu::agent {
namespace {

constexpr std::array<std::string_view, 5> kRefusals = {
    "certificate.revoked", "certificate.held", "certificate.inactive", "certificate.expired", "certificate.unknown"};

// As it is shown now, and as the one before it: then there is none left to show.
constexpr int kAgainMax = 2;

// What leads to another certificate.
bool may_come_without(std::string_view path) {
  return path.starts_with("/api/v1/device/") &&
         (path == kGreetingPath || path.find("/attestation/") != std::string_view::npos ||
          path.ends_with("/certificates") || path.ends_with("/certificates/nonce"));
}

}  // namespace

std::string refused_certificate(const HttpReply& reply) {
  if (reply.status != 401 && reply.status != 403) return {};
  auto code = parse_server_error(reply.body).code;
  return std::ranges::find(kRefusals, code) == kRefusals.end() ? std::string() : std::move(code);
}

Result<HttpReply> CertificateFallback::send(const HttpRequest& request) {
  for (int again = 0;; ++again) {
    TRY(auto reply, transport_.send(request));
    if (!identity_.has_shown()) return reply;
    const std::string code = refused_certificate(reply);
    if (code.empty()) {
      if (reply.status < 400) told_.clear();
      return reply;
    }
    identity_.refused(code);
    if (told_ != code)
      progress_.note(fmt::format("the server does not take this device's certificate: {} [{}]",
                                 parse_server_error(reply.body).message, code));
    told_ = code;
    if (!may_come_without(request.path) || again == kAgainMax) return reply;
    transport_.close();
  }
}

}  // namespace warifu::agent
