#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "endorsement/ek/x509.h"
#include "endorsement/ek/x509_error.h"
#include "wire/reader.h"

namespace warifu::endorsement {
namespace {

namespace der = wire::der;
using wire::DerElement;
using wire::DerReader;

constexpr std::size_t kMaxExtensions = 64;
constexpr std::size_t kMaxItems = 64;  // of one extension

Status parse_subject_key_id(DerReader value, Extensions& out) {
  TRY(const DerElement id, value.element(der::kOctetString, "subjectKeyIdentifier"));
  out.subject_key_id = to_bytes(id.content);
  return value.expect_done("subjectKeyIdentifier");
}

Status parse_authority_key_id(DerReader value, Extensions& out) {
  TRY(DerReader fields, value.enter(der::kSequence, "authorityKeyIdentifier"));
  if (fields.next_is(der::context(0))) {
    TRY(const DerElement id, fields.any("authorityKeyIdentifier.keyIdentifier"));
    out.authority_key_id = to_bytes(id.content);
  }
  return value.expect_done("authorityKeyIdentifier");
}

Status parse_basic_constraints(DerReader value, Extensions& out) {
  TRY(DerReader fields, value.enter(der::kSequence, "basicConstraints"));
  out.has_basic_constraints = true;
  if (fields.next_is(der::kBoolean)) {
    TRY(out.is_ca, fields.boolean("basicConstraints.cA"));
    if (!out.is_ca) out.has_explicit_false = true;
  }
  if (fields.next_is(der::kInteger)) {
    TRY(out.path_length, fields.small_integer("basicConstraints.pathLenConstraint"));
  }
  TRY_STATUS(fields.expect_done("basicConstraints"));
  return value.expect_done("basicConstraints");
}

// The first bit of the string is bit 0 of ours.
Status parse_key_usage(DerReader value, Extensions& out) {
  TRY(const DerElement bits, value.element(der::kBitString, "keyUsage"));
  if (bits.content.empty() || bits.content.size() > 3 || bits.content.front() > 7)
    return bad_form("expected a BIT STRING of 1 or 2 bytes", "keyUsage", bits.offset);
  std::uint16_t usage = 0;
  for (std::size_t i = 0; i < (bits.content.size() - 1) * 8; ++i)
    if ((bits.content[1 + i / 8] >> (7 - i % 8) & 1) != 0) usage = static_cast<std::uint16_t>(usage | 1U << i);
  out.key_usage = usage;
  return value.expect_done("keyUsage");
}

Status parse_extended_key_usage(DerReader value, Extensions& out) {
  TRY(DerReader list, value.enter(der::kSequence, "extKeyUsage"));
  while (!list.done()) {
    if (out.extended_key_usage.size() >= kMaxItems)
      return bad_form("expected at most 64 purposes", "extKeyUsage", list.offset());
    TRY(const ByteView oid, list.oid("extKeyUsage"));
    TRY(std::string text, wire::oid_text(oid));
    out.extended_key_usage.push_back(std::move(text));
  }
  return value.expect_done("extKeyUsage");
}

// Other kinds of names are passed over: a TPM has none that count.
Status parse_subject_alt_name(DerReader value, Extensions& out) {
  TRY(DerReader list, value.enter(der::kSequence, "subjectAltName"));
  while (!list.done()) {
    TRY(const DerElement name, list.any("subjectAltName"));
    if (name.tag != der::context_constructed(4)) continue;
    if (out.directory_names.size() >= kMaxItems)
      return bad_form("expected at most 64 names", "subjectAltName", name.offset);
    DerReader tagged(name);
    TRY(const DerElement sequence, tagged.element(der::kSequence, "subjectAltName.directoryName"));
    TRY(auto parsed, Name::parse(sequence));
    out.directory_names.push_back(std::move(parsed));
  }
  return value.expect_done("subjectAltName");
}

// A URL that may be shown: visible ASCII, not longer than a line may be.
void keep_url(const DerElement& name, std::vector<std::string>& urls) {
  if (name.tag != der::context(6) || name.content.size() > 1024 || urls.size() >= kMaxItems) return;
  if (std::ranges::all_of(name.content, [](auto byte) { return byte > 0x20 && byte < 0x7F; }))
    urls.emplace_back(as_text(name.content));
}

Status parse_authority_info_access(DerReader value, Extensions& out) {
  TRY(DerReader list, value.enter(der::kSequence, "authorityInfoAccess"));
  while (!list.done()) {
    TRY(DerReader description, list.enter(der::kSequence, "accessDescription"));
    TRY(const ByteView method, description.oid("accessMethod"));
    TRY(const std::string text, wire::oid_text(method));
    TRY(const DerElement location, description.any("accessLocation"));
    if (text == "1.3.6.1.5.5.7.48.2") keep_url(location, out.issuer_urls);
  }
  return value.expect_done("authorityInfoAccess");
}

Status parse_crl_points(DerReader value, Extensions& out) {
  TRY(DerReader list, value.enter(der::kSequence, "cRLDistributionPoints"));
  while (!list.done()) {
    TRY(DerReader point, list.enter(der::kSequence, "distributionPoint"));
    if (!point.next_is(der::context_constructed(0))) continue;
    TRY(DerReader choice, point.enter(der::context_constructed(0), "distributionPointName"));
    if (!choice.next_is(der::context_constructed(0))) continue;
    TRY(DerReader full, choice.enter(der::context_constructed(0), "fullName"));
    while (!full.done()) {
      TRY(const DerElement name, full.any("fullName"));
      keep_url(name, out.crl_urls);
    }
  }
  return value.expect_done("cRLDistributionPoints");
}

struct Known {
  std::string_view oid;
  Status (*parse)(DerReader, Extensions&);
};
constexpr std::array<Known, 8> kKnown = {{
    {"2.5.29.14", parse_subject_key_id},
    {"2.5.29.35", parse_authority_key_id},
    {"2.5.29.19", parse_basic_constraints},
    {"2.5.29.15", parse_key_usage},
    {"2.5.29.37", parse_extended_key_usage},
    {"2.5.29.17", parse_subject_alt_name},
    {"1.3.6.1.5.5.7.1.1", parse_authority_info_access},
    {"2.5.29.31", parse_crl_points},
}};

// Understood without being looked at: certificatePolicies has no policy here to hold it against.
bool may_be_critical_unread(std::string_view oid) {
  return oid == "2.5.29.32";
}

Status parse_one(DerReader extension, Extensions& out, std::vector<std::string>& seen) {
  const std::size_t at = extension.offset();
  TRY(const ByteView oid, extension.oid("extnID"));
  TRY(std::string text, wire::oid_text(oid));
  // RFC 5280 §4.2: no extension twice. Whoever reads the other one would see another certificate.
  if (std::ranges::find(seen, text) != seen.end())
    return bad_form(fmt::format("the extension {} came twice", text), "extensions", at);
  seen.push_back(text);
  bool is_critical = false;
  if (extension.next_is(der::kBoolean)) {
    TRY(is_critical, extension.boolean("critical"));
    if (!is_critical) out.has_explicit_false = true;
  }
  TRY(const DerElement value, extension.element(der::kOctetString, "extnValue"));
  TRY_STATUS(extension.expect_done("extension"));
  const auto* known = std::ranges::find(kKnown, text, &Known::oid);
  if (known != kKnown.end()) {
    if (text == "2.5.29.17") out.subject_alt_name_is_critical = is_critical;
    return known->parse(DerReader(value), out);
  }
  if (is_critical && !may_be_critical_unread(text)) out.unknown_critical.push_back(std::move(text));
  return {};
}

}  // namespace

Result<Extensions> parse_extensions(DerReader list) {
  Extensions out;
  std::vector<std::string> seen;
  while (!list.done()) {
    if (seen.size() >= kMaxExtensions)
      return bad_form(fmt::format("expected at most {} extensions, more came", kMaxExtensions), "extensions",
                      list.offset());
    TRY(DerReader extension, list.enter(der::kSequence, "extension"));
    TRY_STATUS(parse_one(extension, out, seen));
  }
  return out;
}

}  // namespace warifu::endorsement
