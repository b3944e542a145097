#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "crypto/certificate.h"
#include "crypto/signer.h"
#include "pki/authority.h"

namespace warifu::signer {

// The certificates of the organisation that this signer knows.
struct Organisation {
  std::string name;
  crypto::Certificate root;
  std::map<pki::Role, crypto::Certificate> roles;
};

// Where the keys of the roles are: signing_keys behind it, or keys of a test.
class RoleKeys {
 public:
  virtual ~RoleKeys() = default;
  // kNotFound "key.unknown"; what the place of the key says.
  virtual Result<crypto::Signer> signer(pki::Role role) = 0;
  // What cms_decrypt() says, with the key of the escrow role.
  virtual Result<SecretBytes> open_escrow(ByteView package) = 0;
};

}  // namespace warifu::signer
