#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
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

// A certificate of the endpoint-identity role for a device's key (pki::DeviceOrder). The same order again is answered
// with the same certificate but for its signature.
struct CertifyDevice {
  std::uint8_t identity = 0;    // pki::DeviceIdentity
  std::uint8_t protection = 0;  // pki::KeyProtection
  std::string device;           // registration ID
  Bytes public_key;             // SubjectPublicKeyInfo
  Bytes serial;
  std::uint64_t not_before = 0;  // Unix seconds, like the next
  std::uint64_t not_after = 0;
  Bytes hardware_serial;  // may be empty, like the next three
  std::string crl_url;
  std::string ocsp_url;
  std::string issuer_url;
  struct Answer {
    Bytes certificate;  // DER
  };
};

// A certificate of the endpoint-identity role for a key of the server, which answers for that role with it.
struct CertifyResponder {
  std::uint8_t purpose = 0;  // pki::ResponderPurpose
  Bytes public_key;          // SubjectPublicKeyInfo
  std::uint64_t lifetime_seconds = 0;
  struct Answer {
    Bytes certificate;  // DER
  };
};

// A certificate of a list of revoked ones.
struct CrlEntry {
  std::uint64_t revoked_at = 0;  // Unix seconds
  std::uint8_t reason = 0;       // crypto::RevocationReason
  Bytes serial;

  // kInvalidInput "wire.truncated".
  static Result<CrlEntry> parse(ByteView bytes);
  Bytes bytes() const;
};

// A list of revoked certificates of the endpoint-identity role, told in parts: begun, added to, finished. A signer has
// one in the making; another beginning takes its place.
struct BeginCrl {
  std::uint64_t number = 0;
  std::uint64_t this_update = 0;  // Unix seconds, like the next
  std::uint64_t next_update = 0;
  std::uint64_t entries = 0;  // how many, and how many bytes they are in a CRL
  std::uint64_t bytes = 0;
  struct Answer {};
};
struct AddToCrl {
  std::uint64_t number = 0;
  std::vector<Bytes> entries;  // CrlEntry
  struct Answer {};
};
struct FinishCrl {
  std::uint64_t number = 0;
  struct Answer {
    Bytes signature;
  };
};

using Request =
    std::variant<Organisation, CertifyNode, OpenEscrow, CertifyDevice, CertifyResponder, BeginCrl, AddToCrl, FinishCrl>;

}  // namespace warifu::signer_protocol
