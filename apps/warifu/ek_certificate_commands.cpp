#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <cctype>
#include <set>

#include "endorsement/ek/time_text.h"
#include "endorsement/ek/verdict_json.h"
#include "warifu/ek_files.h"
#include "warifu/endorsement_commands.h"
#include "warifu/evidence_file.h"
#include "warifu/output.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;
using namespace endorsement;

Result<EkCertificate> read_ek_certificate(const std::string& file) {
  TRY(const auto content, read_evidence(file, kCertificatesSizeMax));
  auto certificate = EkCertificate::parse(content);
  if (!certificate) return at(std::move(certificate).error(), file);
  return certificate;
}

// "FINGERPRINT" or "FINGERPRINT=SINCE"; without a time it counts for every judgement. An authority that is not among
// the files is a mistake: nothing would be distrusted.
Status add_distrust(RootStore& store, const std::string& text, const std::set<std::string>& fingerprints) {
  const auto equals = text.find('=');
  Distrust distrust{.fingerprint_sha256 = text.substr(0, equals), .since = Timestamp(), .reason = "--distrust"};
  std::erase(distrust.fingerprint_sha256, ':');
  std::ranges::transform(distrust.fingerprint_sha256, distrust.fingerprint_sha256.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (!fingerprints.contains(distrust.fingerprint_sha256))
    return invalid_input("ek-certificate.distrust", "no authority with this fingerprint is in the files", text);
  if (equals != std::string::npos) {
    TRY(distrust.since, parse_time_text(std::string_view(text).substr(equals + 1)));
  }
  store.distrust(std::move(distrust));
  return {};
}

Result<RootStore> read_store(const EkVerifyOptions& options) {
  std::vector<VendorId> vendors;
  for (const std::string& text : options.vendors) {
    const auto vendor = VendorId::parse(text);
    if (!vendor) return invalid_input("ek-certificate.vendor", "expected a vendor ID like IFX or id:49465800", text);
    vendors.push_back(*vendor);
  }
  RootStore store;
  std::set<std::string> fingerprints;
  TRY_STATUS(for_each_authority(options.roots, [&](X509Certificate root) {
    fingerprints.insert(root.fingerprint_sha256());
    return store.add_root(std::move(root), vendors);
  }));
  TRY_STATUS(for_each_authority(options.intermediates, [&](X509Certificate authority) {
    fingerprints.insert(authority.fingerprint_sha256());
    return store.add_intermediate(std::move(authority));
  }));
  for (const std::string& text : options.distrusted)
    TRY_STATUS(add_distrust(store, text, fingerprints));
  for (const std::string& file : options.crls) {
    TRY(const auto content, read_evidence(file, kCertificatesSizeMax));
    auto crl = RevocationList::parse(content);
    if (!crl) return at(std::move(crl).error(), file);
    TRY_STATUS(store.add_revocation_list(std::move(*crl)));
  }
  return store;
}

Result<JudgedAt> judged_at(const EkVerifyOptions& options) {
  if (options.ignore_time) return JudgedAt();
  if (options.at.empty()) return JudgedAt(SystemClock().now());
  TRY(const Timestamp at, parse_time_text(options.at));
  return JudgedAt(at);
}

void print_verified(const VerifiedEkCertificate& verified) {
  fmt::print("trusted: a {} TPM of {}, {} {}\n", to_string(verified.tpm_class()), verified.vendor().text(),
             verified.certificate().tpm().model, verified.certificate().tpm().version);
  for (const X509Certificate& authority : verified.authorities())
    fmt::print("  under {}\n", authority.subject.text());
  for (const Finding finding : verified.findings())
    fmt::print("finding: {}\n", to_string(finding));
}

}  // namespace

Status show_ek_certificate(const Context& context, const std::string& file) {
  TRY(const auto certificate, read_ek_certificate(file));
  const json::object described = to_json(certificate);
  if (context.json) {
    print_json(described);
    return {};
  }
  print_record(described, {{"TPM", "tpm.manufacturer"},
                           {"Model", "tpm.model"},
                           {"Version", "tpm.version"},
                           {"Subject", "subject"},
                           {"Issuer", "issuer"},
                           {"Authority key", "authority_key_id"},
                           {"Serial", "serial"},
                           {"Valid from", "not_before"},
                           {"Valid until", "not_after"},
                           {"EK purpose", "ek_purpose"},
                           {"Key", "key"},
                           {"Issuer at", "issuer_urls"},
                           {"Findings", "findings"},
                           {"SHA-256", "fingerprint_sha256"}});
  return {};
}

Status verify_ek_certificate(const Context& context, const EkVerifyOptions& options) {
  TRY(const auto certificate, read_ek_certificate(options.file));
  TRY(const RootStore store, read_store(options));
  TRY(const JudgedAt at, judged_at(options));
  std::optional<MissingAuthority> missing;
  auto verified = verify(certificate, store, at, &missing);
  if (!verified) {
    if (context.json) print_json(refusal_json(verified.error(), missing));
    return std::move(verified).error();
  }
  if (context.json) {
    print_json(to_json(*verified));
  } else {
    print_verified(*verified);
  }
  return {};
}

}  // namespace warifu::cli
