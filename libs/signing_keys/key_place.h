#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/ec.h"
#include "crypto/signer.h"

namespace warifu::signing_keys {

// What a key is called in its place, like "endpoint-identity.2": lower-case letters, digits, '-' and '.', beginning
// with a letter, at most 64 characters. It is a file name, a label on a token, and no more.
class KeyName {
 public:
  // kInvalidInput "key.name".
  static Result<KeyName> parse(std::string_view text);
  const std::string& text() const { return text_; }
  friend bool operator==(const KeyName&, const KeyName&) = default;

 private:
  explicit KeyName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// "P-256", "P-384".
std::string_view to_string(crypto::EcCurve curve);
// kInvalidInput "key.curve".
Result<crypto::EcCurve> parse_curve(std::string_view text);

// Where private keys are made, and from where they do not come back. Every place passes one suite of tests
// (key_place_test.cpp). Not for several threads at once; the Signers that it gives are, and need it no longer.
class KeyPlace {
 public:
  virtual ~KeyPlace() = default;

  // kConflict "key.exists" when there is one of this name. Of two that make one at once, one has it, or on a token
  // none.
  virtual Result<crypto::Signer> generate(const KeyName& name, crypto::EcCurve curve) = 0;
  // kNotFound "key.unknown".
  virtual Result<crypto::Signer> open(const KeyName& name) = 0;
  // For good. Done too when there is none.
  virtual Status destroy(const KeyName& name) = 0;
};

Error key_exists(const KeyName& name);
Error unknown_key(const KeyName& name);

}  // namespace warifu::signing_keys
