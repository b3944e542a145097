#include "agent/refusal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "agent/messages.h"

namespace warifu::agent {
namespace {

constexpr std::string_view kTrackingId = " (tracking id ";
constexpr std::string_view kClocks = "; this device's clock says ";

// The difference between two clocks that a server does not mind.
constexpr std::chrono::minutes kClockTolerance{5};

struct ServerCode {
  std::string_view code;
  ErrorKind kind;
};
// The server's codes (docs/protocols/dps.md) that mean something to do.
constexpr std::array kServerCodes = {
    ServerCode{"enrollment.unknown", ErrorKind::kRefused},
    ServerCode{"enrollment.scope", ErrorKind::kRefused},
    ServerCode{"enrollment.ek", ErrorKind::kRefused},
    ServerCode{"enrollment.ek_certificate", ErrorKind::kRefused},
    ServerCode{"device.hold", ErrorKind::kRefused},
    ServerCode{"device.state", ErrorKind::kRefused},
    ServerCode{"certificate.attestation", ErrorKind::kRefused},
    ServerCode{"certificate.attestation-missing", ErrorKind::kRefused},
    ServerCode{"certificate.proof-replayed", ErrorKind::kUnavailable},
    ServerCode{"certificate.order-gone", ErrorKind::kUnavailable},
    ServerCode{"certificate.key-compromised", ErrorKind::kRefused},
    ServerCode{"certificate.revoked", ErrorKind::kRefused},
    ServerCode{"certificate.held", ErrorKind::kRefused},
    ServerCode{"application-key.not-registered", ErrorKind::kRefused},
    ServerCode{"application-key.ek", ErrorKind::kRefused},
    ServerCode{"application-key.srk", ErrorKind::kRefused},
    ServerCode{"application-key.attestation", ErrorKind::kRefused},
    ServerCode{"application-key.mac", ErrorKind::kUnavailable},
    ServerCode{"application-key.acknowledgement-replayed", ErrorKind::kUnavailable},
    // What changed while it was fetched.
    ServerCode{"application-key.unknown", ErrorKind::kUnavailable},
    ServerCode{"application-key.revoked", ErrorKind::kUnavailable},
    ServerCode{"application-key.superseded", ErrorKind::kUnavailable},
    ServerCode{"application-key.not-revoked", ErrorKind::kUnavailable},
    ServerCode{"challenge.unknown", ErrorKind::kUnavailable},
    ServerCode{"token.expired", ErrorKind::kRefused},
};

// Of these, what is said about the device itself; patterns as in Advice. "token.expired" is about a clock. A log that
// is too large stays so until the next boot, and a TPM without ECC for ever.
constexpr std::array kVerdicts = std::to_array<std::string_view>(
    {"enrollment.", "device.", "server.refused", "logs.size", "certificate.revoked", "certificate.held", "tpm.ecc"});

struct Advice {
  std::string_view code;  // an error's code, or the first part of it
  std::string_view text;
};
// The first that fits.
constexpr std::array kAdvice = {
    Advice{"enrollment.unknown",
           "This device is not enrolled: an operator enrolls it with the file that `warifu-agent tpm ek` prints"},
    Advice{"enrollment.ek_certificate",
           "The server takes this device by its TPM's EK certificate, and it showed none that leads to an authority of "
           "the "
           "server's: `warifu-agent tpm status` says whether the TPM has one"},
    Advice{"enrollment.scope", "There is no such ID scope: compare device.id_scope with `warifu id-scope show`"},
    Advice{"enrollment.ek",
           "Another TPM is enrolled under this ID: if this one is right (was it replaced?), enroll what "
           "`warifu-agent tpm ek` prints; a wrong tcb.ek_template shows another key of the same TPM"},
    Advice{"device.", "An operator decides when it may come again"},
    Advice{"agent.running",
           "To have it check now: `systemctl reload warifu-agent`, or SIGHUP. To register anew: stop it, `warifu-agent "
           "provision`, start it"},
    Advice{
        "certificate.attestation",
        "It is asked again after the next attestation; `warifu attestation explain` on the server says what is wrong"},
    Advice{"certificate.attestation-missing", "It is asked again after the next attestation: `warifu-agent attest`"},
    Advice{"certificate.revoked", "An operator revoked it; `warifu certificate show` on the server says why"},
    Advice{"certificate.held", "An operator suspended it; `warifu certificate show` on the server says why"},
    Advice{"certificate.none", "The server has no certificate authority for devices, or does not serve it here"},
    Advice{"tcb.certificate.none", "Get one first: `warifu-agent certificate get`"},
    Advice{
        "tcb.certificate.untrusted",
        "The device follows the trust bundle that lists the role at its next contact: is it published (`warifud trust "
        "install`)?"},
    Advice{"tcb.certificate.",
           "What the server issued is not a certificate for this device: is server.root that of its organisation?"},
    Advice{"application-key.attestation", "It is asked again after the next attestation: `warifu-agent attest`"},
    Advice{"application-key.none", "The server gives no application keys, or does not serve them here"},
    Advice{"application-key.not-registered",
           "`warifu-agent run` registers anew by itself; without it: `warifu-agent provision`, then `warifu-agent "
           "application-key get`"},
    Advice{"application-key.srk",
           "`warifu-agent run` registers anew by itself; without it: `warifu-agent provision`, then `warifu-agent "
           "application-key get`"},
    Advice{"application-key.",
           "`warifu-agent run` asks again by itself; without it: `warifu-agent application-key get`"},
    Advice{"tcb.application-key.none",
           "An operator gives one (`warifu application-key put`), and `warifu-agent application-key get` fetches it"},
    Advice{"tcb.application-key.pending",
           "Let it be acknowledged: `warifu-agent application-key get`. One that is capped already in this boot is so "
           "in a boot that does not cap it before: `cap --unless-pending`"},
    Advice{"tcb.application-key.nothing-to-cap", "Name the PCR: `warifu-agent application-key cap --pcr 14`"},
    Advice{"challenge.unknown", "The challenge was too old or used: it is asked for again"},
    Advice{
        "logs.read",
        "The agent's user must be able to read what the kernel measured: warifu-agent.service sees to that before it "
        "starts"},
    Advice{"logs.size",
           "A narrower IMA policy measures less; the next boot begins a new list. `warifu-agent attest --local` reads "
           "larger ones"},
    Advice{"attestation.local", "the findings say why"},
    Advice{"attestation.result", "`warifu attestation explain` on the server says why"},
    Advice{"token.expired", "Set the clock of this device or of the server"},
    Advice{"server.throttled", "The server has too much to do: it is asked again later"},
    Advice{"server.waits", "It is asked again later; `warifu registration explain` on the server says what is missing"},
    Advice{"server.trouble", "The server has a problem of its own: it is asked again later"},
    Advice{"server.name", "Is server.url right, and does the name service answer?"},
    Advice{"server.unreachable", "Is the server running, server.url right, and nothing in between?"},
    Advice{"server.timeout", "Is the network slow, or something in between that swallows packets?"},
    Advice{"server.tls", "Is it a Warifu server's devices listener? It speaks TLS 1.3 only"},
    Advice{"server.identity",
           "Is server.root the root.pem of that server's organisation, and is the host of server.url in its "
           "certificate?"},
    Advice{"server.reply", "It is not a server that this device can talk to"},
    Advice{"tcb.server.revoked",
           "The organisation has taken the key of this server's role out of use. If it is still your server, it needs "
           "a certificate of the new role: `warifud certificate renew`. If not, somebody has a stolen key"},
    Advice{"bundle.rollback",
           "This device has seen a newer trust bundle. Was the server, or this device's state folder, restored from a "
           "backup? `warifud trust install` brings the newest to the server"},
    Advice{"bundle.fork",
           "There are two trust bundles of one version: compare their digests with the root's desk. If both are "
           "signed, keys are in wrong hands"},
    Advice{"bundle.pinned-root", "Is server.root a root of this server's organisation?"},
    Advice{"tpm.auth",
           "A password that somebody set for the TPM's owner or its endorsement hierarchy belongs into "
           "tpm.owner_auth_file or tpm.endorsement_auth_file; the lockout password is the one in escrow"},
    Advice{"tpm.nv.type",
           "Something else uses that index: move it elsewhere, or remove it (tpm2_nvundefine) if nothing needs it"},
    Advice{"tpm.nv.", "The TPM has no room where the trust bundle is remembered: remove an index that nothing needs"},
    Advice{"crypto.path.expired",
           "Is the clock of this device right? If it is, the server needs a new certificate: `warifud` says why it has "
           "none"},
    Advice{"crypto.path.not-yet-valid", "Set the clock of this device or of the server"},
    Advice{"crypto.path.",
           "Is the host of server.url in the server's certificate, and is that of a role of the newest trust bundle, "
           "which "
           "the device follows at its next contact? Before it has one: is server.root that organisation's root.pem?"},
    Advice{"crypto.signature", "Something between this device and the server changes what they say"},
    Advice{"tcb.handshake.", "Something between this device and the server changes what they say"},
    Advice{"tcb.server.unverified", "The TCB must know the server first: is it reachable?"},
    Advice{"tcb.refused", "Use the users that tcb.agent_user names, or root"},
    Advice{"tcb.denied", "That is for the administrator: run it as root"},
    Advice{"tcb.identity.none", "Provision the device first: `warifu-agent provision`"},
    Advice{"tcb.registration.none", "warifu-tcb was started again in between: provision again"},
    Advice{"tpm.key.dead", "The TPM was cleared: provision again"},
    Advice{"tpm.lockout",
           "Too many wrong passwords: wait until the TPM recovers, or reset it with `warifu-agent tpm reset-lockout`. "
           "After a wrong lockout password that is refused too, for a day"},
    Advice{"tpm.owned", "Someone else set its lockout password: they must clear the TPM, or the firmware's setup does"},
    Advice{"tcb.escrow.foreign",
           "If it was this device that set it, its package was lost or damaged here, which warifu-tcb's log says: "
           "`warifu device escrow` has the one that was delivered"},
    Advice{
        "tpm.srk.",
        "The key at 0x81000001 is not a storage key that this device can use (made by this TPM to be a parent, without "
        "a policy; RSA-2048 or RSA-3072, ECC P-256 or P-384). Evict it (tpm2_evictcontrol) if nothing else uses it: "
        "the "
        "TCB then makes its own"},
    Advice{"tpm.ek.swapped",
           "The TPM, or the way to it, is not the one that was there before. If it was replaced on purpose, start "
           "warifu-tcb with --ek-name"},
};

bool fits(std::string_view code, std::string_view pattern) {
  return pattern.ends_with('.') ? code.starts_with(pattern) : code == pattern;
}

ServerCode classify(int status, std::string_view server_code) {
  const auto* known = std::ranges::find(kServerCodes, server_code, &ServerCode::code);
  if (known != kServerCodes.end()) return *known;
  if (status == 429) return {"server.throttled", ErrorKind::kThrottled};
  if (status >= 500) return {"server.trouble", ErrorKind::kUnavailable};
  return {"server.refused", ErrorKind::kRefused};
}

std::string clocks(const HttpReply& reply, const Clock& clock) {
  if (!reply.date) return {};
  const Timestamp now = clock.now();
  const auto difference = now > *reply.date ? now - *reply.date : *reply.date - now;
  if (difference <= kClockTolerance) return {};
  return fmt::format("{}{}, the server's {}", kClocks, to_rfc3339(now), to_rfc3339(*reply.date));
}

}  // namespace

Error refusal_of(const HttpReply& reply, std::string_view doing, const Clock& clock) {
  const ServerError said = parse_server_error(reply.body);
  const ServerCode known = classify(reply.status, said.code);
  const std::string& tracking_id = said.tracking_id.empty() ? reply.request_id : said.tracking_id;
  std::string message = fmt::format("{}: the server answered {}", doing, reply.status);
  if (!said.message.empty()) message += fmt::format(": {}", said.message);
  if (!said.code.empty()) message += fmt::format(" (its code {})", said.code);
  if (!tracking_id.empty()) message += fmt::format("{}{})", kTrackingId, tracking_id);
  return {known.kind, known.code, message + clocks(reply, clock)};
}

std::string gist(const Error& error) {
  std::string text = to_string(error);
  for (const auto changing : {kTrackingId, kClocks})
    text.resize(std::min(text.size(), text.find(changing)));
  return fmt::format("{} [{}]", text, error.code);
}

bool needs_an_operator(const Error& error) {
  if (error.kind != ErrorKind::kRefused) return false;
  return std::ranges::any_of(kVerdicts, [&](std::string_view code) { return fits(error.code, code); });
}

std::string_view advice_for(const Error& error) {
  const auto* advice = std::ranges::find_if(kAdvice, [&](const Advice& a) { return fits(error.code, a.code); });
  return advice == kAdvice.end() ? std::string_view() : advice->text;
}

std::string explain(const Error& error) {
  const std::string_view advice = advice_for(error);
  if (advice.empty()) return fmt::format("{} [{}]", to_string(error), error.code);
  return fmt::format("{}. {} [{}]", to_string(error), advice, error.code);
}

}  // namespace warifu::agent
