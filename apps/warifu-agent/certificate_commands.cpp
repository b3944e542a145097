#include <fmt/format.h>

#include "agent/attestation.h"
#include "agent/attestation_state.h"
#include "agent/certificate.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "process/privileges.h"
#include "tpm_types/tss2_private_key.h"
#include "warifu-agent/certificate_record.h"
#include "warifu-agent/device.h"
#include "warifu-agent/local_device.h"
#include "warifu-agent/output.h"

namespace warifu::agent_app {
namespace {

using agent::Certifier;
using tcb_protocol::ShowCertificate;

std::string time_text(std::uint64_t seconds) {
  return to_rfc3339(Timestamp(std::chrono::seconds(seconds)));
}

struct Held {
  ShowCertificate::Answer ldevid;
  ShowCertificate::Answer idevid;
};

template <class Asked>
Result<Held> read_both(Asked& device) {
  TRY(auto ldevid, device.ask(ShowCertificate{.idevid = false}));
  TRY(auto idevid, device.ask(ShowCertificate{.idevid = true}));
  return Held{std::move(ldevid), std::move(idevid)};
}

// Root is told without a server, and this is no reason for it to have one.
Result<Held> read_certificates(const Context& context) {
  TRY(auto local, LocalDevice::open(context));
  auto held = read_both(local);
  if (held || held.error().code != "tcb.server.unverified" || process::runs_as_root()) return held;
  TRY(const auto device, Device::open(context, Device::Tells::kNotes));
  return read_both(*device);
}

Status get(const Context& context, agent::CertificateKind kind, Certifier::When when) {
  TRY(const auto device, Device::open(context, Device::Tells::kNotes));
  TRY_STATUS(device->meet_server());
  agent::Attestor attestor(device->outside(), device->logs());
  Certifier certifier(device->outside(), attestor, device->identity());
  auto outcome = certifier.certify(kind, when);
  // The last attestation may be too long ago, or there was none.
  if (!outcome && agent::wants_attestation(outcome.error())) {
    TRY(const auto result, attestor.attest());
    if (result) {
      agent::keep(device->outside(), *result);
      device->outside().progress.note(
          fmt::format("attestation: the server judges what this device runs as {}", agent::summary(*result)));
    }
    outcome = certifier.certify(kind, when);
  }
  if (!outcome) return outcome.error();
  if (!*outcome)
    return Error{ErrorKind::kNotFound, "certificate.none",
                 "this server issues no certificates, or does not serve it here"};
  const auto& [standing, is_new] = **outcome;
  boost::json::object record{{"kind", agent::to_string(kind)}, {"serial", standing.serial}};
  if (!standing.state.empty()) record["state"] = standing.state;
  record["not_after"] = to_rfc3339(standing.not_after);
  record["renew_after"] = to_rfc3339(standing.renew_after);
  record["is_new"] = is_new;
  print(context, record);
  return {};
}

}  // namespace

Status get_certificate(const Context& context) {
  return get(context, agent::CertificateKind::kLDevId, Certifier::When::kIfDue);
}

Status renew_certificate(const Context& context) {
  return get(context, agent::CertificateKind::kLDevId, Certifier::When::kAlways);
}

Status get_idevid(const Context& context) {
  return get(context, agent::CertificateKind::kIDevId, Certifier::When::kIfDue);
}

Result<boost::json::object> certificate_record(const ShowCertificate::Answer& held) {
  boost::json::object record;
  if (held.chain.empty()) return record;
  TRY(const auto certificate, crypto::Certificate::from_der(held.chain.front()));
  record["serial"] = to_hex(certificate.serial());
  record["subject"] = certificate.subject();
  record["issuer"] = certificate.issuer();
  record["not_before"] = to_rfc3339(certificate.not_before());
  record["not_after"] = to_rfc3339(certificate.not_after());
  record["renew_after"] = time_text(held.renew_after);
  record["expired"] = certificate.not_after() <= Timestamp(std::chrono::seconds(held.now));
  return record;
}

Status show_certificate(const Context& context) {
  TRY(const auto both, read_certificates(context));
  const auto& [held, idevid] = both;
  TRY(auto record, certificate_record(held));
  if (!held.previous.empty()) {
    TRY(const auto previous, crypto::Certificate::from_der(held.previous.front()));
    record["previous_serial"] = to_hex(previous.serial());
    record["previous_not_after"] = to_rfc3339(previous.not_after());
  }
  record["key_waits"] = held.waiting;
  if (!idevid.chain.empty()) {
    TRY(const auto certificate, crypto::Certificate::from_der(idevid.chain.front()));
    record["idevid_serial"] = to_hex(certificate.serial());
  }
  print(context, record);
  if (!held.chain.empty()) return {};
  return Error{ErrorKind::kNotFound, "tcb.certificate.none",
               held.died ? "the LDevID of this device is no more: the TPM was cleared" : "this device has no LDevID"};
}

Status export_certificate(const Context& context, const ExportFiles& files) {
  TRY(auto device, LocalDevice::open(context));
  TRY(const auto key, device.ask(tcb_protocol::ExportKey{}));
  std::string chain;
  for (const Bytes& der : key.chain) {
    TRY(const auto certificate, crypto::Certificate::from_der(der));
    chain += certificate.to_pem();
  }
  const std::string pem = tpm::tss2_private_key_pem(key.parent, key.public_area, key.private_area);
  TRY_STATUS(write_output(files.key, as_bytes(pem)));
  TRY_STATUS(write_output(files.certificate, as_bytes(chain)));
  fmt::print(stderr, "the LDevID was exported: whoever has the key's file and may open this TPM can use it\n");
  return {};
}

}  // namespace warifu::agent_app
