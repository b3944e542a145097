#pragma once

#include <cstdint>
#include <optional>

#include "base/entropy.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "crypto/crl.h"
#include "signer/budget.h"
#include "signer/callers.h"
#include "signer/journal.h"
#include "signer/role_keys.h"
#include "signer/rules.h"
#include "signer_protocol/messages.h"

namespace warifu::signer {

// What the service works with; all of it outlives the service.
struct Surroundings {
  const Organisation& organisation;
  RoleKeys& keys;
  Journal& journal;
  const Clock& clock;
  const MonotonicClock& monotonic;
  Entropy& entropy;
};

// Decides what the organisation's role keys are used for. A caller never hands over bytes to sign: what is signed is
// composed here, from what its request says and the rules allow, and is in the journal before it leaves. For one
// thread.
class Service {
 public:
  Service(const Surroundings& surroundings, NodeRules nodes, DeviceRules devices = {});

  // Reads the request, asks the rules, does it, and writes the answer or the refusal.
  SecretBytes answer(const Caller& caller, ByteView request_frame);

  // The same with the types.
  // kNotFound "signer.role": this signer does not have that role's certificate.
  Result<signer_protocol::Organisation::Answer> handle(const Caller& caller, const signer_protocol::Organisation&);
  // kRefused "signer.denied", "signer.name", "signer.lifetime"; kThrottled "signer.budget"; kInvalidInput
  // "server_name", those of a public key.
  Result<signer_protocol::CertifyNode::Answer> handle(const Caller& caller,
                                                      const signer_protocol::CertifyNode& request);
  // kRefused "signer.denied"; what crypto::cms_decrypt() says.
  Result<signer_protocol::OpenEscrow::Answer> handle(const Caller& caller, const signer_protocol::OpenEscrow& request);

  // service_devices.cpp
  // kRefused "signer.denied", "signer.lifetime"; kThrottled "signer.budget"; kInvalidInput "signer.order" naming the
  // field, those of a registration ID, a serial number, a public key and a certificate.
  Result<signer_protocol::CertifyDevice::Answer> handle(const Caller& caller,
                                                        const signer_protocol::CertifyDevice& request);
  Result<signer_protocol::CertifyResponder::Answer> handle(const Caller& caller,
                                                           const signer_protocol::CertifyResponder& request);
  // kRefused "signer.denied", "signer.crl-time"; the codes of crypto::CrlDigest.
  Result<signer_protocol::BeginCrl::Answer> handle(const Caller& caller, const signer_protocol::BeginCrl& request);
  // kConflict "signer.crl": this list is not the one in the making. kInvalidInput "signer.crl-entry".
  Result<signer_protocol::AddToCrl::Answer> handle(const Caller& caller, const signer_protocol::AddToCrl& request);
  Result<signer_protocol::FinishCrl::Answer> handle(const Caller& caller, const signer_protocol::FinishCrl& request);

 private:
  Result<pki::Authority> authority(pki::Role role);
  Status note(const Caller& caller, std::string_view action, const boost::json::object& entry);

  // A list in the making.
  struct OpenCrl {
    std::uint64_t number;
    std::uint64_t entries = 0;
    crypto::CrlDigest digest;
  };
  Result<OpenCrl*> open_crl(std::uint64_t number);

  Surroundings world_;
  NodeRules rules_;
  DeviceRules device_rules_;
  Budget node_budget_;
  Budget device_budget_;
  Budget responder_budget_;
  std::optional<OpenCrl> crl_;
};

}  // namespace warifu::signer
