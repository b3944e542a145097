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

void Extraction::secure_boot(const Event& event) {
  const bool is_variable = event.type == EventType::kEfiVariableDriverConfig;
  if (event.type == EventType::kEfiVariableAuthority) return authority(event);
  if (separators_[event.register_index] > 0) {
    if (is_variable && prover_.log().register_kind() == RegisterKind::kPcr)
      finding("secure-boot.late", "a variable after the separator of PCR 7 is not firmware's", &event);
    return;
  }
  if (is_variable) return secure_boot_variable(event);
  // TDs measure other things into the same register.
  if (prover_.log().register_kind() == RegisterKind::kRtmr) return;
  // What is hidden behind another type could be a variable, or an action that tells of debugging.
  const bool is_action = event.type == EventType::kEfiAction && prover_.data(event);
  if (is_action || event.type == EventType::kSeparator) return;
  secure_boot_broken_ = true;
  finding("secure-boot.unexplained", "an event before the separator of PCR 7 that is no variable and no action",
          &event);
}

void Extraction::secure_boot_variable(const Event& event) {
  const auto parsed = parse_variable(event.data, event.data_offset);
  const bool in_pcr = prover_.log().register_kind() == RegisterKind::kPcr;
  const auto proved = parsed ? prover_.data(event) : std::nullopt;
  if (!proved) {
    if (!in_pcr) return;
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
  if (!value) return finding("authority.unproved", "the digest is not that of the variable", &event);
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
    const auto& db = claims_.secure_boot.db;
    authority.is_in_db = db && std::ranges::any_of((*db)->signatures, [&](const Signature& one) {
                           return one.owner == (*authority.signature)->owner &&
                                  std::ranges::equal(one.data, (*authority.signature)->data);
                         });
    if (!authority.is_in_db) finding("authority.not-in-db", "an authority that the measured db does not hold", &event);
  }
  if (whole && parsed->name == "SbatLevel" && !claims_.sbat_level)
    claims_.sbat_level = whole->derive([&](ByteView) { return std::string(until_nul(parsed->value)); });
  claims_.authorities.push_back(std::move(authority));
}

void Extraction::conclude_secure_boot() {
  const bool in_order = std::ranges::equal(variables_, kOrder);
  if (in_order && !secure_boot_broken_ && secure_boot_value_) {
    claims_.secure_boot.enabled = secure_boot_value_;
    return;
  }
  std::string came;
  for (const std::string& name : variables_)
    came += (came.empty() ? "" : ", ") + name;
  finding("secure-boot.unknown",
          fmt::format("expected SecureBoot, PK, KEK, db, dbx, proved and in this order; came: {}",
                      came.empty() ? "none" : came));
}

}  // namespace warifu::measured_boot
