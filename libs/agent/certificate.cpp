#include "agent/certificate.h"

#include <algorithm>
#include <utility>

#include "agent/certificate_fallback.h"
#include "agent/messages.h"
#include "agent/refusal.h"
#include "agent/server_reply.h"
#include "crypto/certificate.h"
#include "tcb_protocol/codec.h"

namespace warifu::agent {
namespace {

constexpr const char* kSelfPath = "/api/v1/device/self";
constexpr int kCertificateRoundsMax = 3;

// For any other refusal the same key is shown again, which costs neither a further certificate nor the one in use.
bool needs_another_key(const Error& error) {
  return error.code == "certificate.key-compromised" || error.code == "tcb.certificate.key";
}

}  // namespace

Result<std::optional<Certifier::Outcome>> Certifier::certify(CertificateKind kind, When when) {
  // Whatever the server said of it earlier: it may think otherwise now.
  identity_.present();
  outside_.transport.close();
  auto outcome = certify_on_connection(kind, when);
  outside_.transport.close();
  return outcome;
}

Result<std::optional<Certifier::Outcome>> Certifier::certify_on_connection(CertificateKind kind, When when) {
  TRY_STATUS(attestor_.meet());
  if (when == When::kIfDue) {
    TRY(auto good, good_one(kind));
    if (good) return std::optional(Outcome{*std::move(good), false});
  }
  auto issued = get(kind, false);
  if (!issued && needs_another_key(issued.error()) && kind == CertificateKind::kLDevId) issued = get(kind, true);
  if (!issued) return issued.error();
  if (!*issued) return std::optional<Outcome>();
  identity_.present();
  return std::optional(Outcome{std::move((*issued)->standing), true});
}

Result<std::optional<CertificateStanding>> Certifier::good_one(CertificateKind kind) {
  const bool idevid = kind == CertificateKind::kIDevId;
  TRY(const auto held, tcb_protocol::call(outside_.tcb, tcb_protocol::ShowCertificate{idevid}));
  if (const bool died = identity_.take_died(); died || held.died)
    outside_.progress.note("the LDevID is gone (was the TPM cleared?): another one is asked for");
  if (held.chain.empty()) return std::optional<CertificateStanding>();
  TRY(const auto certificate, crypto::Certificate::from_der(held.chain.front()));
  CertificateStanding standing{.serial = to_hex(certificate.serial()),
                               .state = "",
                               .not_after = certificate.not_after(),
                               .renew_after = Timestamp(std::chrono::seconds(held.renew_after))};
  if (idevid) return std::optional(std::move(standing));
  // A device whose clock stands still hears from the server how late it is.
  if (std::max(held.now, to_unix_seconds(attestor_.server_time())) >= held.renew_after)
    return std::optional<CertificateStanding>();
  TRY(auto said, server_says());
  if (!said) return std::optional<CertificateStanding>();
  standing.state = std::move(said->state);
  return std::optional(std::move(standing));
}

// nullopt: the server takes this certificate no longer. It may have said so already, to the first request.
Result<std::optional<CertificateStanding>> Certifier::server_says() {
  if (identity_.refusal().empty() && identity_.has_shown()) {
    TRY(const auto reply, outside_.transport.send({.method = "GET", .path = kSelfPath}));
    if (reply.status == 200) {
      TRY(auto standing, parse_certificate_standing(reply.body));
      return std::optional(std::move(standing));
    }
    // 404: a server that does not say it.
    if (refused_certificate(reply).empty() && reply.status != 404)
      return refusal_of(reply, "showing the certificate", outside_.clock);
  }
  const std::string_view refusal = identity_.refusal();
  if (refusal == "certificate.revoked" || refusal == "certificate.expired" || refusal == "certificate.unknown")
    return std::optional<CertificateStanding>();
  // "held", "inactive", or nothing is known.
  return std::optional(CertificateStanding{.state = std::string(refusal.substr(refusal.find('.') + 1))});
}

Result<Certifier::Round> Certifier::one_round(CertificateKind kind, bool anew) {
  TRY(const bool has_token, attestor_.see_to_token());
  if (!has_token) return Round{.issued = {}, .served = false, .refusal = {}};
  const auto answer_to = [&](const HttpReply& reply, std::string_view doing) -> Result<Round> {
    const std::string code = parse_server_error(reply.body).code;
    Error refusal = refusal_of(reply, doing, outside_.clock);
    // "attestation.nonce", "attestation.nonce-expired"
    const bool is_nonce = code.starts_with("attestation.nonce") || code == "certificate.proof-replayed";
    const bool is_token = reply.status == 401 && code.starts_with("attestation.token");
    if (is_token) attestor_.forget_token();
    const bool may_help = is_token || is_nonce || code == "certificate.order-gone";
    if (!may_help) return refusal;
    return Round{.issued = {}, .served = true, .refusal = std::move(refusal)};
  };
  TRY(const auto asked, attestor_.post_with_token("certificates/nonce", "{}"));
  if (asked.status == 404 && !is_about_the_device(parse_server_error(asked.body).code))
    return Round{.issued = {}, .served = false, .refusal = {}};
  if (asked.status != 200) return answer_to(asked, "asking for a nonce for a certificate");
  TRY(const Bytes nonce, parse_certificate_nonce(asked.body));
  TRY(const auto proof,
      tcb_protocol::call(outside_.tcb, tcb_protocol::ProveKey{kind == CertificateKind::kIDevId, anew, nonce}));
  TRY(const auto reply, attestor_.post_with_token("certificates", certificate_request_body({kind, nonce, proof})));
  if (reply.status != 200) return answer_to(reply, "asking for a certificate");
  TRY(auto issued, parse_issued_certificate(reply.body));
  return Round{.issued = std::move(issued), .served = true, .refusal = {}};
}

// nullopt: this server issues no certificates.
Result<std::optional<IssuedCertificate>> Certifier::rounds(CertificateKind kind, bool anew) {
  std::optional<Error> refusal;
  for (int i = 0; i < kCertificateRoundsMax; ++i) {
    // Another key once, however often it is shown.
    TRY(auto round, one_round(kind, anew && i == 0));
    if (!round.served) return std::optional<IssuedCertificate>();
    if (round.issued) return std::move(round.issued);
    refusal = std::move(round.refusal);
  }
  return *std::move(refusal);
}

Result<std::optional<IssuedCertificate>> Certifier::get(CertificateKind kind, bool anew) {
  TRY(auto issued, rounds(kind, anew));
  if (!issued) return issued;
  // It was issued before, its answer was lost, and it is no use now: it shall not take the place of one that is. Its
  // key waits on, and brings it when it is resumed.
  if (issued->standing.state == "held")
    return refused("certificate.held",
                   "the certificate for the key that waits is suspended: what this device has stays");
  TRY_STATUS(accept(kind, *issued));
  return issued;
}

Status Certifier::accept(CertificateKind kind, const IssuedCertificate& issued) {
  TRY_STATUS(
      tcb_protocol::call(outside_.tcb, tcb_protocol::AcceptCertificate{kind == CertificateKind::kIDevId, issued.chain,
                                                                       to_unix_seconds(issued.standing.renew_after)}));
  return {};
}

}  // namespace warifu::agent
