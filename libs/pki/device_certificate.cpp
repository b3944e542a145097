#include "pki/device_certificate.h"

#include <fmt/format.h>

#include <algorithm>

namespace warifu::pki {
namespace {

Error bad_lifetime(std::string_view expected) {
  return invalid_input("certificate.lifetime", fmt::format("expected a life of {}", expected));
}

Status check_lifetime(const DeviceOrder& order) {
  if (order.identity == DeviceIdentity::kIdevid)
    return order.not_after == crypto::kForLife && order.not_before < order.not_after
               ? Status()
               : bad_lifetime("no end: an IDevID");
  // The difference of two times that are far apart does not fit.
  if (order.not_before < order.not_after && order.not_after <= order.not_before + kLdevidLifetimeMax) return {};
  return bad_lifetime(fmt::format("at most {} days: an LDevID", kLdevidLifetimeMax.count()));
}

std::vector<std::string> one_or_none(const std::string& text) {
  return text.empty() ? std::vector<std::string>() : std::vector<std::string>{text};
}

std::vector<std::string> policies_of(KeyProtection protection) {
  if (protection == KeyProtection::kSoftware) return {std::string(kSoftwareKeyPolicy)};
  return {std::string(kVerifiedTpmResidency), std::string(kVerifiedTpmFixed)};
}

}  // namespace

std::string_view to_string(DeviceIdentity identity) {
  return identity == DeviceIdentity::kIdevid ? "idevid" : "ldevid";
}

Result<DeviceIdentity> parse_device_identity(std::string_view name) {
  for (const auto identity : {DeviceIdentity::kIdevid, DeviceIdentity::kLdevid})
    if (name == to_string(identity)) return identity;
  return invalid_input("certificate.kind", fmt::format(R"(expected "idevid" or "ldevid", not "{}")", name), "kind");
}

std::string_view to_string(KeyProtection protection) {
  return protection == KeyProtection::kTpm ? "tpm" : "software";
}

Result<KeyProtection> parse_key_protection(std::string_view name) {
  for (const auto protection : {KeyProtection::kTpm, KeyProtection::kSoftware})
    if (name == to_string(protection)) return protection;
  return invalid_input("certificate.protection", fmt::format(R"(expected "tpm" or "software", not "{}")", name));
}

std::string_view to_string(ResponderPurpose purpose) {
  return purpose == ResponderPurpose::kOcsp ? "ocsp" : "cmp";
}

Result<crypto::Certificate> certify_device(const DeviceOrder& order, const std::string& organisation,
                                           const crypto::PublicKey& key, const Authority& endpoint_identity,
                                           Entropy& entropy) {
  TRY_STATUS(check_lifetime(order));
  const bool is_for_life = order.identity == DeviceIdentity::kIdevid;
  crypto::CertificateProfile profile{.common_name = order.device.text(),
                                     .organization = organisation,
                                     .not_before = order.not_before,
                                     .not_after = order.not_after,
                                     .client_auth = true,
                                     .serial = order.serial,
                                     .crl_urls = one_or_none(order.places.crl_url),
                                     .ocsp_urls = one_or_none(order.places.ocsp_url),
                                     .issuer_urls = one_or_none(order.places.issuer_url),
                                     .policies = policies_of(order.protection)};
  if (is_for_life) {
    profile.serial_number = order.device.text();
    if (!order.hardware_serial.empty())
      profile.hardware_module = {std::string(crypto::kTpm20Module), order.hardware_serial};
  } else {
    profile.not_after = std::min(order.not_after, endpoint_identity.certificate.not_after());
  }
  return crypto::issue_certificate(profile, key, &endpoint_identity.certificate, endpoint_identity.key, entropy);
}

Result<crypto::Certificate> certify_responder(ResponderPurpose purpose, const std::string& organisation,
                                              const crypto::PublicKey& key, const Authority& endpoint_identity,
                                              std::chrono::seconds lifetime, const Clock& clock, Entropy& entropy) {
  if (lifetime <= std::chrono::seconds(0) || lifetime > kResponderLifetimeMax)
    return bad_lifetime(fmt::format("a second to {} days: a responder", kResponderLifetimeMax.count()));
  const Timestamp now = clock.now();
  crypto::CertificateProfile profile{
      .common_name = fmt::format("{} {} responder", organisation, to_string(purpose)),
      .organization = organisation,
      .not_before = now - kBackdate,
      .not_after = std::min<Timestamp>(now + lifetime, endpoint_identity.certificate.not_after())};
  if (purpose == ResponderPurpose::kOcsp) {
    profile.ocsp_signing = true;
    profile.ocsp_no_check = true;
  } else {
    profile.other_purposes = {std::string(kCmcRaPurpose)};
  }
  return crypto::issue_certificate(profile, key, &endpoint_identity.certificate, endpoint_identity.key, entropy);
}

}  // namespace warifu::pki
