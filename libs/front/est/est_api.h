#pragma once

#include <vector>

#include "front/certificates/office.h"
#include "front/est/messages.h"
#include "front/http/route.h"

namespace warifu::front::est {

// EST (RFC 7030; docs/protocols/est.md): cacerts, csrattrs, simpleenroll by a one-time secret or an IDevID,
// simplereenroll by the certificate that is renewed. Keys are born in devices: serverkeygen is refused. The objects
// that it is given outlive it.
class EstApi {
 public:
  EstApi(certificates::Office& office, const certificates::Applicants& applicants, store::Store& store)
      : office_(office), applicants_(applicants), store_(store) {}

  std::vector<Route> routes();

 private:
  using Client = certificates::Client;
  Result<Answer> show_authorities();
  Result<Answer> enroll(const Call& call, bool is_again);
  Result<Client> client_of_secret(const BasicCredentials& shown, const std::string& spent_for) const;
  // `is_again`: the LDevID that is renewed, too.
  Result<Client> client_of_certificate(ByteView der, bool is_again) const;
  Result<Client> find_client(const Call& call, bool is_again, const std::string& spent_for) const;
  Result<net::HttpResponse> issue(const certificates::Request& request);

  certificates::Office& office_;
  const certificates::Applicants& applicants_;
  store::Store& store_;
};

}  // namespace warifu::front::est
