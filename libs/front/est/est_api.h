#pragma once

#include <mutex>
#include <optional>
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

  // The root, for cacerts; nothing while it is not known.
  void set_root(std::optional<crypto::Certificate> root);

  std::vector<Route> routes();

 private:
  // Who asks, and what is used up with it.
  struct Client {
    ScopeId scope;
    RegistrationId registration;
    std::string reference = {};  // of a one-time secret
  };
  Result<Answer> show_authorities();
  Result<Answer> enroll(const Call& call, bool is_again);
  Result<Client> client_of_secret(const BasicCredentials& shown, std::string_view spent_for) const;
  // `is_again`: the LDevID that is renewed, too.
  Result<Client> client_of_certificate(ByteView der, bool is_again) const;
  Result<Client> find_client(const Call& call, bool is_again, std::string_view spent_for) const;
  Result<net::HttpResponse> issue(const Client& client, const Bytes& public_key, const std::string& spent_for);

  certificates::Office& office_;
  const certificates::Applicants& applicants_;
  store::Store& store_;
  std::mutex mutex_;
  std::optional<crypto::Certificate> root_;
};

}  // namespace warifu::front::est
