#include "warifu/certificate_commands.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "crypto/certificate.h"
#include "keystore/files.h"
#include "warifu/requests.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kCollection = "certificates";

const std::vector<Column> kCertificateLines = {{"serial number", "serial"},
                                               {"registration ID", "registration_id"},
                                               {"kind", "kind"},
                                               {"key is in", "protection"},
                                               {"state", "state"},
                                               {"reason", "reason"},
                                               {"asked for by", "door"},
                                               {"begins", "not_before"},
                                               {"ends", "not_after"},
                                               {"renewed after", "renew_after"},
                                               {"state since", "changed_at"},
                                               {"ek name", "ek_name"},
                                               {"key sha256", "key_sha256"}};

Status change(const Context& context, const std::string& serial, std::string_view verb, const std::string& body) {
  TRY(const auto api, client_of(context));
  TRY(const auto path, path_of(kCollection, serial));
  TRY(const auto answer, api.post(fmt::format("{}/{}", path, verb), body));
  print(context, answer, kCertificateLines);
  return {};
}

}  // namespace

Status list_certificates(const Context& context, const std::string& registration_id) {
  std::string path = "/api/v1/certificates";
  if (!registration_id.empty()) {
    // What would change the request is refused there.
    TRY_STATUS(path_of("registrations", registration_id));
    path += "?registration_id=" + registration_id;
  }
  return list(context, path,
              {{"SERIAL", "serial"},
               {"REGISTRATION ID", "registration_id"},
               {"KIND", "kind"},
               {"KEY", "protection"},
               {"STATE", "state"},
               {"ENDS", "not_after"}},
              "no certificates yet: devices get theirs by `warifu-agent run`, by EST or by CMP");
}

Status show_certificate(const Context& context, const CertificateOptions& options) {
  TRY(const auto api, client_of(context));
  TRY(const auto path, path_of(kCollection, options.serial));
  TRY(const auto answer, api.get(path));
  print(context, answer, kCertificateLines);
  if (options.out_file.empty()) return {};
  TRY(const auto fields, wire::JsonFields::of(answer));
  TRY(const auto der, fields.required_bytes("certificate"));
  TRY(const auto certificate, crypto::Certificate::from_der(der));
  return keystore::write_file(options.out_file, as_bytes(certificate.to_pem()), FileMode::kPublic);
}

Status activate_certificate(const Context& context, const std::string& serial) {
  return change(context, serial, "activate", "");
}

Status suspend_certificate(const Context& context, const std::string& serial) {
  return change(context, serial, "suspend", "");
}

Status resume_certificate(const Context& context, const std::string& serial) {
  return change(context, serial, "resume", "");
}

Status revoke_certificate(const Context& context, const std::string& serial, const std::string& reason) {
  return change(context, serial, "revoke", reason.empty() ? "" : json::serialize(json::object{{"reason", reason}}));
}

Status make_certificate_secret(const Context& context, const std::string& registration_id) {
  TRY(const auto api, client_of(context));
  TRY(const auto path, path_of("registrations", registration_id));
  TRY(const auto answer, api.post(path + "/certificate-secret", ""));
  print(context, answer, {{"reference", "reference"}, {"secret", "secret"}, {"good until", "expires_at"}});
  return {};
}

}  // namespace warifu::cli
