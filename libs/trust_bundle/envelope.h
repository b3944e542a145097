#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/signer.h"
#include "trust_bundle/payload.h"

namespace warifu::trust_bundle {

inline constexpr std::string_view kPayloadType = "application/vnd.warifu.trust-bundle.v1+json";

// DSSE 1.0.2, "PAE": what is signed in the place of a payload, so that the type is signed too.
Bytes pre_authentication_encoding(std::string_view type, ByteView payload);

struct Signature {
  std::string key_id;  // says which key to try, and proves nothing
  Bytes bytes;         // ECDSA in DER
};

// A DSSE envelope with a bundle in it, as somebody wrote it: nothing in it is verified.
class Envelope {
 public:
  // "bundle.envelope" and the codes of JSON. As DSSE demands, members that it does not know are passed over, either
  // alphabet of base64 is taken, and a signature need not say which key made it (it counts for nothing then).
  static Result<Envelope> parse(std::string_view json);
  // With no signature yet.
  static Envelope of(const Payload& payload);
  std::string to_json() const;

  const Bytes& payload() const { return payload_; }
  const std::vector<Signature>& signatures() const { return signatures_; }

  // Adds a signature, in the place of what is there in this key's name. "bundle.key" when the key is not EC,
  // "bundle.envelope" when there are too many; those of the Signer.
  Status sign(const crypto::Signer& signer);
  // Those of `other` in the names of these keys, in the place of what is there. "bundle.envelope" when it is another
  // bundle, or when there are too many.
  Status take_signatures(const Envelope& other, std::span<const KeyId> keys);
  // A signature in this key's name is this key's.
  bool is_signed_by(const SigningKey& key) const;

 private:
  Status put(Signature signature);
  Envelope(Bytes payload, std::vector<Signature> signatures)
      : payload_(std::move(payload)), signatures_(std::move(signatures)) {}

  Bytes payload_;
  std::vector<Signature> signatures_;
};

}  // namespace warifu::trust_bundle
