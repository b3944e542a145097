#include "front/device/escrow_api.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "wire/json.h"

namespace warifu::front::device {
namespace {

using provisioning::EscrowPackage;
using provisioning::SignedPackage;

// The largest package in base64, with room for the JSON around it.
constexpr std::size_t kBodySizeMax = 8 * 1024 + 256;
static_assert(kBodySizeMax > (EscrowPackage::kSizeMax + 2) / 3 * 4 + 16);

// Long enough for a fleet that starts at once behind one cache.
constexpr std::string_view kCertificateCaching = "public, max-age=300";

Result<provisioning::SasToken> token_of(const Call& call) {
  const auto authorization = call.request.header("Authorization");
  if (!authorization)
    return Error{ErrorKind::kUnauthenticated, "token.missing", "this request needs a SAS token in Authorization"};
  return provisioning::parse_sas_token(*authorization);
}

// {"package": base64 of the CMS DER}
Result<Bytes> package_of(const Call& call) {
  const std::string& body = call.request.body;
  if (body.size() > kBodySizeMax)
    return invalid_input("http.body_too_large",
                         fmt::format("the body has at most {} bytes, this one has {}", kBodySizeMax, body.size()));
  TRY(const auto value, wire::parse_json(body));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"package"}));
  TRY(const auto text, fields.required_string("package"));
  auto der = from_base64(text);
  if (!der) return invalid_input("escrow.package", der.error().message, "package");
  return der;
}

net::HttpResponse kept() {
  return {204, {}, "", ""};
}

}  // namespace

void EscrowApi::set_chain(const std::vector<crypto::Certificate>& chain) {
  boost::json::array array;
  for (const auto& certificate : chain)
    array.emplace_back(to_base64(certificate.to_der()));
  std::string body = array.empty() ? "" : boost::json::serialize(boost::json::object{{"chain", std::move(array)}});
  const std::lock_guard lock(mutex_);
  chain_ = std::move(body);
}

std::vector<Route> EscrowApi::routes() {
  const auto bind = [this](Result<Answer> (EscrowApi::*handle)(const Call&)) {
    return [this, handle](const Call& call) { return (this->*handle)(call); };
  };
  return {
      {net::Method::kGet, "/api/v1/device/escrow-certificate", Access::open("certificates are public"),
       bind(&EscrowApi::show_certificate)},
      {net::Method::kPut, "/api/v1/device/escrow", Access::open("the device signs with its hub key"),
       bind(&EscrowApi::deposit)},
  };
}

Result<Answer> EscrowApi::show_certificate(const Call&) {
  const std::lock_guard lock(mutex_);
  if (chain_.empty())
    return Error{
        ErrorKind::kNotFound, "escrow.none",
        "this organisation has no escrow certificate: `warifu-signer status` shows its administrator the roles "
        "that there are"};
  return Answer(
      net::HttpResponse{200, {{"Cache-Control", std::string(kCertificateCaching)}}, "application/json", chain_});
}

Result<Answer> EscrowApi::deposit(const Call& call) {
  auto answer = accept(call);
  if (!answer) metrics_.count_escrow_package(EscrowOutcome::kRefused);
  return answer;
}

Result<Answer> EscrowApi::accept(const Call& call) {
  TRY(const auto token, token_of(call));
  // The digest of the package is under the signature: so the body is read first, and its size is bounded.
  TRY(auto package, package_of(call));
  std::shared_ptr<const SignedPackage> proven;
  bool is_there = false;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(auto verified, desk_.verify(snapshot.provisioning(), {token, std::move(package)}));
    TRY(is_there, desk_.has(snapshot.provisioning(), verified));
    proven = std::make_shared<const SignedPackage>(std::move(verified));
    return {};
  }));
  if (is_there) {
    metrics_.count_escrow_package(EscrowOutcome::kRepeated);
    return Answer(kept());
  }
  return Answer(Durable{
      [this, proven](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY_STATUS(desk_.deposit(transaction.provisioning(), transaction.audit(), *proven));
        return kept();
      },
      [this] { metrics_.count_escrow_package(EscrowOutcome::kReceived); },
  });
}

}  // namespace warifu::front::device
