// Which keys a device's TPM has.
#include <fmt/format.h>

#include <algorithm>

#include "crypto/digest.h"
#include "device_ca/desk.h"

namespace warifu::device_ca {
namespace {

// How the former name of a device is given up, so that its keys go along with it.
std::string end_of(const Ground& ground) {
  if (!ground.group) return "delete that enrollment";
  return fmt::format(
      "delete its former enrollment, or take it off the group {}: `warifu enrollment-group remove-ek` its EK, "
      "deregister what has none",
      ground.group->text());
}

Error another_registrations_key(const KeyOwner& owner) {
  Error error = refused("certificate.key-elsewhere", "this key belongs to another device");
  error.operator_detail =
      fmt::format("it is the key of {}: if that is the same device under its former name, {}; else find the copy",
                  owner.registration.text(), end_of(owner.ground));
  return error;
}

Concern key_twice(const Application& application, const RegistrationId& owner, Timestamp now) {
  return {"certificate.key-twice", application.registration, owner.text(),
          fmt::format("{} asked for a certificate for the key of {}: one key is one device",
                      application.registration.text(), owner.text()),
          now};
}

}  // namespace

Result<bool> still_stands(const GroundStands& stands, const RegistrationId& registration, const Ground& ground) {
  return stands ? stands(registration, ground) : Result<bool>(true);
}

Bytes key_sha256_of(ByteView public_key) {
  return to_bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {public_key}).bytes());
}

Status Desk::keep_proof(Records& records, audit::Trail& trail, const KeyProven& proven,
                        const GroundStands& stands) const {
  TRY(const auto keys, records.list_keys_of(proven.scope, proven.registration, kKeysKeptMax));
  const auto is_newer = [&](const ProvenDeviceKey& key) { return key.nonce_at >= proven.nonce_at; };
  if (std::ranges::any_of(keys, is_newer))
    return refused("certificate.proof-replayed", "this proof, or a later one, was shown before: ask for another nonce");
  ProvenDeviceKey key{.scope = proven.scope,
                      .key_sha256 = key_sha256_of(proven.public_key),
                      .registration_id = proven.registration,
                      .ground = proven.ground,
                      .identity = proven.identity,
                      .public_key = proven.public_key,
                      .ek_name = proven.ek_name,
                      .ak_name = proven.ak_name,
                      .nonce_at = proven.nonce_at,
                      .proven_at = clock_.now()};
  TRY(const auto before, records.find_key(key.scope, key.key_sha256));
  const bool is_its_own = before && before->registration_id == key.registration_id;
  // One TPM is one device: a key cannot be in two, but a TPM can come under another registration.
  if (before && !is_its_own) {
    TRY(const bool is_anothers, still_stands(stands, before->registration_id, before->ground));
    if (is_anothers) return another_registrations_key({before->registration_id, before->ground});
  }
  // The nonce of the newest is what tells an old proof: so that one stays.
  if (!is_its_own && keys.size() >= kKeysKeptMax) TRY_STATUS(records.remove_key(key.scope, keys.back().key_sha256));
  TRY_STATUS(records.put_key(key));
  return trail.record(key.scope, {fmt::format("device:{}", key.registration_id.text()), "device-key.prove",
                                  fmt::format("registration:{}", key.registration_id.text()),
                                  fmt::format(R"({{"kind":"{}","key_sha256":"{}","ek":"{}"}})", to_string(key.identity),
                                              to_hex(key.key_sha256), to_hex(key.ek_name))});
}

Result<std::optional<KeyOwner>> Desk::find_other_owner(RecordsView& records, const Application& application,
                                                       ByteView key_sha256, const GroundStands& stands) const {
  const auto is_anothers = [&](const auto& one) -> Result<bool> {
    if (one.registration_id == application.registration) return false;
    return still_stands(stands, one.registration_id, one.ground);
  };
  TRY(const auto proven, records.find_key(application.scope, key_sha256));
  if (proven) {
    TRY(const bool is_proven_by_another, is_anothers(*proven));
    if (is_proven_by_another) return std::optional(KeyOwner{proven->registration_id, proven->ground});
  }
  TRY(const auto all, records.list_certificates_of_key(application.scope, key_sha256, kLookedAtMax));
  for (const auto& one : all) {
    TRY(const bool is_of_another, is_anothers(one));
    if (is_of_another) return std::optional(KeyOwner{one.registration_id, one.ground});
  }
  return std::optional<KeyOwner>();
}

Result<std::optional<KeyTwice>> Desk::find_key_twice(RecordsView& records, const Application& application,
                                                     const GroundStands& stands) const {
  TRY(const auto owner, find_other_owner(records, application, key_sha256_of(application.public_key), stands));
  if (!owner) return std::optional<KeyTwice>();
  return std::optional(
      KeyTwice{key_twice(application, owner->registration, clock_.now()), another_registrations_key(*owner)});
}

Result<std::optional<ProvenDeviceKey>> Desk::find_proven_key(RecordsView& records, const Application& application,
                                                             ByteView key_sha256) const {
  TRY(auto proven, records.find_key(application.scope, key_sha256));
  // Another's who is gone: this one has proved nothing.
  if (!proven || proven->registration_id != application.registration) return std::optional<ProvenDeviceKey>();
  // Its device has another TPM now.
  if (proven->ek_name != application.ek_name)
    return refused("certificate.key-elsewhere", "this key is in another TPM than the one that is enrolled now");
  if (proven->identity != application.identity)
    return refused("certificate.kind", fmt::format("this key was proved for an {}, not for an {}",
                                                   to_string(proven->identity), to_string(application.identity)));
  return proven;
}

}  // namespace warifu::device_ca
