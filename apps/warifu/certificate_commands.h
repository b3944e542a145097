#pragma once

#include <string>

#include "warifu/commands.h"

namespace warifu::cli {

// Of all devices, or of one.
Status list_certificates(const Context& context, const std::string& registration_id);
struct CertificateOptions {
  std::string serial;
  std::string out_file;  // empty: it is only described
};
Status show_certificate(const Context& context, const CertificateOptions& options);
Status activate_certificate(const Context& context, const std::string& serial);
Status suspend_certificate(const Context& context, const std::string& serial);
Status resume_certificate(const Context& context, const std::string& serial);
Status revoke_certificate(const Context& context, const std::string& serial, const std::string& reason);
// Prints a reference and a secret, which are nowhere else.
Status make_certificate_secret(const Context& context, const std::string& registration_id);

}  // namespace warifu::cli
