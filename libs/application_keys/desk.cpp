#include "application_keys/desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "crypto/digest.h"
#include "crypto/envelope.h"
#include "tpm_types/application_key.h"
#include "tpm_types/authentication_key.h"
#include "wire/writer.h"

namespace warifu::application_keys {
namespace {

// Sealed for the one row that it belongs to: moved to another one it does not open.
std::string place_of(const ApplicationKey& record) {
  return fmt::format("application-key/{}/{}/{}/{}/{}", record.scope.text(), record.registration_id.text(),
                     record.enrollment_id.text(), record.name.text(), record.version);
}

Error unknown_key(const Label& name) {
  return {ErrorKind::kNotFound, "application-key.unknown",
          fmt::format("this device was given no application key \"{}\" under its enrollment", name.text())};
}

std::string device_actor(const RegistrationId& registration) {
  return fmt::format("device:{}", registration.text());
}

std::string version_detail(const ApplicationKey& record) {
  return fmt::format(R"({{"version":{}}})", record.version);
}

bool is_live(const ApplicationKey& record) {
  return record.state == State::kPending || record.state == State::kActive;
}

Status check_size(const SecretBytes& key) {
  if (key.size() >= tpm::kApplicationKeySizeMin && key.size() <= tpm::kApplicationKeySizeMax) return {};
  return invalid_input("application-key.size",
                       fmt::format("expected a key of {} to {} bytes, {} came", tpm::kApplicationKeySizeMin,
                                   tpm::kApplicationKeySizeMax, key.size()),
                       "key");
}

Status check_pcr(const std::optional<std::uint8_t>& pcr) {
  if (!pcr || tpm::may_cap(*pcr)) return {};
  return invalid_input(
      "application-key.pcr",
      fmt::format("expected a PCR from {} to {}, which only a reset of the TPM sets back to zero, {} came",
                  tpm::kCappingPcrFirst, tpm::kCappingPcrLast, *pcr),
      "capped_by_pcr");
}

// The versions of one name, ascending.
std::vector<ApplicationKey> versions_of(std::vector<ApplicationKey> all, const Label& name) {
  std::erase_if(all, [&](const ApplicationKey& record) { return record.name != name; });
  return all;
}

Result<ApplicationKey> find_version(RecordsView& records, const Holder& holder, const KeyVersion& wanted) {
  TRY(auto all, records.list_keys_of(holder.scope, holder.registration, kLookedAtMax));
  for (auto& record : all)
    if (record.name == wanted.name && record.version == wanted.version && record.enrollment_id == holder.enrollment_id)
      return std::move(record);
  return unknown_key(wanted.name);
}

Status check_live(const ApplicationKey& record) {
  if (record.state == State::kRevoked)
    return refused("application-key.revoked", fmt::format("version {} of this key is revoked", record.version));
  if (record.state == State::kSuperseded)
    return refused("application-key.superseded",
                   fmt::format("version {} of this key has given way to a later one", record.version));
  return {};
}

}  // namespace

State standing_of(const ApplicationKey& record, const std::optional<Uuid>& enrollment_id) {
  return is_live(record) && record.enrollment_id != enrollment_id ? State::kRevoked : record.state;
}

Bytes digest_of(std::span<const ApplicationKey> told) {
  wire::Writer out;
  for (const auto& record : told)
    out.sized16(as_bytes(record.name.text()))
        .u32(record.version)
        .u8(static_cast<std::uint8_t>(record.state))
        .u8(record.capped_by.value_or(0));
  return to_bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {out.view()}).bytes());
}

std::string subject_of(const RegistrationId& registration, const Label& name) {
  return fmt::format("application-key:{}/{}", registration.text(), name.text());
}

Bytes Desk::seal(const ApplicationKey& record, const SecretBytes& key) const {
  return crypto::seal_envelope(envelope_key_, as_bytes(place_of(record)), key.reveal(), entropy_);
}

Result<SecretBytes> Desk::open(const ApplicationKey& record) const {
  return crypto::open_envelope(envelope_key_, as_bytes(place_of(record)), record.sealed_key);
}

