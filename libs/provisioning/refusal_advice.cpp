#include "provisioning/refusal_advice.h"

#include <algorithm>

namespace warifu::provisioning {
namespace {

struct Advice {
  std::string_view code;  // with a dot at its end: all codes that begin so
  std::string_view text;
};

// The first row that fits counts.
constexpr Advice kAdvice[] = {
    {"enrollment.unknown",
     "It is not enrolled: if it is yours, enroll it (`warifu enrollment create`), or add its EK to a group "
     "(`warifu enrollment-group add-eks`)."},
    {"enrollment.ek",
     "If its TPM or board was replaced, or the wrong EK was enrolled, enroll the EK that it has (`warifu enrollment "
     "update ID --tpm-ek FILE`). Otherwise another machine pretends to be this device."},
    {"enrollment.ek_certificate",
     "Its group takes TPMs by their EK certificates. Import the authority that is missing (`warifu ek-root import`), "
     "name "
     "the one that its certificate leads through (`warifu enrollment-group update G --ek-authority`), or enroll its EK "
     "by "
     "itself (`warifu enrollment create --tpm-ek`)."},
    {"enrollment.ek_barred",
     "You took it off its group. `warifu enrollment-group allow-ek G EK-NAME` lets it come again as a new one."},
    {"approval.too_many",
     "Too many TPMs without an EK certificate wait in its group: decide about some (`warifu approval list`), then it "
     "comes "
     "again by itself."},
    {"enrollment.mechanism",
     "It proves itself by something else than it is enrolled for: configure the device for that, or enroll it for what "
     "it has."},
    {"enrollment.disabled",
     "It is disabled: `warifu enrollment enable ID` or `warifu enrollment-group update ID --enabled` lets it in."},
    {"enrollment.name",
     "Configure an ID on the device that its group takes, or enroll it by itself (`warifu enrollment create`)."},
    {"enrollment.bound",
     "Give the device back the ID under which its TPM came first. If it is to have this one, take its EK off the list "
     "of its group and add it again (`warifu enrollment-group remove-ek`, then `add-eks`, or `allow-ek` for a group by "
     "authorities)."},
    {"enrollment.id_bound",
     "The ID belongs to another device: give this one another ID. If it is to have this one, enroll it by itself "
     "(`warifu enrollment create`), or take the EK that has the ID off its list (`warifu enrollment-group remove-ek`; "
     "one "
     "of a group by authorities keeps its ID until `allow-ek`)."},
    {"enrollment.changed",
     "An operator changed the enrollment or group at the moment in which it came: it tries again by itself."},
    {"approval.pending",
     "Another TPM waits for your decision under this ID, and keeps its place until then: `warifu approval list`, and "
     "`warifu approval reject ID` if it is not the right one. Then let this device register again."},
    {"approval.missing",
     "It wants to attest under the ID of another device, and may when you have approved that it becomes it: `warifu "
     "approval list`. Otherwise give it another ID."},
    {"attestation.missing",
     "Warifu's agent attests by itself while it waits (`warifu-agent run`, `warifu-agent provision`); beside another "
     "client it has to be run (`warifu-agent attest`). Look at the device's log if it does not."},
    {"certificate.attestation-missing",
     "It gets its certificate by itself when it attests: see that its agent runs (`warifu-agent run`)."},
    {"certificate.attestation",
     "What it attests to is not good enough for a certificate: `warifu attestation explain ID` says why. Mend the "
     "device, "
     "or the policy."},
    {"certificate.key-unproven",
     "It wants a certificate for a key that its TPM did not prove: let our agent prove it, or allow software keys for "
     "it (`warifu enrollment update ID --allow-software-keys`) if it has no TPM."},
    {"certificate.key-elsewhere",
     "The key for which it wants a certificate is another device's, or in another TPM: find the copy, or let it make a "
     "key of its own."},
    {"certificate.held",
     "Its certificate is suspended: `warifu certificate list --registration-id ID`, then `resume`."},
    {"certificate.too-many", "It asks for certificate after certificate: find out why it loses its key."},
    {"certificate.proof-replayed",
     "What it sent was sent before: again and again, somebody repeats what a device sent."},
    {"application-key.attestation",
     "What it attests to is not good enough for a key of an application: `warifu attestation explain ID` says why."},
    {"application-key.mac",
     "It acknowledges a key that it was not given. It asks again by itself; again and again, its agent is not ours."},
    {"application-key.not-registered",
     "Warifu's agent registers anew by itself, and then asks again (`warifu-agent run`; otherwise `warifu-agent "
     "provision`)."},
    {"application-key.srk",
     "Its TPM was cleared: Warifu's agent registers anew by itself, and then asks again (`warifu-agent run`; otherwise "
     "`warifu-agent provision`). Where its terms say so, you approve the new SRK first."},
    {"application-key.", "It asks again by itself."},
    {"key-proof.", "Its TPM's proof of a key is none: look at the device's software."},
    {"attestation.other-ek",
     "It attests again by itself with the TPM that it has now, if that runs Warifu's agent. If it does not, see that "
     "no "
     "other machine attests under this ID."},
    {"attestation.other-ak",
     "It attests again by itself with its new key. If this comes again and again, two machines use this ID."},
    {"attestation.other-policy", "It is judged by the policy that stands now as soon as it attests again."},
    {"attestation.used",
     "It attests again by itself, if it runs Warifu's agent: each assignment needs an attestation."},
    {"attestation.overdue",
     "It stopped attesting: see that it is on and that Warifu's agent runs on it (`warifu-agent attest`)."},
    {"attestation.insufficient",
     "`warifu attestation explain ID` says what was found. Mend the device, or the policy if what it runs is right "
     "(`warifu policy test`, `warifu policy put`); demand less only if you mean it (`--require-attestation`)."},
    {"enrollment.allocation",
     "Choose static or hashed allocation for it (`warifu enrollment update ID --allocation`)."},
    {"challenge.unknown",
     "Its challenge had expired or was used up, or its token is not signed by what the TPM was given. It should ask "
     "for a "
     "new one by itself; if this comes again and again, its TPM is too slow, or two machines use this ID."},
    {"challenge.keys", "Two programs or two machines use this ID at once: look for the other one."},
    {"challenge.too_many",
     "It is throttled, because too many challenges are open. It is told to come again; if that does not end, look for "
     "whoever asks again and again."},
    {"limit.", "It is throttled and told to come again later; if that does not end, look for whoever asks so often."},
    {"token.expired",
     "Its token had expired when it came: look at the device's clock, which is wrong or has no battery."},
    {"token.signature",
     "The key on the device is not the enrolled one: compare it with `warifu enrollment keys ID`. A device of a group "
     "has the key that is derived for its ID, as the device spells it, from one of `warifu enrollment-group keys "
     "GROUP`."},
    {"token.",
     "The device's software makes a token that is not for this ID: compare ID scope and registration ID in "
     "its configuration."},
    {"certificate.missing",
     "It showed no client certificate: configure certificate and key on the device, and let no proxy end its TLS."},
    {"certificate.expired", "Renew the device's certificate. If it has not expired, the server's clock is wrong."},
    {"certificate.not_yet_valid",
     "Look at the clock of the authority that issued the certificate, and at that of the server."},
    {"certificate.unknown",
     "Enroll the certificate that the device has (`warifu enrollment update ID --x509 FILE`), or the authority that "
     "issued it (`warifu enrollment-group create --x509 FILE`)."},
    {"certificate.name",
     "Issue a certificate whose common name is the registration ID, or configure the ID that is its common name."},
    {"certificate.",
     "Its certificate does not lead to the enrolled authority: issue it anew, and let the device send "
     "all authorities between the two."},
    {"operation.unknown",
     "The registration that it asks about is over or forgotten: it should register again by itself. Restart it if it "
     "does not."},
    {"operation.superseded",
     "A later registration took its place. If that comes again and again, two machines use this ID."},
    {"device.id_taken", "Choose another device ID for its enrollment (`warifu enrollment update ID --device-id`)."},
    {"device.", "See `warifu device show`: its lifecycle state or a hold forbids it."},
    {"store.", "The server could not write or read: look at its disk, its database and its log."},
};
constexpr std::string_view kOther =
    "The device's software sends what cannot be served: look at its version and its log, and at the server's log under "
    "the tracking ID.";

bool fits(const Advice& advice, std::string_view code) {
  return advice.code.ends_with('.') ? code.starts_with(advice.code) : code == advice.code;
}

}  // namespace

std::string_view advice_on(std::string_view code) {
  const auto* found = std::ranges::find_if(kAdvice, [&](const auto& advice) { return fits(advice, code); });
  return found == std::end(kAdvice) ? kOther : found->text;
}

}  // namespace warifu::provisioning
