#pragma once

#include <boost/json/object.hpp>
#include <string_view>
#include <vector>

#include "ek_trust/affected.h"
#include "ek_trust/authority_desk.h"
#include "ek_trust/certificate_desk.h"
#include "ek_trust/revocation_desk.h"
#include "front/http/route.h"
#include "wire/json.h"

// Authorities for endorsement keys, their CRLs, and EK certificates as JSON (docs/openapi/warifu-v1.yaml).
namespace warifu::front::api {

// {"certificates": [PEM, one or more, or DER in base64, …], "role"?, "vendors"?}
Result<ek_trust::ImportRequest> parse_authorities(std::string_view body);
// {"crls": [PEM, or DER in base64, …]}. Also codes of ek_trust::CrlImport::make().
Result<ek_trust::CrlImport> parse_crls(std::string_view body);
// {"since"?, "reason"}
struct DistrustBody {
  std::optional<Timestamp> since;
  std::string reason;
};
Result<DistrustBody> parse_distrust(std::string_view body);

// A certificate as people have it, PEM or DER in base64, as bytes. kInvalidInput "base64".
Result<Bytes> parse_content(std::string_view text, std::string where);

// SHA-256 in hexadecimal, also with colons between. kInvalidInput "ek_root.fingerprint".
Result<Bytes> parse_fingerprint(std::string_view text);

// As page_of(), by fingerprint or series.
Result<ek_trust::Page> digest_page_of(const Call& call);
// The key is "issuer~EK Name" in hexadecimal.
Result<std::optional<ek_trust::AffectedKey>> affected_after_of(const Call& call);
std::string cursor_of(const ek_trust::AffectedKey& key);

// With the mark that counts for it, and for whom a root speaks. "store.corrupt".
Result<boost::json::object> to_json(const ek_trust::AuthorityView& view);
boost::json::object to_json(const ek_trust::CrlInfo& info);
boost::json::object to_json(const ek_trust::Verdict& verdict);
// What the certificate says beside what it is worth: {…, "certificate", "stored_at", "verdict"}.
boost::json::object to_json(const ek_trust::JudgedCertificate& judged);
boost::json::value to_json(const std::optional<ek_trust::JudgedCertificate>& judged);

}  // namespace warifu::front::api
