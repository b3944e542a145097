#include "front/dps/shown_certificate.h"

namespace warifu::front::dps {

Result<ek_trust::CertifiedEk> parse_shown(const tpm::EkPublic& ek, const ShownCertificate& shown) {
  TRY(auto certificate, endorsement::EkCertificate::parse(shown.certificate));
  TRY(auto intermediates, ek_trust::parse_intermediates(shown.intermediates));
  return ek_trust::CertifiedEk::make(ek, std::move(certificate), std::move(intermediates));
}

Result<std::optional<provisioning::EkEndorsement>> ShownEndorsements::find(const ScopeId& scope,
                                                                           const tpm::EkPublic& ek) {
  if (!shown_) return std::optional<provisioning::EkEndorsement>();
  auto read = parse_shown(ek, *shown_);
  if (!read) return std::optional(provisioning::EkEndorsement{.refusal = std::move(read).error()});
  TRY(auto vouchers, desk_.vouchers(records_, scope, *read));
  if (!vouchers.authorities.empty()) certified_ = *std::move(read);
  return std::optional(provisioning::EkEndorsement{std::move(vouchers.authorities), std::move(vouchers.refusal)});
}

}  // namespace warifu::front::dps
