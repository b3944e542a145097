// What a device shows that has nothing else yet.
#include <fmt/format.h>

#include "crypto/envelope.h"
#include "device_ca/desk.h"

namespace warifu::device_ca {
namespace {

std::string place_of(const ScopeId& scope, std::string_view reference) {
  return fmt::format("device-secret/{}/{}", scope.text(), reference);
}

Error no_secret(std::string why) {
  Error error{ErrorKind::kUnauthenticated, "certificate.secret",
              "this reference and secret are not good: ask your operator for others"};
  error.operator_detail = std::move(why);
  return error;
}

}  // namespace

Result<Desk::IssuedSecret> Desk::issue_secret(Records& records, audit::Trail& trail, const audit::Requester& who,
                                              const RegistrationId& registration, const Ground& ground) const {
  const Timestamp now = clock_.now();
  const std::string reference = to_base64url(SecretBytes::random(entropy_, kReferenceSize).reveal());
  // Text, because people type it into the configuration of a client.
  std::string text = to_base64url(SecretBytes::random(entropy_, kSecretSize).reveal());
  auto secret = SecretBytes::copy_of(as_bytes(text));
  wipe(text);
  DeviceSecret record{.scope = who.scope,
                      .reference = reference,
                      .registration_id = registration,
                      .ground = ground,
                      .sealed_secret = crypto::seal_envelope(envelope_key_, as_bytes(place_of(who.scope, reference)),
                                                             secret.reveal(), entropy_),
                      .created_at = now,
                      .expires_at = now + kSecretLifetime};
  TRY_STATUS(records.put_secret(record));
  TRY_STATUS(trail.record(who.scope,
                          {who.actor, "certificate-secret.create", fmt::format("registration:{}", registration.text()),
                           fmt::format(R"({{"reference":"{}"}})", reference)}));
  return IssuedSecret{reference, std::move(secret), record.expires_at};
}

Result<Desk::FoundSecret> Desk::find_secret(RecordsView& records, std::string_view reference,
                                            std::string_view spent_for) const {
  TRY(auto record, records.find_secret_anywhere(reference));
  if (!record) return no_secret("there is no such reference");
  const bool is_spent = !record->spent_for.empty();
  // What it was spent for has to come to its end.
  const Timestamp good_until = record->expires_at + (is_spent ? kConfirmWait : std::chrono::minutes(0));
  if (good_until <= clock_.now()) return no_secret(fmt::format("it expired at {}", to_rfc3339(record->expires_at)));
  if (is_spent && !record->spent_for.starts_with(spent_for))
    return no_secret(fmt::format("it was used for {}", record->spent_for));
  TRY(auto secret,
      crypto::open_envelope(envelope_key_, as_bytes(place_of(record->scope, reference)), record->sealed_secret));
  return FoundSecret{*std::move(record), std::move(secret)};
}

Result<Desk::FoundSecret> Desk::check_secret(RecordsView& records, std::string_view reference, ByteView shown,
                                             std::string_view spent_for) const {
  TRY(auto found, find_secret(records, reference, spent_for));
  if (!equal_constant_time(found.secret.reveal(), shown))
    return no_secret("the reference is right, and the secret is not");
  return found;
}

Status Desk::spend(Records& records, audit::Trail& trail, std::string_view reference, std::string_view spent_for,
                   const GroundStands& stands) const {
  TRY(auto found, find_secret(records, reference, spent_for));
  DeviceSecret& record = found.record;
  TRY(const bool is_good, still_stands(stands, record.registration_id, record.ground));
  if (!is_good) return no_secret("it was given under an enrollment that is gone");
  if (record.spent_for == spent_for) return {};
  if (!record.spent_for.empty()) return no_secret(fmt::format("it was used for {}", record.spent_for));
  record.spent_for = spent_for;
  TRY_STATUS(records.put_secret(record));
  return trail.record(record.scope,
                      {fmt::format("device:{}", record.registration_id.text()), "certificate-secret.spend",
                       fmt::format("registration:{}", record.registration_id.text()),
                       fmt::format(R"({{"reference":"{}","for":"{}"}})", record.reference, spent_for)});
}

}  // namespace warifu::device_ca
