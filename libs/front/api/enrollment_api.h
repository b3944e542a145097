#pragma once

#include "front/api/enrollment_writer.h"
#include "front/http/route.h"
#include "provisioning/enrollment_desk.h"
#include "store/store.h"

namespace warifu::front::api {

// Individual enrollments: create, declare (PUT), read, delete, and many at once. The objects that it is given outlive
// it.
class EnrollmentApi {
 public:
  EnrollmentApi(const provisioning::EnrollmentDesk& desk, const ek_trust::CertificateDesk& certificates,
                const application_keys::Desk& keys, store::Store& store)
      : desk_(desk), writer_(desk, certificates, keys), store_(store) {}

  std::vector<Route> routes();

 private:
  // What a written enrollment shows of its EK certificate.
  Result<boost::json::value> certificate_json(const Call& call, const EnrollmentBody& body) const;
  Result<Answer> create(const Call& call);
  Result<Answer> put(const Call& call);
  Result<Answer> list(const Call& call);
  Result<Answer> show(const Call& call);
  Result<Answer> remove(const Call& call);
  Result<Answer> show_keys(const Call& call);
  Result<Answer> bulk(const Call& call);

  const provisioning::EnrollmentDesk& desk_;
  const EnrollmentWriter writer_;
  store::Store& store_;
};

}  // namespace warifu::front::api
