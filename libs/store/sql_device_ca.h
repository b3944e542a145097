#pragma once

#include "device_ca/records.h"
#include "store/connection.h"

namespace warifu::store {

// Everything of device_ca::Records in SQL: certificates in sql_device_certificates.cpp, keys and one-time secrets in
// sql_device_keys.cpp.
class SqlDeviceCaRecords final : public device_ca::Records {
 public:
  explicit SqlDeviceCaRecords(Connection& connection) : connection_(connection) {}

  Result<std::optional<device_ca::DeviceCertificate>> find_certificate(const ScopeId& scope,
                                                                       const crypto::SerialNumber& serial) override;
  Result<std::optional<device_ca::DeviceCertificate>> find_certificate_anywhere(
      const crypto::SerialNumber& serial) override;
  Result<std::vector<device_ca::DeviceCertificate>> list_certificates(const ScopeId& scope,
                                                                      const device_ca::Page& page) override;
  Result<std::vector<device_ca::DeviceCertificate>> list_certificates_of(const ScopeId& scope, const RegistrationId& id,
                                                                         const device_ca::Page& page) override;
  Result<std::vector<device_ca::DeviceCertificate>> list_certificates_of_key(const ScopeId& scope, ByteView key_sha256,
                                                                             std::size_t limit) override;
  Result<std::vector<device_ca::DeviceCertificate>> list_unconfirmed(const ScopeId& scope, Timestamp before,
                                                                     std::size_t limit) override;
  Result<std::vector<device_ca::Standing>> list_standings(const ScopeId& scope, const device_ca::StandingKey& after,
                                                          std::size_t limit) override;
  Result<std::vector<device_ca::Standing>> list_not_good(const ScopeId& scope, Timestamp now,
                                                         const device_ca::Page& page) override;
  Result<bool> has_inactive(const ScopeId& scope, const RegistrationId& id) override;
  Result<bool> has_held(const ScopeId& scope, const RegistrationId& id) override;
  Result<bool> has_compromised(const ScopeId& scope, ByteView key_sha256) override;
  Result<std::optional<device_ca::ProvenDeviceKey>> find_key(const ScopeId& scope, ByteView key_sha256) override;
  Result<std::vector<device_ca::ProvenDeviceKey>> list_keys_of(const ScopeId& scope, const RegistrationId& id,
                                                               std::size_t limit) override;
  Result<std::optional<device_ca::DeviceSecret>> find_secret_anywhere(std::string_view reference) override;

  Status insert_certificate(const device_ca::DeviceCertificate& certificate) override;
  Status update_certificate(const device_ca::DeviceCertificate& certificate) override;
  Status put_key(const device_ca::ProvenDeviceKey& key) override;
  Status remove_key(const ScopeId& scope, ByteView key_sha256) override;
  Status put_secret(const device_ca::DeviceSecret& secret) override;
  Result<std::size_t> purge_secrets(const ScopeId& scope, Timestamp before, std::size_t limit) override;

 private:
  Connection& connection_;
};

}  // namespace warifu::store
