#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <iterator>

#include "endorsement/ek/ek_certificate.h"
#include "endorsement/ek/key_file.h"
#include "endorsement/flaws/flaw_table.h"
#include "warifu/endorsement_commands.h"
#include "warifu/evidence_file.h"
#include "warifu/output.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;
using namespace endorsement;

Result<std::uint32_t> read_property(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (error != std::errc() || end != text.data() + text.size())
    return invalid_input("tpm-flaws.firmware", "expected a TPM property of 32 bits in hexadecimal", std::string(text));
  return number;
}

Status read_firmware(const FlawCheckOptions& options, TpmUnderTest& tpm) {
  if (!options.firmware.empty()) {
    tpm.firmware = FirmwareVersion::parse(options.firmware);
    if (!tpm.firmware)
      return invalid_input("tpm-flaws.firmware", "expected a version like 7.85.4555.0", options.firmware);
  }
  if (options.firmware_1.empty()) return {};
  if (!tpm.vendor) return invalid_input("tpm-flaws.firmware", "how a version is counted depends on the manufacturer");
  TRY(const std::uint32_t first, read_property(options.firmware_1));
  TRY(const std::uint32_t second, read_property(options.firmware_2));
  tpm.firmware = FirmwareVersion::from_properties(*tpm.vendor, first, second);
  return {};
}

Status read_certificate(const std::string& file, TpmUnderTest& tpm) {
  TRY(const auto content, read_evidence(file, kCertificatesSizeMax));
  TRY(const auto certificate, EkCertificate::parse(content));
  tpm.vendor = certificate.tpm().vendor();
  if (!certificate.tpm().model.empty()) tpm.model = certificate.tpm().model;
  tpm.keys.push_back(certificate.x509().key);
  return {};
}

Result<TpmUnderTest> read_tpm(const FlawCheckOptions& options) {
  TpmUnderTest tpm;
  if (!options.ek_certificate.empty()) TRY_STATUS(read_certificate(options.ek_certificate, tpm));
  if (!options.manufacturer.empty()) {
    tpm.vendor = VendorId::parse(options.manufacturer);
    if (!tpm.vendor)
      return invalid_input("tpm-flaws.manufacturer", "expected a vendor ID like IFX", options.manufacturer);
  }
  if (!options.model.empty()) tpm.model = options.model;
  for (const std::string& file : options.keys) {
    TRY(const auto content, read_evidence(file, kCertificatesSizeMax));
    TRY(auto keys, parse_public_keys(content));
    std::ranges::move(keys, std::back_inserter(tpm.keys));
  }
  TRY_STATUS(read_firmware(options, tpm));
  return tpm;
}

Result<SignedText> read_data(const FlawCheckOptions& options) {
  if (options.data.empty()) return SignedText::built_in_flaws();
  TRY(const auto text, read_evidence(options.data, kCertificatesSizeMax));
  TRY(const auto signature, read_evidence(options.data_signature, kCertificatesSizeMax));
  TRY(const auto pem, read_evidence(options.data_key, kCertificatesSizeMax));
  TRY(const auto key, crypto::PublicKey::from_pem(as_text(pem)));
  return SignedText::check(std::string(as_text(text)), signature, key);
}

json::value describe(const FlawSource* source) {
  if (source == nullptr) return nullptr;
  return json::object{{"url", source->url},
                      {"seen", source->seen},
                      {"confirmed", source->is_confirmed() ? json::value(source->confirmed) : json::value()}};
}

json::array describe(const std::vector<FlawJudgement>& judgements) {
  json::array out;
  for (const FlawJudgement& judged : judgements) {
    json::array sources;
    for (const std::string& source : judged.flaw->sources)
      sources.emplace_back(source);
    out.push_back(json::object{{"id", judged.flaw->id},
                               {"name", judged.flaw->name},
                               {"verdict", to_string(judged.verdict)},
                               {"reason", judged.reason},
                               {"source", describe(judged.source)},
                               {"summary", judged.flaw->summary},
                               {"published", judged.flaw->published},
                               {"sources", std::move(sources)}});
  }
  return out;
}

}  // namespace

Status check_tpm_flaws(const Context& context, const FlawCheckOptions& options) {
  TRY(const SignedText data, read_data(options));
  TRY(const FlawTable table, FlawTable::load(data));
  TRY(const TpmUnderTest tpm, read_tpm(options));
  const auto judgements = table.judge(tpm);
  const json::array described = describe(judgements);
  if (context.json) {
    print_json(json::object{{"data_issued", table.issued()},
                            {"data_source", options.data.empty() ? "built-in" : "operator"},
                            {"flaws", described}});
  } else {
    print_table(described, {{"FLAW", "id"}, {"NAME", "name"}, {"VERDICT", "verdict"}, {"WHY", "reason"}},
                "no flaws are known");
    if (options.data.empty())
      fmt::print(
          "note: this is by the table of {} that came with the program. --json says which page each verdict rests on. "
          "Copies of those pages were read, and not always the maker's own; what nobody confirmed is \"unknown\".\n",
          table.issued());
  }
  const auto not_safe = std::ranges::count_if(
      judgements, [](const FlawJudgement& judged) { return judged.verdict != FlawVerdict::kNotAffected; });
  if (not_safe == 0) return {};
  return Error{ErrorKind::kRefused, "tpm-flaws.not-safe",
               fmt::format("{} of {} flaws affect it or nothing is known of them", not_safe, judgements.size())};
}

}  // namespace warifu::cli
