#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/secret.h"

// What warifud asks and warifu-signer answers (docs/formats/signer-protocol.md). One struct a request, with its answer
// inside. Nobody hands the signer bytes to sign: it composes what it signs from what these fields say.
namespace warifu::signer_protocol {

// Who the organisation is.
struct Organisation {
  struct Answer {
    std::string name;
    Bytes root;  // certificate, DER
    // The roles whose certificates this signer has, by name, and the certificate of each in the same place, DER.
    std::vector<std::string> roles;
    std::vector<Bytes> certificates;
  };
};

// A certificate of the server-communication role for a server node's key.
struct CertifyNode {
  std::vector<std::string> names;  // DNS names and addresses, the primary one first
  Bytes public_key;                // SubjectPublicKeyInfo
  std::uint64_t lifetime_seconds;
  struct Answer {
    Bytes certificate;  // DER
  };
};

// Decrypts what a device deposited. For administrators only.
struct OpenEscrow {
  Bytes package;  // CMS, DER
  struct Answer {
    SecretBytes content;
  };
};

using Request = std::variant<Organisation, CertifyNode, OpenEscrow>;

}  // namespace warifu::signer_protocol
