#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <filesystem>

#include "endorsement/ek/time_text.h"
#include "endorsement/ek/verdict_json.h"
#include "keystore/files.h"
#include "warifu/endorsement_commands.h"
#include "warifu/output.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;
using namespace endorsement;

Error in_file(Error error, const std::string& file) {
  error.where = error.where.empty() ? file : fmt::format("{}, {}", file, error.where);
  return error;
}

Result<EkCertificate> read_ek_certificate(const std::string& file) {
  TRY(const auto content, keystore::read_file(file));
  auto certificate = EkCertificate::parse(as_bytes(content));
  if (!certificate) return in_file(std::move(certificate).error(), file);
  return certificate;
}

// A folder stands for the files in it, by name.
Result<std::vector<std::string>> files_of(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error))
      if (entry->is_regular_file(error)) files.push_back(entry->path());
    if (error) return invalid_input("ek-certificate.folder", "the folder cannot be read", path);
  }
  std::ranges::sort(files);
  return files;
}

template <class Add>
Status for_each_authority(const std::vector<std::string>& paths, Add add) {
  TRY(const auto files, files_of(paths));
  for (const std::string& file : files) {
    TRY(const auto content, keystore::read_file(file));
    auto authorities = parse_certificates(as_bytes(content));
    if (!authorities) return in_file(std::move(authorities).error(), file);
    for (X509Certificate& authority : *authorities)
      if (auto added = add(std::move(authority)); !added) return in_file(std::move(added).error(), file);
  }
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
  TRY_STATUS(for_each_authority(options.roots,
                                [&](X509Certificate root) { return store.add_root(std::move(root), vendors); }));
  TRY_STATUS(for_each_authority(
      options.intermediates, [&](X509Certificate authority) { return store.add_intermediate(std::move(authority)); }));
  for (const std::string& file : options.crls) {
    TRY(const auto content, keystore::read_file(file));
    auto list = RevocationList::parse(as_bytes(content));
    if (!list) return in_file(std::move(list).error(), file);
    TRY_STATUS(store.add_revocation_list(std::move(*list)));
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
