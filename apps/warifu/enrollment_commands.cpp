#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "warifu/statement.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kEnrollments = "enrollments";

const std::vector<Column> kColumns = {{"REGISTRATION ID", "registration_id"},
                                      {"TYPE", "attestation.type"},
                                      {"ENABLED", "enabled"},
                                      {"EK NAME", "ek_name"},
                                      {"CREATED", "created_at"}};
const std::vector<Column> kLines = with_terms({{"registration id", "registration_id"},
                                               {"attestation", "attestation.type"},
                                               {"ek name", "ek_name"},
                                               {"ek certificate", "ek_certificate.fingerprint_sha256"},
                                               {"ek certificate is", "ek_certificate.verdict.verdict"},
                                               {"because", "ek_certificate.verdict.reason"},
                                               {"tpm maker", "ek_certificate.verdict.vendor"},
                                               {"tpm class", "ek_certificate.verdict.class"},
                                               {"tpm root", "ek_certificate.verdict.path.last.subject"},
                                               {"certificate", "attestation.x509.primary.sha256"},
                                               {"second certificate", "attestation.x509.secondary.sha256"},
                                               {"device id", "device_id"}});

void warn_of_same_ek(const json::value& answer) {
  const auto* same_ek = answer.as_object().if_contains("same_ek_as");
  if (same_ek == nullptr || !same_ek->is_array() || same_ek->get_array().empty()) return;
  fmt::print(stderr, "warning: this EK is enrolled under other IDs too: {}. Two devices cannot have one TPM.\n",
             json::serialize(*same_ek));
}

Status set_enabled(const Context& context, const std::string& registration_id, bool enabled) {
  TRY(const auto path, path_of(kEnrollments, registration_id));
  StatementChange change;
  change.terms.enabled = enabled;
  return update_statement(context, path, change, {{"registration id", "registration_id"}});
}

}  // namespace

Status create_enrollment(const Context& context, const EnrollmentOptions& options) {
  TRY(const auto api, client_of(context));
  TRY(auto attestation, attestation_of(options.credential));
  json::object request{{"registration_id", options.registration_id}, {"attestation", std::move(attestation)}};
  if (options.device_id) request["device_id"] = *options.device_id;
  TRY_STATUS(apply_terms(request, options.terms));
  TRY(const auto answer, api.post("/api/v1/enrollments", json::serialize(request)));
  print(context, answer, kLines);
  warn_of_same_ek(answer);
  return {};
}

Status list_enrollments(const Context& context) {
  return list(context, "/api/v1/enrollments", kColumns, "nothing is enrolled: see `warifu enrollment create --help`");
}

Status show_enrollment(const Context& context, const std::string& registration_id) {
  TRY(const auto path, path_of(kEnrollments, registration_id));
  return show(context, path, kLines);
}

Status update_enrollment(const Context& context, const EnrollmentOptions& options) {
  TRY(const auto path, path_of(kEnrollments, options.registration_id));
  return update_statement(context, path, {options.credential, options.terms, options.device_id, options.dry_run},
                          kLines);
}

Status enable_enrollment(const Context& context, const std::string& registration_id) {
  return set_enabled(context, registration_id, true);
}

Status disable_enrollment(const Context& context, const std::string& registration_id) {
  return set_enabled(context, registration_id, false);
}

Status show_enrollment_keys(const Context& context, const std::string& registration_id) {
  TRY(const auto path, path_of(kEnrollments, registration_id));
  return show(
      context, path + "/keys",
      {{"registration id", "registration_id"}, {"primary key", "primary_key"}, {"secondary key", "secondary_key"}});
}

Status delete_enrollment(const Context& context, const std::string& registration_id) {
  TRY(const auto path, path_of(kEnrollments, registration_id));
  return remove(context, path, registration_id, fmt::format("{} is no longer enrolled", registration_id));
}

}  // namespace warifu::cli
