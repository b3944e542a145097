#include "front/revocation/certificate_gate.h"

#include <algorithm>

#include "front/revocation/glance.h"

namespace warifu::front::revocation {

void CertificateGate::set_issuer(const std::optional<crypto::Certificate>& issuer) {
  const Bytes der = issuer ? issuer->to_der() : Bytes();
  const auto glance = Glance::of(der);
  const std::lock_guard lock(mutex_);
  issuer_name_ = glance ? to_bytes(glance->subject) : Bytes();
}

bool CertificateGate::is_foreign(ByteView issuer) const {
  const std::lock_guard lock(mutex_);
  return !issuer_name_.empty() && !std::ranges::equal(issuer, issuer_name_);
}

Status CertificateGate::check(ByteView leaf, bool passes_over_lapsed) const {
  const auto shown = Glance::of(leaf);
  if (!shown || is_foreign(shown->issuer)) return {};
  const bool is_over = clock_.now() >= shown->not_after;
  if (!is_over && !standings_.may_not_count(shown->serial)) return {};
  return look_up(leaf, passes_over_lapsed);
}

// Whoever makes himself a certificate with the number of one that is revoked is told nothing about that one.
Status CertificateGate::look_up(ByteView leaf, bool passes_over_lapsed) const {
  return store_.read([&](store::Snapshot& snapshot) -> Status {
    const auto ours = desk_.recognise(snapshot.device_ca(), leaf);
    if (!ours && ours.error().kind == ErrorKind::kUnauthenticated) return {};
    if (!ours) return ours.error();
    const Status standing = desk_.check_standing(*ours);
    if (standing) return {};
    const std::string_view code = standing.error().code;
    const bool is_lapsed = code == "certificate.inactive" || code == "certificate.expired";
    return is_lapsed && passes_over_lapsed ? Status() : standing;
  });
}

}  // namespace warifu::front::revocation
