#include <fmt/format.h>

#include <algorithm>

#include "measured_boot/claims/extraction.h"

namespace warifu::measured_boot {
namespace {

constexpr std::array<std::string_view, 5> kOrder = {"SecureBoot", "PK", "KEK", "db", "dbx"};

const Guid& vendor_of(std::string_view name) {
  static const Guid global = global_variable_guid();
  static const Guid security = image_security_guid();
  return name == "db" || name == "dbx" ? security : global;
}

constexpr std::size_t kOwnerSize = 16;

}  // namespace

// Separators and known actions never come here.
void Extraction::secure_boot(const Event& event) {
  const bool is_variable = event.type == EventType::kEfiVariableDriverConfig;
  const bool is_separated = separators_[event.register_index] > 0;
  if (event.type == EventType::kEfiVariableAuthority) {
    // Before the separator it could be a variable, unless those were all there and this is an entry of the measured db,
    // which no variable looks like: some firmware loads drivers.
    const bool is_late = is_separated || (std::ranges::equal(variables_, kOrder) && is_entry_of_db(event));
    if (!is_late) {
      secure_boot_broken_ = true;
      hidden_authority_ = true;
      return finding("secure-boot.unexplained", "an authority before the separator of PCR 7", &event);
    }
    return authority(event);
  }
  if (is_separated) {
    hidden_authority_ = true;
    if (!is_pcr_log()) return;  // TDs measure other things into the same register
    if (is_variable)
      return finding("secure-boot.late", "a variable after the separator of PCR 7 is not firmware's", &event);
    return unexplained(event);
  }
  if (is_variable) return secure_boot_variable(event);
  if (!is_pcr_log()) return;
  secure_boot_broken_ = true;
  finding("secure-boot.unexplained", "an event before the separator of PCR 7 that is no variable and no known action",
          &event);
}

void Extraction::secure_boot_variable(const Event& event) {
  const auto parsed = parse_variable(event.data, event.data_offset);
  const auto proved = parsed ? prover_.data(event) : std::nullopt;
  if (!proved) {
    if (!is_pcr_log()) return;
    secure_boot_broken_ = true;
    finding("secure-boot.unproved", parsed ? "the digest is not that of the variable" : to_string(parsed.error()),
            &event);
    return;
  }
  const Variable& variable = *parsed;
  const auto known = std::ranges::find(kOrder, variable.name);
  if (known == kOrder.end() || variable.vendor != vendor_of(variable.name)) return;
  if (std::ranges::find(variables_, variable.name) != variables_.end()) {
    secure_boot_broken_ = true;
    finding("secure-boot.doubled", variable.name, &event);
    return;  // the first one counts
  }
  variables_.push_back(variable.name);
  if (variable.name == "SecureBoot") {
    const bool on = variable.value.size() == 1 && variable.value[0] == 1;
    secure_boot_value_ = proved->derive([on](ByteView) { return on; });
    return;
  }
  const std::size_t value_offset = event.data_offset + event.data.size() - variable.value.size();
  auto signatures = parse_signature_lists(variable.value, value_offset);
  if (!signatures) {
    secure_boot_broken_ = true;
    finding("secure-boot.malformed", fmt::format("{}: {}", variable.name, to_string(signatures.error())), &event);
    return;
  }
  if (variable.name == "db")
    for (const Signature& signature : *signatures)
      db_.emplace(signature.owner, as_text(signature.data));
  auto database = proved->derive([&](ByteView) { return SignatureDatabase{std::move(*signatures)}; });
  auto& claims = claims_.secure_boot;
  (variable.name == "PK"    ? claims.pk
   : variable.name == "KEK" ? claims.kek
   : variable.name == "db"  ? claims.db
                            : claims.dbx) = std::move(database);
}

void Extraction::authority(const Event& event) {
  const auto parsed = parse_variable(event.data, event.data_offset);
  const auto whole = parsed ? prover_.data(event) : std::nullopt;
  // Early shims hash the value alone: then nothing proves the name.
  const auto value = whole ? whole : parsed ? prover_.hash_of(event, parsed->value) : std::nullopt;
  if (!value) {
    hidden_authority_ = true;
    return finding("authority.unproved", "the digest is not that of the variable", &event);
  }
  Authority authority{.value = value->derive([&](ByteView) { return parsed->value; }),
                      .variable = std::nullopt,
                      .told_name = {parsed->name, event.number},
                      .signature = std::nullopt};
  if (whole) authority.variable = whole->derive([&](ByteView) { return *parsed; });
  // Of db it is EFI_SIGNATURE_DATA; shim measures a certificate without its owner.
  const bool of_db = whole && parsed->name == "db" && parsed->vendor == image_security_guid();
  if (of_db && parsed->value.size() > kOwnerSize) {
    authority.signature = whole->derive([&](ByteView) {
      return Signature{.type = {}, .owner = guid_of(parsed->value), .data = parsed->value.subspan(kOwnerSize)};
    });
    authority.is_in_db = is_in_db(**authority.signature);
    if (!authority.is_in_db) finding("authority.not-in-db", "an authority that the measured db does not hold", &event);
  }
  if (whole && parsed->name == "SbatLevel" && !claims_.sbat_level)
    claims_.sbat_level = whole->derive([&](ByteView) { return std::string(until_nul(parsed->value)); });
  claims_.authorities.found_.push_back(std::move(authority));
}

bool Extraction::is_entry_of_db(const Event& event) const {
  const auto parsed = parse_variable(event.data, event.data_offset);
  if (!parsed || !prover_.data(event) || parsed->name != "db" || parsed->vendor != image_security_guid()) return false;
  if (parsed->value.size() <= kOwnerSize) return false;
  return is_in_db({.type = {}, .owner = guid_of(parsed->value), .data = parsed->value.subspan(kOwnerSize)});
}

bool Extraction::is_in_db(const Signature& signature) const {
  return db_.contains({signature.owner, as_text(signature.data)});
}

void Extraction::conclude_secure_boot() {
  const bool in_order = std::ranges::equal(variables_, kOrder);
  if (in_order && is_separated(7) && !secure_boot_broken_ && secure_boot_value_) {
    claims_.secure_boot.enabled = secure_boot_value_;
    return;
  }
  std::string came;
  for (const std::string& name : variables_)
    came += (came.empty() ? "" : ", ") + name;
  finding("secure-boot.unknown",
          fmt::format("expected SecureBoot, PK, KEK, db, dbx, proved, in this order, before one separator; came: {}",
                      came.empty() ? "none" : came));
}

}  // namespace warifu::measured_boot
