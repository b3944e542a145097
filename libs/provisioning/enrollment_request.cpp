#include "provisioning/enrollment_request.h"

#include <fmt/format.h>

#include "crypto/certificate.h"

namespace warifu::provisioning {
namespace {

Status check(const CertificatePair& certificates, bool must_be_ca) {
  const auto check_one = [&](const Bytes& der, std::string_view where) -> Status {
    const auto certificate = crypto::Certificate::from_der(der);
    if (!certificate) return invalid_input("enrollment.certificate", certificate.error().message, std::string(where));
    if (must_be_ca && !certificate->is_ca())
      return invalid_input("enrollment.certificate",
                           fmt::format("\"{}\" is not the certificate of a CA: a group needs one that may sign others",
                                       certificate->subject()),
                           std::string(where));
    if (!must_be_ca && certificate->is_ca())
      return invalid_input(
          "enrollment.certificate",
          fmt::format("\"{}\" is the certificate of a CA: enroll a group for it", certificate->subject()),
          std::string(where));
    return {};
  };
  TRY_STATUS(check_one(certificates.primary, "primary"));
  if (!certificates.secondary) return {};
  return check_one(*certificates.secondary, "secondary");
}

}  // namespace

Status check_device_certificates(const CertificatePair& certificates) {
  return check(certificates, false);
}

Status check_authorities(const CertificatePair& certificates) {
  return check(certificates, true);
}

}  // namespace warifu::provisioning
