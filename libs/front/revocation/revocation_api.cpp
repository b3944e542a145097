#include "front/revocation/revocation_api.h"

#include <fmt/format.h>

#include <algorithm>

#include "front/http/http_fields.h"
#include "net/http_date.h"

namespace warifu::front::revocation {
namespace {

constexpr std::string_view kOcspType = "application/ocsp-response";
constexpr std::string_view kCrlType = "application/pkix-crl";
constexpr std::string_view kIssuerType = "application/pkix-cert";
// A list of what changed may be there after a minute; the issuer's certificate changes with the years.
constexpr std::chrono::seconds kCrlCached = CrlDesk::kIntervalMin;
constexpr std::chrono::hours kIssuerCached{1};

// What was signed, and how long caches may keep it.
struct Document {
  std::string_view type;
  std::shared_ptr<const std::string> bytes;
  std::string etag;
  std::chrono::seconds max_age;
  std::string last_modified = {};
  std::string expires = {};
};

net::HttpResponse response_of(const net::HttpRequest& request, Document document) {
  net::HttpResponse response{.status = 200,
                             .headers = {},
                             .content_type = std::string(document.type),
                             .body = {},
                             .shared_body = std::move(document.bytes)};
  if (has_already(request, document.etag)) {
    response.status = 304;
    response.shared_body.reset();
  }
  // RFC 5019 §6.2; the listener adds Date.
  response.headers.reserve(4);
  response.headers.emplace_back("ETag", std::move(document.etag));
  std::string caching;
  caching.reserve(64);
  caching.append("max-age=").append(std::to_string(document.max_age.count()));
  caching.append(", public, no-transform, must-revalidate");
  response.headers.emplace_back("Cache-Control", std::move(caching));
  if (!document.last_modified.empty())
    response.headers.emplace_back("Last-Modified", std::move(document.last_modified));
  if (!document.expires.empty()) response.headers.emplace_back("Expires", std::move(document.expires));
  return response;
}

}  // namespace

std::vector<Route> RevocationApi::routes() {
  using enum net::Method;
  constexpr std::string_view kSigned = "what is told is signed, and for anybody";
  return {{kPost, std::string(kOcspPath), Access::open(kSigned),
           [this](const Call& call) { return answer_ocsp(call, ocsp_.answer(as_bytes(call.request.body))); }},
          {kGet, fmt::format("{}/{{request...}}", kOcspPath), Access::open(kSigned),
           [this](const Call& call) { return answer_ocsp(call, ocsp_.answer_base64(call.parameter(0))); }},
          {kGet, std::string(kCrlPath), Access::open(kSigned), [this](const Call& call) { return show_crl(call); }},
          {kGet, std::string(kIssuerPath), Access::open("certificates are public"),
           [this](const Call& call) { return show_issuer(call); }}};
}

Result<Answer> RevocationApi::answer_ocsp(const Call& call, OcspDesk::Reply reply) const {
  if (reply.validity == nullptr)
    return Answer(
        net::HttpResponse{.status = 200, .headers = {}, .content_type = std::string(kOcspType), .body = *reply.der});
  const auto& validity = *reply.validity;
  const auto left = std::chrono::floor<std::chrono::seconds>(validity.next_update - clock_.now());
  return Answer(response_of(call.request, {.type = kOcspType,
                                           .bytes = std::move(reply.der),
                                           .etag = validity.etag,
                                           .max_age = std::max(left, std::chrono::seconds(0)),
                                           .last_modified = validity.last_modified,
                                           .expires = validity.expires}));
}

Result<Answer> RevocationApi::show_crl(const Call& call) const {
  const auto list = crl_.current();
  if (list == nullptr)
    return Error{ErrorKind::kUnavailable, "certificate.no-crl",
                 "there is no list yet: it is being made, or the signer is away"};
  return Answer(response_of(call.request, {.type = kCrlType,
                                           .bytes = list->der,
                                           .etag = list->etag,
                                           .max_age = kCrlCached,
                                           .last_modified = net::http_date(list->this_update)}));
}

Result<Answer> RevocationApi::show_issuer(const Call& call) const {
  TRY(const auto issuer, issuer_.certificate());
  const Bytes der = issuer.to_der();
  return Answer(response_of(call.request, {.type = kIssuerType,
                                           .bytes = std::make_shared<const std::string>(as_text(der)),
                                           .etag = etag_of(der),
                                           .max_age = kIssuerCached}));
}

}  // namespace warifu::front::revocation