// Nobody needs the key any more, so nothing keeps it.
Status Desk::end(Records& records, ApplicationKey& record, State state) const {
  record.state = state;
  record.sealed_key.clear();
  record.changed_at = clock_.now();
  return records.update_key(record);
}

Status Desk::prune(Records& records, std::span<const ApplicationKey> versions) const {
  if (versions.size() < kVersionsKept) return {};
  for (const auto& record : versions.first(versions.size() - (kVersionsKept - 1)))
    if (record.state != State::kActive) TRY_STATUS(records.remove_key(record));
  return {};
}

Result<Desk::Put> Desk::put(Records& records, audit::Trail& trail, const std::string& actor, const Holder& holder,
                            Given given) const {
  return give(records, trail, "application-key.put", actor, holder, std::move(given));
}

Result<Desk::Put> Desk::give(Records& records, audit::Trail& trail, std::string_view action, const std::string& actor,
                             const Holder& holder, Given given) const {
  TRY_STATUS(check_pcr(given.capped_by));
  if (given.key) TRY_STATUS(check_size(*given.key));
  // What was given under an enrollment that is gone is not carried over.
  TRY_STATUS(end_orphans(records, trail, holder.scope, holder.registration, holder.enrollment_id));
  TRY(auto all, records.list_keys_of(holder.scope, holder.registration, kLookedAtMax));
  std::set<std::string> names;
  for (const auto& record : all)
    names.insert(record.name.text());
  if (names.size() >= kNamesMax && !names.contains(given.name.text()))
    return refused("application-key.too-many",
                   fmt::format("this registration has had keys under {} names, and no more are kept", kNamesMax));
  const auto versions = versions_of(std::move(all), given.name);
  TRY_STATUS(prune(records, versions));

  const Timestamp now = clock_.now();
  const bool is_made = !given.key;
  SecretBytes key = is_made ? SecretBytes::random(entropy_, kGeneratedSize) : *std::move(given.key);
  ApplicationKey record{.scope = holder.scope,
                        .registration_id = holder.registration,
                        .name = given.name,
                        .version = versions.empty() ? 1 : versions.back().version + 1,
                        .enrollment_id = holder.enrollment_id,
                        .capped_by = given.capped_by,
                        .created_at = now,
                        .changed_at = now};
  record.sealed_key = seal(record, key);
  TRY_STATUS(records.insert_key(record));
  const std::string cap = given.capped_by ? fmt::format(R"(,"capped_by_pcr":{})", *given.capped_by) : "";
  TRY_STATUS(trail.record(holder.scope, {actor, std::string(action), subject_of(holder.registration, record.name),
                                         fmt::format(R"({{"version":{},"made_by":"{}"{}}})", record.version,
                                                     is_made ? "server" : "operator", cap)}));
  return Put{std::move(record), is_made ? std::optional(std::move(key)) : std::nullopt};
}

Result<Desk::Put> Desk::rotate(Records& records, audit::Trail& trail, const std::string& actor, const Holder& holder,
                               const Label& name, std::optional<SecretBytes> key) const {
  TRY(auto all, records.list_keys_of(holder.scope, holder.registration, kLookedAtMax));
  const auto versions = versions_of(std::move(all), name);
  const bool is_there =
      !versions.empty() && is_live(versions.back()) && versions.back().enrollment_id == holder.enrollment_id;
  if (!is_there) return unknown_key(name);
  return give(records, trail, "application-key.rotate", actor, holder,
              {name, std::move(key), versions.back().capped_by});
}

Status Desk::revoke(Records& records, audit::Trail& trail, const audit::Requester& who,
                    const RegistrationId& registration, const Label& name) const {
  TRY(auto all, records.list_keys_of(who.scope, registration, kLookedAtMax));
  auto versions = versions_of(std::move(all), name);
  if (versions.empty()) return unknown_key(name);
  std::string ended;
  for (auto& record : versions) {
    if (!is_live(record)) continue;
    TRY_STATUS(end(records, record, State::kRevoked));
    ended += fmt::format("{}{}", ended.empty() ? "" : ",", record.version);
  }
  if (ended.empty()) return {};
  return trail.record(who.scope, {who.actor, "application-key.revoke", subject_of(registration, name),
                                  fmt::format(R"({{"versions":[{}]}})", ended)});
}

