#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/public_key.h"

namespace warifu::endorsement {

// A data package that somebody answers for: what came with the program, or what an operator's key signed. Loaders take
// nothing else.
class SignedText {
 public:
  // A detached signature over the bytes of `text`, as `openssl dgst -sha256 -sign KEY` makes it (-sha384 for P-384).
  // "endorsement.data.signature", kRefused.
  static Result<SignedText> check(std::string text, ByteView signature, const crypto::PublicKey& key);
  // flaws/data/tpm-flaws.json of this build.
  static SignedText built_in_flaws();

  std::string_view text() const { return text_; }

 private:
  explicit SignedText(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace warifu::endorsement
