#include <algorithm>
#include <cstdlib>

#include "attestation/quote/quote.h"

// Three parts, each behind a 16-bit size: public area, TPMS_ATTEST, signature. Nobody can sign here, so that nothing
// may be accepted but what a seed holds; and a key that was accepted verifies without falling over.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  ByteView rest(data, size);
  const auto part = [&] {
    if (rest.size() < 2) return ByteView();
    const std::size_t wanted = static_cast<std::size_t>(rest[0]) << 8 | rest[1];
    const ByteView taken = rest.subspan(2, std::min(wanted, rest.size() - 2));
    rest = rest.subspan(2 + taken.size());
    return taken;
  };
  const ByteView area = part();
  const ByteView message = part();
  const ByteView signature = part();
  const auto ak = attestation::AkPublic::from_tpm_public(area, attestation::Sha1Use::kAllowed);
  if (!ak) return 0;
  const auto quote = attestation::verify({message, signature}, *ak, attestation::AnyNonce{});
  if (!quote) return 0;
  if (quote->attest().pcr_digest.size() != crypto::digest_size(quote->hash())) std::abort();
  Bytes changed = to_bytes(message);
  changed.back() ^= 1;
  if (attestation::verify({changed, signature}, *ak, attestation::AnyNonce{})) std::abort();
  return 0;
}
