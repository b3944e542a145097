#pragma once

#include "ek_trust/authority_desk.h"
#include "ek_trust/certificate_desk.h"
#include "ek_trust/revocation_desk.h"
#include "front/http/route.h"
#include "store/store.h"

namespace warifu::front::api {

// Who may certify endorsement keys: authorities, their CRLs, their distrust and whom that affects; and what a stored EK
// certificate is worth. The objects that it is given outlive it.
class EkTrustApi {
 public:
  EkTrustApi(const Clock& clock, const ek_trust::CertificateDesk& certificates, store::Store& store)
      : clock_(clock), authorities_(clock), crls_(clock), certificates_(certificates), store_(store) {}

  std::vector<Route> routes();

 private:
  Result<Answer> import_authorities(const Call& call);
  Result<Answer> list_authorities(const Call& call);
  Result<Answer> show_authority(const Call& call);
  Result<Answer> distrust(const Call& call);
  Result<Answer> trust(const Call& call);
  Result<Answer> list_devices(const Call& call);
  Result<Answer> import_crls(const Call& call);
  Result<Answer> list_crls(const Call& call);
  Result<Answer> show_certificate(const Call& call);

  const Clock& clock_;
  const ek_trust::AuthorityDesk authorities_;
  const ek_trust::RevocationDesk crls_;
  const ek_trust::CertificateDesk& certificates_;
  store::Store& store_;
};

}  // namespace warifu::front::api
