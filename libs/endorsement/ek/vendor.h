#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "endorsement/ek/name.h"

// Who makes TPMs: TCG TPM Vendor ID Registry (Family 1.2 and 2.0), version 1.08. Read not from the
// registry itself but from tables that name it (Shark.Fido2 for 1.07, go-webauthn for 1.08), which agree with this one.
namespace warifu::endorsement {

// TPM_PT_MANUFACTURER: four characters, big-endian. NULs and blanks at the end are the same, as certificates have both;
// it is held with blanks.
class VendorId {
 public:
  explicit VendorId(std::uint32_t number);
  // "id:4E544300" as in a certificate, "NTC" or "IFX " as in the registry. nullopt when it is neither.
  static std::optional<VendorId> parse(std::string_view text);

  std::uint32_t number() const { return number_; }
  // As parse() takes it: "NTC", or "id:00001014" for what is no text that it takes.
  std::string text() const;

  friend bool operator==(VendorId, VendorId) = default;

 private:
  std::uint32_t number_;
};

// What a TPM is made of (pitfalls K13, K14).
enum class TpmClass : std::uint8_t {
  kUnknown,
  kDiscrete,    // a chip of its own, on a bus
  kFirmware,    // runs in a management engine or secure processor that does other things too
  kIntegrated,  // a security processor of its own inside the CPU, like Pluton
  kVirtual,     // of a cloud's hypervisor
  kSoftware,    // a program: swtpm, simulators
};
std::string_view to_string(TpmClass tpm_class);

struct Vendor {
  VendorId id;
  std::string_view name;
  TpmClass tpm_class;             // what it makes, if it makes one class
  std::string_view organization;  // how organizationName of its authorities begins; empty: none is known
  bool certifies_others = false;  // has authorities for chips that others make
};
// nullptr for one that is not in the registry.
const Vendor* find_vendor(VendorId id);
// Who the name of an authority names; nullptr when it is nobody who makes TPMs, as GlobalSign.
const Vendor* vendor_named_by(const Name& authority);
// True when authorities of `authority` may speak for TPMs with the ID of `tpm`: the same maker, also under another
// name.
bool is_same_maker(const Vendor& authority, VendorId tpm);

}  // namespace warifu::endorsement
