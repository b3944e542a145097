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
  return fmt::format("application-key/{}/{}/{}/{}/{}/{}", record.scope.text(), record.registration_id.text(),
                     record.enrollment_id.text(), to_hex(record.ek_name), record.name.text(), record.version);
}

Error unknown_key(const Label& name) {
  return {ErrorKind::kNotFound, "application-key.unknown",
          fmt::format("this TPM was given no application key \"{}\" under its enrollment", name.text())};
}

std::string device_actor(const RegistrationId& registration) {
  return fmt::format("device:{}", registration.text());
}

bool is_of(const ApplicationKey& record, const Holder& holder) {
  return record.enrollment_id == holder.enrollment_id && record.ek_name == holder.ek_name;
}

std::string version_detail(const ApplicationKey& record) {
  return fmt::format(R"({{"version":{}}})", record.version);
}

bool is_live(const ApplicationKey& record) {
  return record.state == State::kPending || record.state == State::kActive;
}

// The device may have it, and has not said otherwise.
bool is_to_be_forgotten(const ApplicationKey& record) {
  return record.state == State::kRevoked && !record.told_at &&
         !(record.delivered_to.empty() && record.srk_name.empty());
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

// Whether it holds a later version of the same name: `all` is by name and version.
bool has_later(std::span<const ApplicationKey> all, std::size_t index, const Holder& holder) {
  return std::ranges::any_of(all.subspan(index + 1), [&](const ApplicationKey& later) {
    return later.name == all[index].name && is_live(later) && is_of(later, holder);
  });
}

// The versions of one name, ascending.
std::vector<ApplicationKey> versions_of(std::vector<ApplicationKey> all, const Label& name) {
  std::erase_if(all, [&](const ApplicationKey& record) { return record.name != name; });
  return all;
}

Result<ApplicationKey> find_version(RecordsView& records, const Holder& holder, const KeyVersion& wanted) {
  TRY(auto all, records.list_keys_of(holder.scope, holder.registration, kLookedAtMax));
  for (auto& record : all)
    if (record.name == wanted.name && record.version == wanted.version && is_of(record, holder))
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

State standing_of(const ApplicationKey& record, Holders holders) {
  const bool is_held = std::ranges::any_of(holders, [&](const Holder& holder) { return is_of(record, holder); });
  return is_live(record) && !is_held ? State::kRevoked : record.state;
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

// So that there is room for one. First what nobody has to hear of, the oldest first. Of what the device has to forget
// the newest stands for those before it.
Status Desk::prune(Records& records, std::vector<ApplicationKey> versions) const {
  std::erase_if(versions, [](const ApplicationKey& record) { return record.state == State::kActive; });
  if (versions.size() < kVersionsKept) return {};
  std::stable_partition(versions.begin(), versions.end(),
                        [](const ApplicationKey& record) { return !is_to_be_forgotten(record); });
  for (const auto& record : std::span(versions).first(versions.size() - (kVersionsKept - 1)))
    TRY_STATUS(records.remove_key(record));
  return {};
}

// The last of its kind was noted long ago, or after now: then the clock was wrong.
bool Desk::is_due(Timestamp noted_at) const {
  const Timestamp now = clock_.now();
  return now < noted_at || now - noted_at >= kNotedApart;
}

Result<Desk::Put> Desk::put(Records& records, audit::Trail& trail, const std::string& actor, Holders holders,
                            Given given) const {
  return give(records, trail, "application-key.put", actor, holders, std::move(given));
}

Result<Desk::Put> Desk::give(Records& records, audit::Trail& trail, std::string_view action, const std::string& actor,
                             Holders holders, Given given) const {
  const Holder& holder = holders.front();
  TRY_STATUS(check_pcr(given.capped_by));
  if (given.key) TRY_STATUS(check_size(*given.key));
  // What was given under an enrollment that is gone is not carried over.
  TRY_STATUS(end_orphans(records, trail, holder.scope, holder.registration, holders));
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
                        .ek_name = holder.ek_name,
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

Result<Desk::Put> Desk::rotate(Records& records, audit::Trail& trail, const std::string& actor, Holders holders,
                               const Label& name, std::optional<SecretBytes> key) const {
  const Holder& holder = holders.front();
  TRY(auto all, records.list_keys_of(holder.scope, holder.registration, kLookedAtMax));
  auto versions = versions_of(std::move(all), name);
  std::erase_if(versions, [&](const ApplicationKey& record) { return !is_live(record) || !is_of(record, holder); });
  if (versions.empty()) return unknown_key(name);
  return give(records, trail, "application-key.rotate", actor, holders,
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
                                      const RegistrationId& registration, Holders holders, std::size_t limit) const {
  TRY(auto all, records.list_keys_of(scope, registration, kLookedAtMax));
  std::size_t ended = 0;
  for (auto& record : all) {
    if (ended == limit) break;
    if (standing_of(record, holders) == record.state) continue;
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
    ApplicationKey record = all[i];
    record.state = standing_of(record, {&holder, 1});
    const bool waits = record.state == State::kPending && !has_later(all, i, holder);
    const bool has_ended = record.state == State::kRevoked && !record.told_at;
    if (record.state == State::kActive || waits || has_ended) news.push_back(std::move(record));
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
  std::string noted;
  for (auto& record : all) {
    if (record.state != State::kActive) continue;
    if (std::ranges::find(held, KeyVersion{record.name, record.version}) != held.end()) continue;
    is_news = true;
    record.state = State::kPending;
    record.delivered_to.clear();
    record.changed_at = clock_.now();
    if (!is_due(record.loss_noted_at)) {
      TRY_STATUS(records.note_key(record));
      continue;
    }
    record.loss_noted_at = record.changed_at;
    TRY_STATUS(records.update_key(record));
    noted +=
        fmt::format(R"({}{{"name":"{}","version":{}}})", noted.empty() ? "" : ",", record.name.text(), record.version);
  }
  if (!noted.empty())
    TRY_STATUS(trail.record(holder.scope, {device_actor(holder.registration), "application-key.lose",
                                           fmt::format("registration:{}", holder.registration.text()),
                                           fmt::format(R"({{"keys":[{}]}})", noted)}));
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
  // A device that loses what it has again and again.
  const bool is_again = record.srk_name == record.delivered_to;
  if (is_again && !is_due(record.delivery_noted_at)) {
    TRY_STATUS(records.note_key(record));
    return wrapped;
  }
  record.delivery_noted_at = clock_.now();
  TRY_STATUS(records.update_key(record));
  TRY_STATUS(trail.record(
      holder.scope,
      {device_actor(holder.registration), "application-key.deliver", subject_of(holder.registration, record.name),
       fmt::format(R"({{"version":{},"srk_name":"{}"}})", record.version, srk_name.text())}));
  return wrapped;
}

// What it holds of the same name from before; whether there was something.
Result<bool> Desk::supersede(Records& records, const Holder& holder, const ApplicationKey& by) const {
  TRY(auto all, records.list_keys_of(holder.scope, holder.registration, kLookedAtMax));
  bool has_ended = false;
  for (auto& other : all) {
    if (other.name != by.name || other.version >= by.version || !is_live(other) || !is_of(other, holder)) continue;
    TRY_STATUS(end(records, other, State::kSuperseded));
    has_ended = true;
  }
  return has_ended;
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
  const bool is_again = std::ranges::equal(record.srk_name, acknowledgement.srk_name);
  record.state = State::kActive;
  record.srk_name = to_bytes(acknowledgement.srk_name);
  record.nonce_at = acknowledgement.nonce_at;
  record.changed_at = clock_.now();
  TRY(const bool has_ended, supersede(records, holder, record));
  if (is_again && !has_ended && !is_due(record.acknowledgement_noted_at)) {
    TRY_STATUS(records.note_key(record));
    return record;
  }
  record.acknowledgement_noted_at = record.changed_at;
  TRY_STATUS(records.update_key(record));
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
    const bool is_revoked = standing_of(record, {&holder, 1}) == State::kRevoked;
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
