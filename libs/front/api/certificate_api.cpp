#include "front/api/certificate_api.h"

#include <boost/json/array.hpp>

#include "front/api/certificate_messages.h"
#include "front/api/paging.h"
#include "front/api/requester.h"
#include "front/certificates/applicants.h"
#include "provisioning/statement.h"

namespace warifu::front::api {
namespace {

namespace json = boost::json;
using crypto::SerialNumber;
using device_ca::DeviceCertificate;

Error no_certificate(const SerialNumber& serial) {
  return unknown("certificate.unknown", "certificate", to_hex(serial.bytes()));
}

}  // namespace

std::vector<Route> CertificateApi::routes() {
  using enum net::Method;
  using operators::Permission;
  const auto reads = Access::demands(Permission::kCertificateRead);
  const auto writes = Access::demands(Permission::kCertificateWrite);
  const auto bind = [this](Result<Answer> (CertificateApi::*handle)(const Call&)) {
    return [this, handle](const Call& call) { return (this->*handle)(call); };
  };
  constexpr bool kOnce = true;
  const std::string all = "/api/v1/certificates";
  const std::string one = all + "/{serial}";
  return {{kGet, all, reads, bind(&CertificateApi::list)},
          {kGet, one, reads, bind(&CertificateApi::show)},
          {kPost, one + "/activate", writes, bind(&CertificateApi::activate)},
          {kPost, one + "/suspend", writes, bind(&CertificateApi::suspend)},
          {kPost, one + "/resume", writes, bind(&CertificateApi::resume)},
          {kPost, one + "/revoke", writes, bind(&CertificateApi::revoke)},
          {kPost,
           "/api/v1/registrations/{registration_id}/certificate-secret",
           writes,
           bind(&CertificateApi::issue_secret),
           {},
           kOnce}};
}

// A page of all; ?registration_id=ID: of its certificates, the newest first.
Result<Answer> CertificateApi::list(const Call& call) {
  const ScopeId& scope = call.principal->scope;
  const auto registration = call.target.parameter("registration_id");
  TRY(const auto size, page_size_of(call));
  device_ca::Page page{std::nullopt, size + 1};
  if (const auto after = call.target.parameter("after")) {
    auto serial = parse_serial(*after);
    if (!serial) return invalid_input("request.after", to_string(serial.error()), "after");
    page.after = *serial;
  }
  std::optional<RegistrationId> id;
  if (registration) {
    TRY(id, RegistrationId::parse(*registration));
  }
  std::vector<DeviceCertificate> items;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    auto& records = snapshot.device_ca();
    if (id) {
      TRY(items, records.list_certificates_of(scope, *id, page));
    } else {
      TRY(items, records.list_certificates(scope, page));
    }
    return {};
  }));
  return Answer(page_response(
      std::move(items), page.limit, [](const DeviceCertificate& item) { return to_hex(item.serial.bytes()); },
      [this](const DeviceCertificate& item) { return to_json(item, desk_.renew_after(item)); }));
}

Result<Answer> CertificateApi::show(const Call& call) {
  TRY(const auto serial, parse_serial(call.parameter(0)));
  std::optional<json::object> body;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto found, snapshot.device_ca().find_certificate(call.principal->scope, serial));
    if (!found) return no_certificate(serial);
    body = to_json(*found, desk_.renew_after(*found));
    return {};
  }));
  return Answer(json_response(200, *body));
}

Answer CertificateApi::changed(const Call& call, const SerialNumber& serial, Change change) const {
  return Durable{[this, serial, scope = call.principal->scope,
                  change = std::move(change)](store::Transaction& transaction) -> Result<Decision> {
    TRY_STATUS(change(transaction.device_ca(), transaction.audit()));
    TRY(const auto now, transaction.device_ca().find_certificate(scope, serial));
    if (!now) return no_certificate(serial);
    return Decision(json_response(200, to_json(*now, desk_.renew_after(*now))));
  }};
}

Result<Answer> CertificateApi::activate(const Call& call) {
  TRY(const auto serial, parse_serial(call.parameter(0)));
  return changed(call, serial, [this, serial, who = requester_of(call)](auto& records, auto& trail) {
    return desk_.activate(records, trail, who, serial);
  });
}

Result<Answer> CertificateApi::suspend(const Call& call) {
  TRY(const auto serial, parse_serial(call.parameter(0)));
  return changed(call, serial, [this, serial, who = requester_of(call)](auto& records, auto& trail) {
    return desk_.suspend(records, trail, who, serial);
  });
}

Result<Answer> CertificateApi::resume(const Call& call) {
  TRY(const auto serial, parse_serial(call.parameter(0)));
  return changed(call, serial, [this, serial, who = requester_of(call)](auto& records, auto& trail) {
    return desk_.resume(records, trail, who, serial);
  });
}

Result<Answer> CertificateApi::revoke(const Call& call) {
  TRY(const auto serial, parse_serial(call.parameter(0)));
  TRY(const auto reason, parse_revocation(call.request.body));
  return changed(call, serial, [this, serial, reason, who = requester_of(call)](auto& records, auto& trail) {
    return desk_.revoke(records, trail, who, serial, reason);
  });
}

Result<Answer> CertificateApi::issue_secret(const Call& call) {
  TRY(const auto id, RegistrationId::parse(call.parameter(0)));
  return Answer(
      Durable{[this, id, who = requester_of(call)](store::Transaction& transaction) -> Result<net::HttpResponse> {
        TRY(const auto statement,
            find_standing(transaction.provisioning(), who.scope, id, lifecycle::Action::kObtainCertificate));
        TRY(const auto issued, desk_.issue_secret(transaction.device_ca(), transaction.audit(), who, id,
                                                  certificates::ground_of(statement)));
        auto response = json_response(201, to_json(issued));
        response.headers.emplace_back("Cache-Control", "no-store");
        return response;
      }});
}

}  // namespace warifu::front::api
