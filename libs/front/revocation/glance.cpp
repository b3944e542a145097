#include "front/revocation/glance.h"

#include "endorsement/ek/x509.h"
#include "wire/der.h"

namespace warifu::front::revocation {

namespace der = wire::der;

Result<Glance> Glance::of(ByteView certificate) {
  TRY(auto outer, wire::DerReader(certificate).enter(der::kSequence, "certificate"));
  TRY(auto tbs, outer.enter(der::kSequence, "tbsCertificate"));
  if (tbs.next_is(der::context_constructed(0))) {
    TRY(const auto version, tbs.any("version"));
    static_cast<void>(version);
  }
  Glance glance;
  TRY(glance.serial, tbs.integer("serialNumber"));
  if (glance.serial.size() > 1 && glance.serial.front() == 0) glance.serial = glance.serial.subspan(1);
  TRY(const auto algorithm, tbs.element(der::kSequence, "signature"));
  static_cast<void>(algorithm);
  TRY(const auto issuer, tbs.element(der::kSequence, "issuer"));
  TRY(auto validity, tbs.enter(der::kSequence, "validity"));
  TRY(const auto not_before, validity.any("notBefore"));
  static_cast<void>(not_before);
  TRY(const auto not_after, validity.any("notAfter"));
  TRY(const auto subject, tbs.element(der::kSequence, "subject"));
  glance.issuer = issuer.whole;
  glance.subject = subject.whole;
  TRY(glance.not_after, endorsement::parse_time(not_after));
  return glance;
}

}  // namespace warifu::front::revocation