Result<std::size_t> Desk::end_orphans(Records& records, audit::Trail& trail, const ScopeId& scope,
                                      const RegistrationId& registration,
                                      const std::optional<Uuid>& enrollment_id) const {
  TRY(auto all, records.list_keys_of(scope, registration, kLookedAtMax));
  std::size_t ended = 0;
  for (auto& record : all) {
    if (!is_live(record) || record.enrollment_id == enrollment_id) continue;
    TRY_STATUS(end(records, record, State::kRevoked));
    TRY_STATUS(trail.record(scope, {"system", "application-key.revoke", subject_of(registration, record.name),
                                    fmt::format(R"({{"versions":[{}],"enrollment":"gone"}})", record.version)}));
    ++ended;
  }
  return ended;
}

Result<std::vector<ApplicationKey>> Desk::told(RecordsView& records, const Holder& holder) const {
  TRY(const auto all, records.list_keys_of(holder.scope, holder.registration, kLookedAtMax));
  std::vector<ApplicationKey> news;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool is_newest = i + 1 == all.size() || all[i + 1].name != all[i].name;
    ApplicationKey record = all[i];
    record.state = standing_of(record, holder.enrollment_id);
    const bool waits = record.state == State::kPending && is_newest;
    const bool is_to_be_forgotten = record.state == State::kRevoked && !record.told_at;
    if (record.state == State::kActive || waits || is_to_be_forgotten) news.push_back(std::move(record));
  }
  return news;
}

Result<bool> Desk::lacks(RecordsView& records, const Holder& holder, std::span<const KeyVersion> held) const {
  TRY(const auto all, told(records, holder));
  return std::ranges::any_of(all, [&](const ApplicationKey& record) {
    return record.state == State::kActive &&
           std::ranges::find(held, KeyVersion{record.name, record.version}) == held.end();
  });
}

Result<bool> Desk::note_held(Records& records, audit::Trail& trail, const Holder& holder,
                             std::span<const KeyVersion> held) const {
  TRY(auto all, told(records, holder));
  bool is_news = false;
  for (auto& record : all) {
    if (record.state != State::kActive) continue;
    if (std::ranges::find(held, KeyVersion{record.name, record.version}) != held.end()) continue;
    record.state = State::kPending;
    record.delivered_to.clear();
    record.changed_at = clock_.now();
    TRY_STATUS(records.update_key(record));
    TRY_STATUS(trail.record(holder.scope, {device_actor(holder.registration), "application-key.lose",
                                           subject_of(holder.registration, record.name), version_detail(record)}));
    is_news = true;
  }
  return is_news;
}

Result<Desk::Wrapped> Desk::wrap(RecordsView& records, const Holder& holder, const KeyVersion& wanted,
                                 const ProvenTpm& tpm) const {
  TRY(auto record, find_version(records, holder, wanted));
  TRY_STATUS(check_live(record));
  TRY(const auto key, open(record));
  TRY(auto wrapped, tpm::make_authentication_key(tpm.ek, tpm.srk, key, entropy_,
                                                 tpm::application_key_use(record.capped_by.value_or(0))));
  return Wrapped{std::move(record), std::move(wrapped)};
}

Result<std::optional<Desk::Wrapped>> Desk::deliver_again(RecordsView& records, const Holder& holder,
                                                         const KeyVersion& wanted, const ProvenTpm& tpm) const {
  TRY(const auto record, find_version(records, holder, wanted));
  if (!std::ranges::equal(record.delivered_to, tpm.srk.name().bytes())) return std::optional<Wrapped>();
  TRY(auto wrapped, wrap(records, holder, wanted, tpm));
  return std::optional(std::move(wrapped));
}

