#include "endorsement/flaws/signed_text.h"

namespace warifu::endorsement {

// Generated from data/tpm-flaws.json by CMake.
extern const std::string_view kBuiltInFlaws;

Result<SignedText> SignedText::check(std::string text, ByteView signature, const crypto::PublicKey& key) {
  if (!key.verify(as_bytes(text), signature))
    return Error{ErrorKind::kRefused, "endorsement.data.signature",
                 "expected a data package that the given key signed, the signature is another one"};
  return SignedText(std::move(text));
}

SignedText SignedText::built_in_flaws() {
  return SignedText(std::string(kBuiltInFlaws));
}

}  // namespace warifu::endorsement
