#include <cstdlib>

#include "crypto/ocsp_request.h"

// What is taken asks about a few certificates by digests of known sizes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const auto request = crypto::OcspRequest::from_der({data, size});
  if (!request) return 0;
  if (request->ids().empty() || request->ids().size() > crypto::OcspRequest::kMaxIds) std::abort();
  if (request->nonce().size() > crypto::OcspRequest::kMaxNonceSize) std::abort();
  for (const crypto::OcspCertId& id : request->ids()) {
    if (id.issuer_name.algorithm() != id.issuer_key.algorithm()) std::abort();
    if (!crypto::SerialNumber::from_bytes(id.serial.bytes())) std::abort();
  }
  return 0;
}
