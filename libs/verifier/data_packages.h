#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "endorsement/flaws/signed_text.h"

// Signed data that judges TPMs and machines, as operators put it on the server (docs/formats/tpm-flaws.md).
namespace warifu::verifier {

enum class PackageKind {
  kTpmFlaws,        // warifu.tpm-flaws.v1, in place of the table that came with the program
  kFirmwareQuirks,  // warifu.firmware-quirks.v1
};
std::string_view to_string(PackageKind kind);  // "tpm-flaws", "firmware-quirks"
Result<PackageKind> parse_package_kind(std::string_view text);

// What a package is known by without reading it.
struct PackageInfo {
  PackageKind kind;
  Uuid revision;     // another one after each change
  Bytes sha256;      // of the document
  Bytes key_sha256;  // of the SubjectPublicKeyInfo of the key that signed
  Timestamp put_at;
};

// As it came: the signature is checked again by whoever reads it, so that what was changed in a database judges nobody.
struct StoredPackage {
  ScopeId scope;
  PackageInfo info;
  Bytes document;
  Bytes signature;
  std::string key;  // PEM

  // kInternal "store.corrupt" when the key did not sign it.
  Result<endorsement::SignedText> signed_text() const;
};

}  // namespace warifu::verifier
