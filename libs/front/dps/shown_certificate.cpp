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

Result<std::optional<provisioning::EkEndorsement>> KeptEndorsements::find(const ScopeId& scope,
                                                                          const tpm::EkPublic& ek) {
  TRY(const auto stored, records_.find_ek_certificate(scope, ek.name().bytes()));
  if (!stored) return std::optional<provisioning::EkEndorsement>();
  TRY(auto certificate, ek_trust::certificate_of(*stored));
  TRY(auto intermediates, ek_trust::intermediates_of(*stored));
  TRY(const auto certified, ek_trust::CertifiedEk::make(ek, std::move(certificate), std::move(intermediates)));
  TRY(auto vouchers, desk_.vouchers(records_, scope, certified));
  return std::optional(provisioning::EkEndorsement{std::move(vouchers.authorities), std::move(vouchers.refusal)});
}

}  // namespace warifu::front::dps
