#include "tcb/application_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "tcb/state_record.h"
#include "tpm_types/application_key.h"

namespace warifu::tcb {
namespace {

using Key = ApplicationKeysRecord::Key;

Error no_such_key(const Label& name) {
  return {ErrorKind::kNotFound, "tcb.application-key.none",
          fmt::format("this device has no application key \"{}\" of that version", name.text())};
}

Error is_capped(const Key& key) {
  return refused("tcb.application-key.capped",
                 fmt::format("the key \"{}\" works only until PCR {} is extended, and in this boot it was: it works "
                             "again when the TPM was reset (restart the device)",
                             key.name.text(), key.capped_by));
}

bool is_version(const Key& key, const ApplicationKeys::Version& wanted) {
  return key.name == wanted.name && key.version == wanted.version;
}

// The one that is named, or (0) those of the keys.
Result<std::set<std::uint8_t>> pcrs_to_cap(const ApplicationKeysRecord& known, std::uint8_t named) {
  if (named != 0 && !tpm::may_cap(named))
    return invalid_input(
        "tcb.application-key.pcr",
        fmt::format("expected a PCR from {} to {}, {} came", tpm::kCappingPcrFirst, tpm::kCappingPcrLast, named),
        "pcr");
  if (named != 0) return std::set{named};
  std::set<std::uint8_t> pcrs;
  for (const Key& key : known.keys)
    if (key.capped_by != 0) pcrs.insert(key.capped_by);
  if (!pcrs.empty()) return pcrs;
  return Error{ErrorKind::kNotFound, "tcb.application-key.nothing-to-cap",
               "no key here is capped by a PCR: say which one is to be extended all the same"};
}

}  // namespace

Result<ApplicationKeysRecord> ApplicationKeys::record() {
  TRY(auto found, read_record(files_, journal_, ApplicationKeysRecord::kFile, parse_application_keys));
  return std::move(found).value_or(ApplicationKeysRecord());
}

Status ApplicationKeys::keep(const ApplicationKeysRecord& record) {
  return files_.replace(ApplicationKeysRecord::kFile, write_application_keys(record));
}

// Of those that are there the first stands for all, for they lie under one SRK.
Status ApplicationKeys::leave_out_dead(ApplicationKeysRecord& known, const Version& wanted) {
  for (const Key& key : known.keys) {
    if (&key != &known.keys.front() && !is_version(key, wanted)) continue;
    const auto opened = tpm_.open_key(key.key);
    if (opened) continue;
    if (opened.error().code != kKeyDead) return opened.error();
    journal_.warn("the keys of this device's applications are no more, and replaced: " + to_string(opened.error()));
    return leave_out_dead(known);
  }
  return {};
}

Status ApplicationKeys::leave_out_dead(ApplicationKeysRecord& known) {
  std::vector<Key> alive;
  for (Key& key : known.keys) {
    const auto opened = tpm_.open_key(key.key);
    if (!opened && opened.error().code != kKeyDead) return opened.error();
    if (opened) alive.push_back(std::move(key));
  }
  known.keys = std::move(alive);
  return {};
}

Status ApplicationKeys::import(const Version& version, std::uint8_t capped_by, ByteView authentication_key) {
  if (version.version == 0) return invalid_input("tcb.application-key.version", "versions begin with 1", "version");
  if (capped_by != 0 && !tpm::may_cap(capped_by))
    return invalid_input("tcb.application-key.pcr", fmt::format("PCR {} caps nothing", capped_by), "capped_by_pcr");
  TRY(auto known, record());
  // What is dead is written off with the key that replaces it, and not before: the TPM has opened that under the SRK
  // that the server knows, so the others are not dead for a moment only.
  TRY_STATUS(leave_out_dead(known, version));
  if (std::ranges::any_of(known.keys, [&](const Key& key) { return is_version(key, version); })) return {};
  // Of those that wait the one that came last is wanted alone. It may be older than the one in use: a server that was
  // restored from a backup knows nothing of that, which stays until the agent says that it is to be forgotten.
  std::erase_if(known.keys, [&](const Key& key) { return key.name == version.name && !key.is_active; });
  if (known.keys.size() >= ApplicationKeysRecord::kKeysMax)
    return refused("tcb.application-key.full",
                   fmt::format("{} keys are kept, and no more", ApplicationKeysRecord::kKeysMax));
  TRY(auto imported, tpm_.activate_application_key(authentication_key, capped_by));
  known.keys.push_back({version.name, version.version, false, capped_by, std::move(imported)});
  std::ranges::sort(
      known.keys, [](const Key& a, const Key& b) { return std::tie(a.name, a.version) < std::tie(b.name, b.version); });
  return keep(known);
}

Result<SecretBytes> ApplicationKeys::hmac_by(const Key& key, ByteView message) {
  auto mac = key.capped_by == 0 ? tpm_.hmac(key.key, message) : tpm_.hmac_capped(key.key, key.capped_by, message);
  if (mac) return mac;
  if (mac.error().code == kPolicyUnmet && key.capped_by != 0) return is_capped(key);
  return mac;
}

Result<SecretBytes> ApplicationKeys::acknowledge(const Version& version, const RegistrationId& registration,
                                                 ByteView nonce) {
  TRY(const auto known, record());
  const auto found = std::ranges::find_if(known.keys, [&](const Key& key) { return is_version(key, version); });
  if (found == known.keys.end()) return no_such_key(version.name);
  return hmac_by(*found, tpm::acknowledgement_message(registration, version.name, version.version, nonce));
}

Status ApplicationKeys::activate(const Version& version) {
  TRY(auto known, record());
  const auto found = std::ranges::find_if(known.keys, [&](const Key& key) { return is_version(key, version); });
  if (found == known.keys.end()) return no_such_key(version.name);
  const bool was_active = found->is_active;
  found->is_active = true;
  const auto gone = std::erase_if(
      known.keys, [&](const Key& key) { return key.name == version.name && key.version < version.version; });
  if (was_active && gone == 0) return {};
  return keep(known);
}

Status ApplicationKeys::forget(const Version& version) {
  TRY(auto known, record());
  if (std::erase_if(known.keys, [&](const Key& key) { return is_version(key, version); }) == 0) return {};
  return keep(known);
}

Status ApplicationKeys::forget_all() {
  TRY(const auto known, record());
  if (known.keys.empty()) return {};
  return keep({});
}

Result<ApplicationKeys::Mac> ApplicationKeys::hmac(const Label& name, ByteView data) {
  // Else an application could have the server believe that a key is here.
  if (as_text(data).starts_with(tpm::kAcknowledgementPrefix))
    return refused("tcb.application-key.reserved", "what begins so is an acknowledgement, which the TCB alone makes",
                   "data");
  TRY(const auto known, record());
  const Key* newest = nullptr;
  bool is_pending = false;
  for (const Key& key : known.keys) {
    if (key.name != name) continue;
    is_pending = true;
    if (key.is_active) newest = &key;
  }
  if (newest == nullptr && is_pending)
    return Error{ErrorKind::kNotFound, "tcb.application-key.pending",
                 fmt::format("the server does not know yet that the key \"{}\" is here", name.text())};
  if (newest == nullptr) return no_such_key(name);
  TRY(auto mac, hmac_by(*newest, data));
  return Mac{std::move(mac), newest->version};
}

// Nobody but an agent makes a key wait, and a wait without an end is a cap that never comes: its operator learns it.
bool ApplicationKeys::is_left_alone(std::uint8_t pcr, const ApplicationKeysRecord& known) {
  const auto waiting =
      std::ranges::find_if(known.keys, [&](const Key& key) { return !key.is_active && key.capped_by == pcr; });
  if (waiting == known.keys.end()) return false;
  journal_.warn(
      fmt::format("PCR {} is left uncapped in this boot, because version {} of the key \"{}\" waits to be "
                  "acknowledged. What this PCR caps works until the end of the boot, versions in use too; in "
                  "every boot, if the wait has no end: then cap without --unless-pending",
                  pcr, waiting->version, waiting->name.text()));
  return true;
}

Result<ApplicationKeys::Capped> ApplicationKeys::cap(std::uint8_t pcr, UnlessPending unless_pending) {
  TRY(const auto known, record());
  TRY(const auto pcrs, pcrs_to_cap(known, pcr));
  Capped capped;
  std::optional<Error> first_error;
  for (const std::uint8_t one : pcrs) {
    if (unless_pending == UnlessPending::kYes && is_left_alone(one, known)) {
      capped.left.push_back(one);
      continue;
    }
    // One that cannot be extended keeps no other from it.
    const Status done = tpm_.cap(one);
    if (done) capped.pcrs.push_back(one);
    if (!done && !first_error) first_error = done.error();
  }
  if (first_error) return *std::move(first_error);
  return capped;
}

Result<ApplicationKeys::Shown> ApplicationKeys::shown(bool probe) {
  TRY(auto known, record());
  if (known.keys.empty() || !probe) return Shown{std::move(known)};
  const auto opened = tpm_.open_key(known.keys.front().key);
  if (opened) return Shown{std::move(known)};
  // Unreachable, in lockout or disturbed says nothing about the keys.
  if (opened.error().code != kKeyDead) return opened.error();
  // They stay on disk: whoever has the SRK exchanged for a moment, or forges what the TPM says, ends no key by it.
  return Shown{{}, true};
}

}  // namespace warifu::tcb
