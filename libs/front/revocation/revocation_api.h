#pragma once

#include <vector>

#include "front/http/route.h"
#include "front/revocation/crl_desk.h"
#include "front/revocation/ocsp_desk.h"

namespace warifu::front::revocation {

inline constexpr std::string_view kOcspPath = "/ocsp";
inline constexpr std::string_view kCrlPath = "/crl/endpoint-identity.crl";
inline constexpr std::string_view kIssuerPath = "/issuers/endpoint-identity.cer";

// Where anybody asks how a certificate of ours stands (docs/protocols/revocation.md). What is told is signed: it may go
// over plain HTTP. The objects that it is given outlive it. Safe to call from several threads.
class RevocationApi {
 public:
  RevocationApi(OcspDesk& ocsp, const CrlDesk& crl, device_ca::Issuer& issuer, const Clock& clock)
      : ocsp_(ocsp), crl_(crl), issuer_(issuer), clock_(clock) {}

  std::vector<Route> routes();

 private:
  Result<Answer> answer_ocsp(const Call& call, OcspDesk::Reply reply) const;
  Result<Answer> show_crl(const Call& call) const;
  Result<Answer> show_issuer(const Call& call) const;

  OcspDesk& ocsp_;
  const CrlDesk& crl_;
  device_ca::Issuer& issuer_;
  const Clock& clock_;
};

}  // namespace warifu::front::revocation
