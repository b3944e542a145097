// Who gets which certificate.
#include <fmt/format.h>

#include <algorithm>

#include "crypto/roca.h"
#include "device_ca/desk.h"

namespace warifu::device_ca {
namespace {

using crypto::RevocationReason;
using pki::DeviceIdentity;
using pki::KeyProtection;

std::string actor_of(const RegistrationId& id) {
  return fmt::format("device:{}", id.text());
}

bool is_live(const DeviceCertificate& certificate, Timestamp now) {
  return certificate.state != State::kRevoked && certificate.state != State::kIssuing && certificate.not_after > now;
}

Status check_name(const RegistrationId& id) {
  if (id.text().size() <= kCommonNameSizeMax) return {};
  return refused(
      "certificate.name-size",
      fmt::format("a certificate names its device with at most {} characters, and this registration ID has {}",
                  kCommonNameSizeMax, id.text().size()));
}

Error unproven(DeviceIdentity identity) {
  Error error = refused("certificate.key-unproven",
                        identity == DeviceIdentity::kIdevid
                            ? "only a key that a TPM proved gets a certificate for life"
                            : "this key was not proved to be in the enrolled TPM: prove it first (the native API)");
  error.operator_detail =
      "a device without a TPM needs an enrollment with allow_software_keys, and its certificates are marked";
  return error;
}

// What a TPM proved was looked at there.
Status check_software_key(ByteView public_key) {
  TRY(const auto key, crypto::PublicKey::from_spki(public_key));
  if (!crypto::is_roca_key(key)) return {};
  return refused("certificate.key-roca", "anybody can compute the private half of this key (CVE-2017-15361)");
}

Concern late(const Application& application, const DeviceCertificate& expired, Timestamp now) {
  return {"certificate.late", application.registration, to_hex(expired.serial.bytes()),
          fmt::format("{} was away until its certificate had expired ({}), and got another one by the proof of its key",
                      application.registration.text(), to_rfc3339(expired.not_after)),
          now};
}

// After the role's key was replaced devices believe the new one alone.
Result<bool> is_of(ByteView issuer, const DeviceCertificate& one) {
  if (issuer.empty()) return true;
  TRY(const auto above, crypto::Certificate::from_der(issuer));
  TRY(const auto certificate, crypto::Certificate::from_der(one.certificate));
  return certificate.issued_by(above);
}

}  // namespace

Desk::Desk(const Clock& clock, Entropy& entropy, const SecretBytes& envelope_key, DeskOptions options)
    : clock_(clock), entropy_(entropy), envelope_key_(envelope_key.clone()), options_(std::move(options)) {
}

std::string subject_of(const crypto::SerialNumber& serial) {
  return fmt::format("certificate:{}", to_hex(serial.bytes()));
}

pki::DeviceOrder order_of(const DeviceCertificate& certificate, const pki::RevocationPlaces& places) {
  return {.identity = certificate.identity,
          .protection = certificate.protection,
          .device = certificate.registration_id,
          .serial = certificate.serial,
          .not_before = certificate.not_before,
          .not_after = certificate.not_after,
          .hardware_serial = certificate.hardware_serial,
          .places = places};
}

Timestamp Desk::renew_after(const DeviceCertificate& certificate) const {
  if (certificate.identity == DeviceIdentity::kIdevid) return certificate.not_after;
  const auto life = std::chrono::duration_cast<std::chrono::seconds>(certificate.not_after - certificate.not_before);
  // A tenth of the life, spread by a number that was drawn for this certificate alone.
  const auto spread = life / 10 * certificate.serial.bytes().back() / 256;
  return certificate.not_before + life / 2 + spread;
}

// What this key has already, under the statement that stands now. An order that nobody finished is finished while the
// signer still takes it.
Result<std::optional<DeviceCertificate>> Desk::find_same(Records& records, const Application& application,
                                                         ByteView key_sha256) const {
  TRY(auto all, records.list_certificates_of_key(application.scope, key_sha256, kLookedAtMax));
  const Timestamp now = clock_.now();
  for (auto& one : all) {
    const bool is_its_own = one.registration_id == application.registration && one.ground == application.ground;
    if (!is_its_own || one.identity != application.identity) continue;
    if (one.state == State::kIssuing) {
      if (one.created_at + kOrderLifetime > now) return std::optional(std::move(one));
      TRY_STATUS(set_state(records, std::move(one), State::kRevoked, RevocationReason::kCessationOfOperation));
      continue;
    }
    if (!is_live(one, now) || now >= renew_after(one)) continue;
    TRY(const bool is_taken, is_of(application.issuer, one));
    if (is_taken) return std::optional(std::move(one));
  }
  return std::optional<DeviceCertificate>();
}

// Else a suspended device would come with another key.
Status Desk::check_not_held(RecordsView& records, const ScopeId& scope, const RegistrationId& registration) const {
  TRY(const bool is_held, records.has_held(scope, registration));
  if (!is_held) return {};
  return refused("certificate.held", "a certificate of this device is suspended: it gets no other until it is resumed");
}

// What was ordered or issued before. Who confirms has his time anew, and who does not has it by the answer.
Result<Ordered> Desk::give_again(Records& records, audit::Trail& trail, const Application& application,
                                 DeviceCertificate same) const {
  const bool needs_signature = same.state == State::kIssuing;
  if (!application.must_confirm && same.confirm_by) TRY_STATUS(take_as_confirmed(records, trail, same));
  if (application.must_confirm && (needs_signature || same.confirm_by)) {
    same.confirm_by = clock_.now() + kConfirmWait;
    TRY_STATUS(records.update_certificate(same));
    TRY_STATUS(trail.record(same.scope, {actor_of(same.registration_id), "certificate.order", subject_of(same.serial),
                                         fmt::format(R"({{"registration_id":"{}","confirm_by":"{}"}})",
                                                     same.registration_id.text(), to_rfc3339(*same.confirm_by))}));
  }
  return Ordered{std::move(same), needs_signature, {}};
}

Result<Ordered> Desk::order(Records& records, audit::Trail& trail, const Application& application,
                            const GroundStands& stands) const {
  TRY_STATUS(check_name(application.registration));
  const Bytes key_sha256 = key_sha256_of(application.public_key);
  TRY(auto twice, find_key_twice(records, application, stands));
  if (twice) return std::move(twice->refusal);
  TRY(const bool is_compromised, records.has_compromised(application.scope, key_sha256));
  if (is_compromised)
    return refused("certificate.key-compromised", "this key was revoked because somebody else has it: make a new one");
  TRY(const auto proven, find_proven_key(records, application, key_sha256));
  const bool takes_software = application.allows_software_keys && application.identity == DeviceIdentity::kLdevid;
  if (!proven && !takes_software) return unproven(application.identity);
  if (!proven) TRY_STATUS(check_software_key(application.public_key));
  TRY(auto same, find_same(records, application, key_sha256));
  const bool is_issued = same && same->state != State::kIssuing;
  if (!is_issued) TRY_STATUS(check_not_held(records, application.scope, application.registration));
  if (same) return give_again(records, trail, application, *std::move(same));

  const Timestamp now = clock_.now();
  TRY(const auto others,
      records.list_certificates_of(application.scope, application.registration, {.limit = kLookedAtMax}));
  const auto is_recent = [&](const DeviceCertificate& one) { return one.created_at + kIssuingWindow > now; };
  if (static_cast<std::size_t>(std::ranges::count_if(others, is_recent)) >= kIssuedMax)
    return Error{ErrorKind::kThrottled, "certificate.too-many",
                 fmt::format("{} certificates in a day are enough for one device", kIssuedMax)};
  const auto is_ldevid = [&](const DeviceCertificate& one) {
    return one.identity == application.identity && one.state != State::kIssuing;
  };
  const auto last = std::ranges::find_if(others, is_ldevid);
  const bool is_late = last != others.end() && last->state != State::kRevoked && last->not_after <= now;

  const Timestamp begin = std::chrono::floor<std::chrono::seconds>(now) - pki::kBackdate;
  const bool is_for_life = application.identity == DeviceIdentity::kIdevid;
  DeviceCertificate made{
      .scope = application.scope,
      .serial = crypto::SerialNumber::random(entropy_),
      .registration_id = application.registration,
      .ground = application.ground,
      .identity = application.identity,
      .protection = proven ? KeyProtection::kTpm : KeyProtection::kSoftware,
      .state = State::kIssuing,
      .door = application.door,
      .key_sha256 = key_sha256,
      .public_key = application.public_key,
      .ek_name = proven ? proven->ek_name : Bytes(),
      .hardware_serial = is_for_life ? application.hardware_serial : Bytes(),
      .not_before = begin,
      .not_after = is_for_life ? crypto::kForLife : begin + pki::kBackdate + options_.ldevid_lifetime,
      .created_at = now,
      .changed_at = now,
      .confirm_by = application.must_confirm ? std::optional(now + kConfirmWait) : std::nullopt,
      .is_late = is_late};
  TRY_STATUS(records.insert_certificate(made));
  TRY_STATUS(trail.record(
      made.scope, {actor_of(made.registration_id), "certificate.order", subject_of(made.serial),
                   fmt::format(R"({{"registration_id":"{}","kind":"{}","protection":"{}","door":"{}","late":{}}})",
                               made.registration_id.text(), to_string(made.identity), to_string(made.protection),
                               to_string(made.door), made.is_late)}));
  std::optional<Concern> concern;
  if (is_late) concern = late(application, *last, now);
  return Ordered{std::move(made), true, std::move(concern)};
}

// Whoever renews has two for a while: the one that he used until now, and the new one. Those before are superseded, but
// for what an operator has suspended: it keeps the device from others.
Status Desk::supersede(Records& records, audit::Trail& trail, const DeviceCertificate& fresh) const {
  TRY(const auto all, records.list_certificates_of(fresh.scope, fresh.registration_id, {.limit = kLookedAtMax}));
  std::size_t kept = 0;
  for (const auto& one : all) {
    const bool is_another = one.identity == fresh.identity && one.serial != fresh.serial;
    if (!is_another || !is_live(one, clock_.now()) || one.state == State::kHeld) continue;
    if (kept++ == 0) continue;
    TRY_STATUS(set_state(records, one, State::kRevoked, RevocationReason::kSuperseded));
    TRY_STATUS(
        trail.record(fresh.scope, {actor_of(fresh.registration_id), "certificate.supersede", subject_of(one.serial),
                                   fmt::format(R"({{"by":"{}"}})", to_hex(fresh.serial.bytes()))}));
  }
  return {};
}

// Who shows an active one and its key goes on from there.
Result<bool> Desk::goes_on(RecordsView& records, const Application& application, const DeviceCertificate& fresh) const {
  if (!application.renewed) return false;
  TRY(const auto shown, records.find_certificate(fresh.scope, *application.renewed));
  return shown && shown->registration_id == fresh.registration_id && shown->ground == fresh.ground &&
         shown->identity == fresh.identity && shown->protection == fresh.protection && shown->state == State::kActive &&
         shown->not_after > clock_.now();
}

Result<DeviceCertificate> Desk::keep(Records& records, audit::Trail& trail, const DeviceCertificate& order,
                                     const crypto::Certificate& signed_certificate,
                                     const Application& application) const {
  TRY(auto stored, records.find_certificate(order.scope, order.serial));
  if (!stored || stored->state == State::kRevoked)
    return Error{ErrorKind::kConflict, "certificate.order-gone", "this order was given up meanwhile: ask again"};
  if (stored->state != State::kIssuing) return *std::move(stored);
  if (!std::ranges::equal(signed_certificate.serial(), stored->serial.bytes()) ||
      signed_certificate.public_key_info() != stored->public_key)
    return invalid_input("certificate.signed", "the signer certified something else than was ordered");
  // It may have been suspended while the signer worked: the order waits.
  TRY_STATUS(check_not_held(records, order.scope, order.registration_id));
  stored->certificate = signed_certificate.to_der();
  stored->not_after = signed_certificate.not_after();
  // Who went on from an active one goes on; what a TPM proved and attests to is active; all else waits for somebody.
  TRY(const bool is_renewal, goes_on(records, application, *stored));
  const bool is_proven = stored->protection == KeyProtection::kTpm && application.has_attested;
  const State state = is_renewal || is_proven ? State::kActive : State::kInactive;
  stored->state = state;
  stored->changed_at = clock_.now();
  TRY_STATUS(records.update_certificate(*stored));
  // Until whoever asked has it, what he had goes on as it was.
  if (!stored->confirm_by) TRY_STATUS(supersede(records, trail, *stored));
  TRY_STATUS(trail.record(
      stored->scope,
      {actor_of(stored->registration_id), "certificate.issue", subject_of(stored->serial),
       fmt::format(
           R"({{"registration_id":"{}","kind":"{}","protection":"{}","door":"{}","state":"{}","not_after":"{}"}})",
           stored->registration_id.text(), to_string(stored->identity), to_string(stored->protection),
           to_string(stored->door), to_string(state), to_rfc3339(stored->not_after))}));
  return *std::move(stored);
}

Status Desk::confirm(Records& records, audit::Trail& trail, const ScopeId& scope,
                     const crypto::SerialNumber& serial) const {
  TRY(auto certificate, find(records, scope, serial));
  if (certificate.state == State::kRevoked)
    return refused("certificate.revoked", "its confirmation came too late: it was taken back");
  if (!certificate.confirm_by) return {};
  return take_as_confirmed(records, trail, certificate);
}

Status Desk::take_as_confirmed(Records& records, audit::Trail& trail, DeviceCertificate& certificate) const {
  certificate.confirm_by.reset();
  TRY_STATUS(records.update_certificate(certificate));
  // What is not issued yet supersedes when it is.
  if (certificate.state != State::kIssuing) TRY_STATUS(supersede(records, trail, certificate));
  return trail.record(certificate.scope,
                      {actor_of(certificate.registration_id), "certificate.confirm", subject_of(certificate.serial)});
}

Status Desk::withdraw(Records& records, audit::Trail& trail, const ScopeId& scope, const crypto::SerialNumber& serial,
                      std::string_view why) const {
  TRY(auto certificate, find(records, scope, serial));
  if (certificate.state == State::kRevoked) return {};
  const std::string actor = actor_of(certificate.registration_id);
  if (certificate.state == State::kHeld) {
    // It counts for nothing, and what an operator has suspended is his.
    certificate.confirm_by.reset();
    TRY_STATUS(records.update_certificate(certificate));
  } else {
    TRY_STATUS(set_state(records, std::move(certificate), State::kRevoked, RevocationReason::kCessationOfOperation));
  }
  return trail.record(scope,
                      {actor, "certificate.withdraw", subject_of(serial), fmt::format(R"({{"why":"{}"}})", why)});
}

Result<std::size_t> Desk::withdraw_unconfirmed(Records& records, audit::Trail& trail, const ScopeId& scope) const {
  TRY(const auto late, records.list_unconfirmed(scope, clock_.now(), kLookedAtMax));
  for (const auto& one : late)
    TRY_STATUS(withdraw(records, trail, scope, one.serial, "not confirmed in time"));
  return late.size();
}

Status Desk::clean_up(Records& records, audit::Trail& trail, const ScopeId& scope) const {
  TRY_STATUS(withdraw_unconfirmed(records, trail, scope));
  TRY(const auto removed, records.purge_secrets(scope, clock_.now() - kSecretLifetime, kPurgeMax));
  if (removed == 0) return {};
  return trail.record(scope,
                      {"system", "certificate-secret.purge", "scope", fmt::format(R"({{"removed":{}}})", removed)});
}

}  // namespace warifu::device_ca
