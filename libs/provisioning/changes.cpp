#include "provisioning/changes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "crypto/digest.h"

namespace warifu::provisioning {
namespace {

constexpr std::size_t kSharedKeySize = 32;

std::string text_of(bool value) {
  return value ? "true" : "false";
}

template <class Enum>
std::string text_of(const std::optional<Enum>& value) {
  return value ? std::string(to_string(*value)) : "default";
}

std::string text_of(const std::optional<std::chrono::seconds>& interval) {
  return interval ? fmt::format("{} s", interval->count()) : "default";
}

std::string text_of(const std::optional<std::string>& json) {
  return json.value_or("");
}

std::string fingerprint(const Bytes& der) {
  return to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {der}).bytes());
}

SecretBytes settle_key(const std::optional<SecretBytes>& asked, const SecretBytes* before, Entropy& entropy) {
  if (asked) return asked->clone();
  return before != nullptr ? before->clone() : SecretBytes::random(entropy, kSharedKeySize);
}

void add_key_change(std::vector<FieldChange>& changes, std::string_view field, const SecretBytes& from,
                    const SecretBytes& to) {
  if (!equal_constant_time(from.reveal(), to.reveal()))
    changes.push_back({std::string(field), "(a key)", "(another key)"});
}

}  // namespace

void add_change(std::vector<FieldChange>& changes, std::string_view field, std::string from, std::string to) {
  if (from != to) changes.push_back({std::string(field), std::move(from), std::move(to)});
}

void add_changes(std::vector<FieldChange>& changes, const Terms& from, const Terms& to) {
  add_change(changes, "enabled", text_of(from.enabled), text_of(to.enabled));
  add_change(changes, "reprovision", text_of(from.reprovision), text_of(to.reprovision));
  add_change(changes, "allocation", text_of(from.allocation), text_of(to.allocation));
  add_change(changes, "hubs", fmt::format("{}", fmt::join(from.hubs, " ")), fmt::format("{}", fmt::join(to.hubs, " ")));
  add_change(changes, "approve_srk_changes", text_of(from.approve_srk_changes), text_of(to.approve_srk_changes));
  add_change(changes, "required_attestation", from.required_attestation ? text_of(from.required_attestation) : "",
             to.required_attestation ? text_of(to.required_attestation) : "");
  add_change(changes, "attestation_interval_seconds", text_of(from.attestation_interval),
             text_of(to.attestation_interval));
  add_change(changes, "allow_software_keys", text_of(from.allow_software_keys), text_of(to.allow_software_keys));
  add_change(changes, "iot_edge", text_of(from.iot_edge), text_of(to.iot_edge));
  add_change(changes, "initial_twin", text_of(from.initial_twin), text_of(to.initial_twin));
  add_change(changes, "custom_allocation", text_of(from.custom_allocation), text_of(to.custom_allocation));
  add_change(changes, "device_information", text_of(from.device_information), text_of(to.device_information));
}

void add_changes(std::vector<FieldChange>& changes, const CertificatePair& from, const CertificatePair& to) {
  const auto text = [](const std::optional<Bytes>& der) { return der ? fingerprint(*der) : ""; };
  add_change(changes, "attestation.primary", fingerprint(from.primary), fingerprint(to.primary));
  add_change(changes, "attestation.secondary", text(from.secondary), text(to.secondary));
}

Result<SharedKeys> settle_keys(const SymmetricKeyRequest& request, const SharedKeys* before, Entropy& entropy) {
  SharedKeys keys{settle_key(request.primary, before == nullptr ? nullptr : &before->primary, entropy),
                  settle_key(request.secondary, before == nullptr ? nullptr : &before->secondary, entropy)};
  TRY_STATUS(check_shared_key(keys.primary));
  TRY_STATUS(check_shared_key(keys.secondary));
  return keys;
}

void add_changes(std::vector<FieldChange>& changes, const SharedKeys& from, const SharedKeys& to) {
  add_key_change(changes, "attestation.primary_key", from.primary, to.primary);
  add_key_change(changes, "attestation.secondary_key", from.secondary, to.secondary);
}

Status check_precondition(const Precondition& precondition, const Uuid* revision, bool is_group, std::string_view id) {
  const std::string_view noun = is_group ? "an enrollment group" : "an enrollment";
  const bool must_exist = precondition.existing == Precondition::Existing::kPresent || precondition.revision;
  if (revision == nullptr && must_exist)
    return Error{ErrorKind::kNotFound, is_group ? "group.unknown" : "enrollment.unknown",
                 fmt::format("there is no {} {}", noun.substr(3), id)};
  if (revision != nullptr && precondition.existing == Precondition::Existing::kAbsent)
    return Error{ErrorKind::kConflict, is_group ? "group.exists" : "enrollment.exists",
                 fmt::format("{} {} exists", noun, id)};
  if (precondition.revision && *revision != *precondition.revision)
    return Error{ErrorKind::kConflict, is_group ? "group.revision" : "enrollment.revision",
                 fmt::format("{} was changed since it was read: it has the ETag \"{}\", \"{}\" was expected", id,
                             revision->text(), precondition.revision->text())};
  return {};
}

}  // namespace warifu::provisioning
