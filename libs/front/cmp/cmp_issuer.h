#pragma once

#include "cmp/issuer.h"
#include "front/certificates/office.h"

namespace warifu::front::cmp_door {

// The CA as CMP knows it: what its messages ask for, by the desk of devices' certificates. A one-time secret is good
// for one key in one transaction. The objects that it is given outlive it.
class CmpIssuer final : public cmp::Issuer {
 public:
  CmpIssuer(certificates::Office& office, const certificates::Applicants& applicants, store::Store& store)
      : office_(office), applicants_(applicants), store_(store) {}

  Result<SecretBytes> secret(std::string_view reference, ByteView transaction) override;
  Result<std::string> identify(const crypto::Certificate& signer, std::span<const crypto::Certificate> others) override;
  Result<cmp::Decision> issue(const cmp::Order& order) override;
  Status confirm(ByteView transaction, const crypto::Certificate& certificate) override;
  Status withdraw(ByteView transaction, const crypto::Certificate& certificate) override;
  Status revoke(const cmp::Asker& asker, const crypto::CmpRevocation& revocation, ByteView transaction) override;
  Result<std::vector<crypto::Certificate>> ca_certificates() override;

 private:
  using Client = certificates::Client;
  Result<Client> client_of_secret(const std::string& reference, const std::string& spent_for) const;
  Result<Client> client_of_certificate(const crypto::Certificate& certificate) const;
  // One of ours, however it stands.
  Result<device_ca::DeviceCertificate> find(const crypto::Certificate& certificate) const;

  certificates::Office& office_;
  const certificates::Applicants& applicants_;
  store::Store& store_;
};

}  // namespace warifu::front::cmp_door
