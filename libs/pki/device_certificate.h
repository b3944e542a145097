#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "pki/authority.h"

namespace warifu::pki {

// What a device's certificate is for (IEEE 802.1AR-2018).
enum class DeviceIdentity : std::uint8_t {
  kIdevid = 1,  // for the device's life
  kLdevid = 2,  // of its owner, short-lived
};
std::string_view to_string(DeviceIdentity identity);  // "idevid", "ldevid"
// kInvalidInput "certificate.kind".
Result<DeviceIdentity> parse_device_identity(std::string_view name);

// Where the key of a device is.
enum class KeyProtection : std::uint8_t {
  kTpm = 1,       // in the TPM that was enrolled, which proved it
  kSoftware = 2,  // wherever the device keeps it
};
std::string_view to_string(KeyProtection protection);  // "tpm", "software"
Result<KeyProtection> parse_key_protection(std::string_view name);

// What a verifier looked at before it certified a key of a TPM (TCG OID Registry: tcg-cap-verifiedTPMResidency,
// tcg-cap-verifiedTPMFixed); and our mark of a key that is in no TPM.
inline constexpr std::string_view kVerifiedTpmResidency = "2.23.133.11.1.1";
inline constexpr std::string_view kVerifiedTpmFixed = "2.23.133.11.1.2";
inline constexpr std::string_view kSoftwareKeyPolicy = "2.25.139332857813874090744142776136813009795";

// Where others find out whether a certificate still counts. Each may be empty.
struct RevocationPlaces {
  std::string crl_url;
  std::string ocsp_url;
  std::string issuer_url;
};

// A device's certificate before it is signed. All that differs between two of one device is here, so that the same
// order makes the same certificate but for its signature.
struct DeviceOrder {
  DeviceIdentity identity = DeviceIdentity::kLdevid;
  KeyProtection protection = KeyProtection::kTpm;
  RegistrationId device;  // the common name; of an IDevID the serialNumber as well
  crypto::SerialNumber serial;
  Timestamp not_before;
  Timestamp not_after;         // of an IDevID crypto::kForLife
  Bytes hardware_serial = {};  // of an IDevID: names its TPM (crypto::kTpm20Module); may be empty
  RevocationPlaces places = {};
};

// How long an LDevID may live, whoever asks.
inline constexpr std::chrono::days kLdevidLifetimeMax{398};

// A certificate by which the endpoint-identity role says whose key this is: digitalSignature, clientAuth. An LDevID
// does not outlive its issuer; an IDevID is for life (IEEE 802.1AR-2018, 8.7), and believed for as long as its issuer's
// key is. kInvalidInput "certificate.lifetime": no time, or more than kLdevidLifetimeMax.
Result<crypto::Certificate> certify_device(const DeviceOrder& order, const std::string& organisation,
                                           const crypto::PublicKey& key, const Authority& endpoint_identity,
                                           Entropy& entropy);

// For what a server signs in the endpoint-identity role's name, with a leaf of its own.
enum class ResponderPurpose : std::uint8_t {
  kOcsp = 1,  // tells how certificates stand (RFC 6960 §4.2.2.2)
  kCmp = 2,   // answers requests for certificates (id-kp-cmcRA, RFC 6402 §2.10)
};
std::string_view to_string(ResponderPurpose purpose);  // "ocsp", "cmp"
inline constexpr std::string_view kCmcRaPurpose = "1.3.6.1.5.5.7.3.28";

// How long such a leaf lives at most: nobody asks whether it was revoked.
inline constexpr std::chrono::days kResponderLifetimeMax{7};
// kInvalidInput "certificate.lifetime".
Result<crypto::Certificate> certify_responder(ResponderPurpose purpose, const std::string& organisation,
                                              const crypto::PublicKey& key, const Authority& endpoint_identity,
                                              std::chrono::seconds lifetime, const Clock& clock, Entropy& entropy);

}  // namespace warifu::pki
