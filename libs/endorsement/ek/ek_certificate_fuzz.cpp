#include <cstdlib>

#include "endorsement/ek/ek_certificate.h"
#include "endorsement/ek/revocation_list.h"
#include "endorsement/ek/verify.h"

// Whatever comes, nothing is read twice differently, and nothing is trusted by an empty store.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const ByteView input(data, size);
  if (const auto list = endorsement::RevocationList::parse(input); list && list->size() > size) std::abort();
  const auto certificate = endorsement::EkCertificate::parse(input);
  if (!certificate) return 0;
  const auto again = endorsement::EkCertificate::parse(certificate->x509().der());
  if (!again || again->x509().fingerprint_sha256() != certificate->x509().fingerprint_sha256()) std::abort();
  if (again->padding() != 0 || again->tpm().manufacturer != certificate->tpm().manufacturer) std::abort();
  const auto verified = endorsement::verify(*certificate, endorsement::RootStore(), std::nullopt);
  if (verified || certificate->x509().issuer.text().size() > 64 * size) std::abort();
  return 0;
}
