#include <cstdlib>

#include "crypto/certificate.h"

// Whatever a certificate says can be asked for, says no more than it has bytes for, and is the same when read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const auto certificate = crypto::Certificate::from_der({data, size});
  if (!certificate) return 0;
  const auto again = crypto::Certificate::from_der(certificate->to_der());
  if (!again || again->hardware_module() != certificate->hardware_module()) std::abort();
  if (certificate->serial() != again->serial() || certificate->subject() != again->subject()) std::abort();
  const auto limited = [&](const std::vector<std::string>& texts) {
    std::size_t all = 0;
    for (const std::string& text : texts)
      all += text.size();
    if (all > 8 * size || texts.size() > size) std::abort();
  };
  limited(certificate->dns_names());
  limited(certificate->ip_addresses());
  limited(certificate->crl_urls());
  limited(certificate->ocsp_urls());
  limited(certificate->issuer_urls());
  limited(certificate->purposes());
  limited(certificate->policies());
  limited({certificate->common_name(), certificate->organization(), certificate->serial_number()});
  static_cast<void>(certificate->not_before() < certificate->not_after());
  static_cast<void>(certificate->public_key());
  static_cast<void>(certificate->is_ca());
  return 0;
}
