// Which keys a device's TPM has.
#include <fmt/format.h>

#include <algorithm>

#include "crypto/digest.h"
#include "device_ca/desk.h"

namespace warifu::device_ca {
namespace {

Error another_registrations_key() {
  return refused("certificate.key-elsewhere", "this key belongs to another device");
}

}  // namespace

Bytes key_sha256_of(ByteView public_key) {
  return to_bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {public_key}).bytes());
}

Status Desk::keep_proof(Records& records, audit::Trail& trail, const KeyProven& proven) const {
  TRY(const auto keys, records.list_keys_of(proven.scope, proven.registration, kKeysKeptMax));
  const auto is_newer = [&](const ProvenDeviceKey& key) { return key.nonce_at >= proven.nonce_at; };
  if (std::ranges::any_of(keys, is_newer))
    return refused("certificate.proof-replayed", "this proof, or a later one, was shown before: ask for another nonce");
  ProvenDeviceKey key{.scope = proven.scope,
                      .key_sha256 = key_sha256_of(proven.public_key),
                      .registration_id = proven.registration,
                      .identity = proven.identity,
                      .public_key = proven.public_key,
                      .ek_name = proven.ek_name,
                      .ak_name = proven.ak_name,
                      .nonce_at = proven.nonce_at,
                      .proven_at = clock_.now()};
  TRY(const auto before, records.find_key(key.scope, key.key_sha256));
  // One TPM is one device: a key cannot be in two, but a TPM can come under another registration.
  if (before && before->registration_id != key.registration_id) return another_registrations_key();
  // The nonce of the newest is what tells an old proof: so that one stays.
  if (!before && keys.size() >= kKeysKeptMax) TRY_STATUS(records.remove_key(key.scope, keys.back().key_sha256));
  TRY_STATUS(records.put_key(key));
  return trail.record(key.scope, {fmt::format("device:{}", key.registration_id.text()), "device-key.prove",
                                  fmt::format("registration:{}", key.registration_id.text()),
                                  fmt::format(R"({{"kind":"{}","key_sha256":"{}","ek":"{}"}})", to_string(key.identity),
                                              to_hex(key.key_sha256), to_hex(key.ek_name))});
}

Result<std::optional<ProvenDeviceKey>> Desk::find_proven_key(RecordsView& records, const Application& application,
                                                             ByteView key_sha256) const {
  TRY(auto proven, records.find_key(application.scope, key_sha256));
  if (!proven) return proven;
  if (proven->registration_id != application.registration) return another_registrations_key();
  // Its device has another TPM now.
  if (proven->ek_name != application.ek_name)
    return refused("certificate.key-elsewhere", "this key is in another TPM than the one that is enrolled now");
  if (proven->identity != application.identity)
    return refused("certificate.kind", fmt::format("this key was proved for an {}, not for an {}",
                                                   to_string(proven->identity), to_string(application.identity)));
  return proven;
}

}  // namespace warifu::device_ca