Result<Desk::Wrapped> Desk::deliver(Records& records, audit::Trail& trail, const Holder& holder,
                                    const KeyVersion& wanted, const ProvenTpm& tpm) const {
  TRY(auto wrapped, wrap(records, holder, wanted, tpm));
  auto& record = wrapped.record;
  const auto srk_name = tpm.srk.name();
  if (std::ranges::equal(record.delivered_to, srk_name.bytes())) return wrapped;
  record.delivered_to = to_bytes(srk_name.bytes());
  TRY_STATUS(records.update_key(record));
  TRY_STATUS(trail.record(
      holder.scope,
      {device_actor(holder.registration), "application-key.deliver", subject_of(holder.registration, record.name),
       fmt::format(R"({{"version":{},"srk_name":"{}"}})", record.version, srk_name.text())}));
  return wrapped;
}

Result<ApplicationKey> Desk::acknowledge(Records& records, audit::Trail& trail, const Holder& holder,
                                         const Acknowledgement& acknowledgement) const {
  TRY(auto record, find_version(records, holder, acknowledgement.key));
  TRY_STATUS(check_live(record));
  TRY(const auto key, open(record));
  const Bytes message =
      tpm::acknowledgement_message(holder.registration, record.name, record.version, acknowledgement.nonce);
  const auto mac = crypto::hmac(crypto::HashAlgorithm::kSha256, key.reveal(), {message});
  if (!equal_constant_time(mac.bytes(), acknowledgement.mac))
    return refused("application-key.mac", "this is not the HMAC of the acknowledgement by that version of the key",
                   "mac");
  // Asked again after an answer that was lost.
  if (record.state == State::kActive && std::ranges::equal(record.srk_name, acknowledgement.srk_name)) return record;
  // One of before the device lost it says nothing about now.
  if (acknowledgement.nonce_at <= record.nonce_at)
    return refused("application-key.acknowledgement-replayed",
                   "an acknowledgement with this nonce, or a later one, was taken before", "nonce");
  record.state = State::kActive;
  record.srk_name = to_bytes(acknowledgement.srk_name);
  record.nonce_at = acknowledgement.nonce_at;
  record.changed_at = clock_.now();
  TRY_STATUS(records.update_key(record));
  TRY(auto all, records.list_keys_of(holder.scope, holder.registration, kLookedAtMax));
  for (auto& other : all)
    if (other.name == record.name && other.version < record.version && is_live(other))
      TRY_STATUS(end(records, other, State::kSuperseded));
  TRY_STATUS(trail.record(holder.scope, {device_actor(holder.registration), "application-key.acknowledge",
                                         subject_of(holder.registration, record.name), version_detail(record)}));
  return record;
}

Result<ApplicationKey> Desk::note_forgotten(Records& records, audit::Trail& trail, const Holder& holder,
                                            const KeyVersion& key) const {
  TRY(auto all, records.list_keys_of(holder.scope, holder.registration, kLookedAtMax));
  std::optional<ApplicationKey> named;
  bool is_news = false;
  for (auto& record : all) {
    if (record.name != key.name || record.version > key.version) continue;
    const bool is_revoked = standing_of(record, holder.enrollment_id) == State::kRevoked;
    if (record.version == key.version && !is_revoked)
      return Error{ErrorKind::kConflict, "application-key.not-revoked",
                   fmt::format("version {} of this key is {}", record.version, to_string(record.state))};
    if (is_revoked && !record.told_at) {
      record.told_at = clock_.now();
      TRY_STATUS(is_live(record) ? end(records, record, State::kRevoked) : records.update_key(record));
      is_news = true;
    }
    if (record.version == key.version) named = std::move(record);
  }
  if (!named) return unknown_key(key.name);
  if (is_news)
    TRY_STATUS(trail.record(holder.scope, {device_actor(holder.registration), "application-key.forget",
                                           subject_of(holder.registration, key.name), version_detail(*named)}));
  return *std::move(named);
}

}  // namespace warifu::application_keys
