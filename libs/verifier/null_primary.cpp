#include "verifier/null_primary.h"

#include <algorithm>
#include <array>

#include "tpm_types/attest.h"
#include "tpm_types/signature.h"

namespace warifu::verifier {
namespace {

constexpr std::array<std::uint8_t, 4> kNullHierarchy = {0x40, 0x00, 0x00, 0x07};  // TPM_RH_NULL, Part 2, "TPM_RH"

Error refused(std::string message) {
  return {ErrorKind::kRefused, "attestation.null-primary", std::move(message), "null_primary"};
}

// What the kernel makes at boot (Linux, tpm2-sessions.c, tpm2_create_primary): a storage key on P-256 that the TPM
// made.
Status check_template(const tpm::PublicArea& area) {
  using namespace tpm;
  const auto* ecc = std::get_if<EccParameters>(&area.parameters());
  const bool is_storage =
      area.attributes().has_all(kFixedTpm | kFixedParent | kSensitiveDataOrigin | kRestricted | kDecrypt) &&
      !area.attributes().has_any(kSign);
  if (ecc != nullptr && ecc->curve == crypto::EcCurve::kP256 && is_storage) return {};
  return refused("it is no ECC P-256 storage primary");
}

}  // namespace

Result<tpm::Name> check_null_primary(const NullPrimary& primary, const attestation::VerifiedQuote& quote) {
  TRY(const auto area, tpm::PublicArea::from_tpm2b(primary.public_area));
  TRY(const auto certified, tpm::CertifyAttest::parse(primary.attest));
  TRY(const auto signature, tpm::parse_signature(primary.signature));
  TRY_STATUS(quote.ak().verify(primary.attest, signature));
  if (certified.extra_data != quote.attest().extra_data) return refused("it was certified over another nonce");
  const auto& clock = quote.attest().clock;
  if (certified.clock.reset_count != clock.reset_count || certified.clock.restart_count != clock.restart_count)
    return refused("it was certified in another boot than the quote's");
  TRY_STATUS(check_template(area));
  const auto name = area.name();
  if (!std::ranges::equal(certified.name, name.bytes())) return refused("another key was certified than came");
  if (certified.qualified_name != attestation::qualified_name(kNullHierarchy, name))
    return refused("it is no primary of the NULL hierarchy");
  return name;
}

}  // namespace warifu::verifier
