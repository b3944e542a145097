#pragma once

#include <string>
#include <vector>

#include "measured_boot/claims/text.h"

namespace warifu::measured_boot {

// UEFI_VARIABLE_DATA (PFP 1.06): a variable as it is measured.
struct Variable {
  Guid vendor{};
  std::string name;
  ByteView value;
};
// `offset` is where the data stands in the file. "eventlog.truncated", "eventlog.trailing", "eventlog.text".
Result<Variable> parse_variable(ByteView event_data, std::size_t offset);

// One EFI_SIGNATURE_DATA: a certificate (DER), a hash, … by its type.
struct Signature {
  Guid type{};
  Guid owner{};
  ByteView data;
};
// The value of PK, KEK, db, dbx or MokList: a list of EFI_SIGNATURE_LIST (UEFI 2.10, "Signature Database").
// "eventlog.truncated", "eventlog.signature-list". At most kMaxSignatures.
inline constexpr std::size_t kMaxSignatures = 65536;
Result<std::vector<Signature>> parse_signature_lists(ByteView value, std::size_t offset);

Guid global_variable_guid();   // SecureBoot, PK, KEK, BootOrder, …
Guid image_security_guid();    // db, dbx, …
Guid x509_signature_guid();    // a type of signature
Guid sha256_signature_guid();  // a type of signature
std::string_view signature_type_name(const Guid& type);

}  // namespace warifu::measured_boot
