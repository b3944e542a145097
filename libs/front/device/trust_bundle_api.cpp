#include "front/device/trust_bundle_api.h"

#include <fmt/format.h>

#include <charconv>

#include "front/http/http_fields.h"

namespace warifu::front::device {
namespace {

// A revocation shall be known soon, and a fleet that starts at once may have a cache in front of it.
constexpr std::string_view kLatestCaching = "public, max-age=300";
// No version is ever written anew.
constexpr std::string_view kVersionCaching = "public, max-age=31536000, immutable";

Answer answer_with(const Call& call, const std::string& body, const std::string& etag, std::string_view caching) {
  net::Headers headers{{"ETag", etag}, {"Cache-Control", std::string(caching)}};
  if (has_already(call.request, etag)) return net::HttpResponse{304, std::move(headers), "", ""};
  return net::HttpResponse{200, std::move(headers), "application/json", body};
}

// 1 to 16 digits, without a zero in front. 0: it is none.
std::uint64_t version_in(std::string_view text) {
  constexpr std::size_t kDigitsMax = 16;
  std::uint64_t version = 0;
  const char* end = text.data() + text.size();
  if (text.empty() || text.size() > kDigitsMax || text.front() == '0') return 0;
  const auto read = std::from_chars(text.data(), end, version);
  return read.ec == std::errc() && read.ptr == end ? version : 0;
}

}  // namespace

Status TrustBundleApi::set(const std::vector<trust_bundle::Envelope>& bundles) {
  auto entries = std::make_shared<Entries>();
  std::size_t size = 0;
  for (const trust_bundle::Envelope& bundle : bundles) {
    std::string body = bundle.to_json();
    size += body.size();
    if (size > kSizeMax)
      return refused("trust.size", fmt::format("the trust bundles have more than {} MiB together", kSizeMax >> 20));
    // Of the answer, not of the payload: signatures may be added to the same bundle.
    std::string etag = etag_of(as_bytes(body));
    entries->push_back({std::move(body), std::move(etag)});
  }
  const std::lock_guard lock(mutex_);
  entries_ = std::move(entries);
  return {};
}

std::shared_ptr<const TrustBundleApi::Entries> TrustBundleApi::entries() const {
  const std::lock_guard lock(mutex_);
  return entries_;
}

std::vector<Route> TrustBundleApi::routes() {
  const auto bind = [this](Result<Answer> (TrustBundleApi::*handle)(const Call&) const) {
    return [this, handle](const Call& call) { return (this->*handle)(call); };
  };
  constexpr std::string_view kWhy = "trust bundles are public, and signed";
  return {
      {net::Method::kGet, "/api/v1/device/trust-bundle", Access::open(kWhy), bind(&TrustBundleApi::show_latest)},
      {net::Method::kGet, "/api/v1/device/trust-bundle/{version}", Access::open(kWhy),
       bind(&TrustBundleApi::show_version)},
  };
}

Result<Answer> TrustBundleApi::show_latest(const Call& call) const {
  const auto all = entries();
  if (all->empty())
    return Error{ErrorKind::kNotFound, "trust.none",
                 "this server has no trust bundle: `warifud trust install` brings its administrator's one here"};
  return answer_with(call, all->back().body, all->back().etag, kLatestCaching);
}

Result<Answer> TrustBundleApi::show_version(const Call& call) const {
  const auto version = version_in(call.parameter(0));
  if (version == 0) return invalid_input("trust.version", "expected the number of a version, from 1", "version");
  const auto all = entries();
  if (version > all->size())
    return Error{ErrorKind::kNotFound, "trust.none",
                 fmt::format("this server has no trust bundle {}, its latest is {}", version, all->size())};
  const Entry& entry = all->at(version - 1);
  return answer_with(call, entry.body, entry.etag, kVersionCaching);
}

}  // namespace warifu::front::device
