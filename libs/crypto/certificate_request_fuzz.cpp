#include <cstdlib>

#include "crypto/certificate_request.h"

// Whatever is taken is of a key that can be had again from its own bytes, and asks for no name with a NUL in it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const ByteView input(data, size);
  const auto from_text = crypto::CertificateRequest::from_text(as_text(input));
  if (from_text && crypto::CertificateRequest::from_der(input)) std::abort();
  const auto request = crypto::CertificateRequest::from_der(input);
  if (!request) return 0;
  const auto again = crypto::PublicKey::from_spki(request->public_key().spki());
  if (!again || !(*again == request->public_key())) std::abort();
  for (const std::string& text :
       {request->names().common_name, request->names().organization, request->names().serial_number})
    if (text.find('\0') != std::string::npos || text.size() > 4 * size) std::abort();
  for (const std::string& name : request->names().dns_names)
    if (name.empty() || name.size() > 255) std::abort();
  return 0;
}
