#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ek_trust/certificate_desk.h"
#include "front/dps/attempt_log.h"
#include "front/http/route.h"
#include "front/metrics.h"
#include "provisioning/registrar.h"
#include "store/store.h"
#include "verifier/desk.h"

namespace warifu::front::device {

// Where our own devices show what they run (docs/protocols/attestation.md). On the devices listener, beside DPS. What
// is judged is judged on the request's thread, against a snapshot; what is written is written if the ledger is still
// the one that it was judged by. The objects that it is given outlive it.
class AttestationApi {
 public:
  AttestationApi(const verifier::Desk& desk, const provisioning::Registrar& registrar,
                 const ek_trust::CertificateDesk& certificates, store::Store& store, Metrics& metrics,
                 dps::AttemptLog& attempts, const Clock& clock)
      : desk_(desk),
        registrar_(registrar),
        certificates_(certificates),
        store_(store),
        metrics_(metrics),
        attempts_(attempts),
        clock_(clock) {}

  std::vector<Route> routes();

 private:
  using Handler = Result<Answer> (AttestationApi::*)(const Call&, const verifier::DeviceKey&);
  struct Proven;
  // What the diary needs of a call, also when it has gone.
  struct NotedCall {
    std::string tracking_id;
    std::string peer_address;
    dps::AttemptLog::Standing standing;
  };

  // Finds out whose the path is, runs the handler, and writes a refusal into the diary.
  Result<Answer> visit(const Call& call, Handler handle);
  void note(const NotedCall& call, const verifier::DeviceKey& device, const Error& error);

  Result<Answer> make_credential(const Call& call, const verifier::DeviceKey& device);
  Result<Answer> activate(const Call& call, const verifier::DeviceKey& device);
  Result<Answer> make_nonce(const Call& call, const verifier::DeviceKey& device);
  Result<Answer> take_evidence(const Call& call, const verifier::DeviceKey& device);

  // Who a token says is there, if his EK is enrolled still.
  Result<Proven> prove(store::Snapshot& snapshot, const verifier::DeviceKey& device, ByteView ak_name) const;
  Status tell_of_waiting(store::Transaction& transaction, const verifier::DeviceKey& device, ByteView ek_name) const;
  Status may_send_large_body(const net::HttpRequest& request, const std::vector<std::string>& parameters) const;

  const verifier::Desk& desk_;
  const provisioning::Registrar& registrar_;
  const ek_trust::CertificateDesk& certificates_;
  store::Store& store_;
  Metrics& metrics_;
  dps::AttemptLog& attempts_;
  const Clock& clock_;
};

}  // namespace warifu::front::device
