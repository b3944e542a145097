#include "endorsement/ek/revocation_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "endorsement/ek/pem.h"
#include "wire/reader.h"

namespace warifu::endorsement {
namespace {

namespace der = wire::der;
using wire::DerElement;
using wire::DerReader;

Error bad_list(std::string message, std::size_t offset) {
  return invalid_input("endorsement.crl.form", std::move(message), wire::place("crl", offset));
}

bool is_time(const DerReader& reader) {
  return reader.next_is(der::kUtcTime) || reader.next_is(der::kGeneralizedTime);
}

// issuingDistributionPoint (RFC 5280 §5.2.5): indirectCRL [4] would make the entries somebody else's. Whatever else is
// there and not FALSE narrows it: a shard by its name [0], the kind of certificates [1] [2] [5], reasons [3].
Status check_distribution_point(DerReader value, bool& is_partial) {
  TRY(DerReader fields, value.enter(der::kSequence, "issuingDistributionPoint"));
  while (!fields.done()) {
    TRY(const DerElement field, fields.any("issuingDistributionPoint"));
    const bool is_flag = field.tag == der::context(1) || field.tag == der::context(2) || field.tag == der::context(4) ||
                         field.tag == der::context(5);
    const bool is_false = is_flag && std::ranges::all_of(field.content, [](auto byte) { return byte == 0; });
    is_partial |= !is_false;
    if (field.tag == der::context(4) && !is_false)
      return invalid_input("endorsement.crl.unsupported", "expected a CRL of one authority, an indirect one came",
                           wire::place("issuingDistributionPoint", field.offset));
  }
  return {};
}

Status check_extension(DerReader extension, bool& is_partial, Bytes& distribution_point) {
  const std::size_t at = extension.offset();
  TRY(const ByteView oid, extension.oid("extnID"));
  TRY(const std::string text, wire::oid_text(oid));
  bool is_critical = false;
  if (extension.next_is(der::kBoolean)) {
    TRY(is_critical, extension.boolean("critical"));
  }
  TRY(const DerElement value, extension.element(der::kOctetString, "extnValue"));
  if (text == "2.5.29.28") {
    distribution_point = to_bytes(value.content);
    return check_distribution_point(DerReader(value), is_partial);
  }
  const bool is_delta = text == "2.5.29.27";
  if (!is_critical && !is_delta) return {};
  return invalid_input("endorsement.crl.unsupported",
                       is_delta ? std::string("expected a whole CRL, a delta came")
                                : fmt::format("the critical extension {} is not understood", text),
                       wire::place("crlExtensions", at));
}

Status check_extensions(DerReader list, bool& is_partial, Bytes& distribution_point) {
  while (!list.done()) {
    TRY(DerReader extension, list.enter(der::kSequence, "crlExtension"));
    TRY_STATUS(check_extension(extension, is_partial, distribution_point));
  }
  return {};
}

// Entries are read to the serial; when and why an entry was made changes nothing here: it is revoked.
Result<std::vector<std::string>> parse_entries(DerReader list) {
  std::vector<std::string> serials;
  while (!list.done()) {
    TRY(DerReader entry, list.enter(der::kSequence, "revokedCertificate"));
    TRY(const ByteView serial, entry.integer("userCertificate"));
    serials.emplace_back(as_text(serial));
  }
  std::ranges::sort(serials);
  return serials;
}

Result<Bytes> only_list(std::string_view text) {
  TRY(auto blocks, pem_blocks(text));
  if (blocks.size() != 1 || blocks.front().label != "X509 CRL")
    return invalid_input("endorsement.pem", "expected one block \"X509 CRL\"");
  return std::move(blocks.front().content);
}

}  // namespace

Status RevocationList::parse_tbs(DerReader tbs, std::string& algorithm_oid) {
  if (tbs.next_is(der::kInteger)) TRY_STATUS(tbs.small_integer("version"));
  TRY(const DerElement algorithm, tbs.element(der::kSequence, "signature"));
  TRY(auto parsed, parse_signature_algorithm(algorithm));
  algorithm_oid = parsed.oid;
  scheme_ = parsed.scheme;
  TRY(const DerElement issuer, tbs.element(der::kSequence, "issuer"));
  TRY(issuer_, Name::parse(issuer));
  TRY(const DerElement this_update, tbs.any("thisUpdate"));
  TRY(this_update_, parse_time(this_update));
  if (is_time(tbs)) {
    TRY(const DerElement next_update, tbs.any("nextUpdate"));
    TRY(next_update_, parse_time(next_update));
  }
  if (tbs.next_is(der::kSequence)) {
    TRY(DerReader list, tbs.enter(der::kSequence, "revokedCertificates"));
    TRY(serials_, parse_entries(list));
  }
  if (tbs.next_is(der::context_constructed(0))) {
    TRY(DerReader tagged, tbs.enter(der::context_constructed(0), "crlExtensions"));
    TRY(DerReader list, tagged.enter(der::kSequence, "crlExtensions"));
    TRY_STATUS(check_extensions(list, is_partial_, distribution_point_));
  }
  return tbs.expect_done("tbsCertList");
}

Result<RevocationList> RevocationList::parse(ByteView content) {
  if (content.size() > kMaxRevocationListSize)
    return bad_list(fmt::format("expected at most {} bytes, {} came", kMaxRevocationListSize, content.size()), 0);
  Bytes decoded;
  if (looks_like_pem(content)) {
    TRY(decoded, only_list(as_text(content)));
    content = decoded;
  }
  DerReader outer(content);
  TRY(DerReader parts, outer.enter(der::kSequence, "crl"));
  TRY_STATUS(outer.expect_done("crl"));
  TRY(const DerElement tbs, parts.element(der::kSequence, "tbsCertList"));
  RevocationList out;
  out.der_ = to_bytes(content);
  out.tbs_ = to_bytes(tbs.whole);
  std::string inner_oid;
  TRY_STATUS(out.parse_tbs(DerReader(tbs), inner_oid));
  TRY(const DerElement algorithm, parts.element(der::kSequence, "signatureAlgorithm"));
  TRY(const auto named, parse_signature_algorithm(algorithm));
  if (named.oid != inner_oid) return bad_list("the two places that name the algorithm differ", algorithm.offset);
  TRY(const ByteView signature, parts.whole_bytes("signatureValue"));
  out.signature_ = to_bytes(signature);
  TRY_STATUS(parts.expect_done("crl"));
  return out;
}

bool RevocationList::revokes(ByteView serial) const {
  return std::ranges::binary_search(serials_, as_text(serial));
}

bool RevocationList::signed_by(const X509Certificate& authority) const {
  if (!scheme_) return false;
  const auto key = issuer_key(authority.key);
  return key && key->verifies(*scheme_, tbs_, signature_);
}

}  // namespace warifu::endorsement
