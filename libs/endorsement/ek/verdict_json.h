#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <vector>

#include "endorsement/ek/verify.h"

// What is said of EK certificates as JSON: the same by the server and by tools that read files.
namespace warifu::endorsement {

boost::json::array to_json(const std::vector<Finding>& findings);

// What it says, which proves nothing: {"subject", "issuer", "serial", "not_before", "not_after", "tpm", "ek_purpose",
// "key", "authority_key_id", "issuer_urls", "crl_urls", "padding", "findings", "fingerprint_sha256"}
boost::json::object to_json(const EkCertificate& certificate);

// {"verdict": "trusted", "vendor", "model", "version", "class", "path", "findings"}
boost::json::object to_json(const VerifiedEkCertificate& verified);
// {"verdict": "refused", "code", "reason", "missing"?: {"name", "key_id", "urls", "wanted_by"}}
boost::json::object refusal_json(const Error& refusal, const std::optional<MissingAuthority>& missing);

}  // namespace warifu::endorsement
