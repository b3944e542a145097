#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "trust_bundle/contents.h"

namespace warifu::trust_bundle {

// The bytes that are signed, with what they say: well formed, and within the rules that a bundle can be held to by
// itself (docs/formats/trust-bundle.md). Believed by nobody yet. The bytes are kept as they came: they are what is
// signed and digested, and nobody writes them a second time.
class Payload {
 public:
  // Codes: those of JSON, "bundle.format", "bundle.key", "bundle.certificate", "bundle.key-twice"; `where` is the
  // member. No signature is verified here, neither of the bundle nor of its certificates (verify_certificates()).
  static Result<Payload> parse(ByteView bytes);
  // As JSON, held to the same rules by reading what was written.
  static Result<Payload> write(const Contents& contents);

  const Contents& contents() const { return contents_; }
  const Bytes& bytes() const { return bytes_; }
  crypto::Digest digest() const { return crypto::digest(crypto::HashAlgorithm::kSha256, {bytes_}); }

 private:
  Payload(Bytes bytes, Contents contents) : bytes_(std::move(bytes)), contents_(std::move(contents)) {}

  Bytes bytes_;
  Contents contents_;
};

}  // namespace warifu::trust_bundle
