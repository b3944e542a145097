#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "trust_bundle/payload_reader.h"

namespace warifu::trust_bundle {
namespace {

namespace json = boost::json;

json::array written_keys(const std::vector<SigningKey>& keys) {
  json::array array;
  for (const SigningKey& key : keys)
    array.emplace_back(to_base64(one_encoding(key.key)));
  return array;
}

json::object written_set(const KeySet& set) {
  return {{"threshold", set.threshold}, {"keys", written_keys(set.keys)}};
}

json::array written_certificates(const std::vector<Listed>& certificates) {
  json::array array;
  for (const Listed& listed : certificates)
    array.emplace_back(to_base64(listed.certificate.to_der()));
  return array;
}

json::array written_roles(const std::vector<Role>& roles) {
  json::array array;
  for (const Role& role : roles)
    array.push_back(
        json::object{{"role", role.name.text()}, {"certificates", written_certificates(role.certificates)}});
  return array;
}

json::array written_revoked(const std::vector<Revoked>& revoked) {
  json::array array;
  for (const Revoked& entry : revoked)
    array.push_back(json::object{{"key_sha256", entry.key.hex()},
                                 {"role", entry.role.text()},
                                 {"revoked_at", to_rfc3339(entry.at)},
                                 {"reason", to_string(entry.reason)}});
  return array;
}

}  // namespace

std::string write_contents(const Contents& contents) {
  return json::serialize(json::object{{"format", kPayloadFormat},
                                      {"organisation", contents.organisation},
                                      {"version", contents.version},
                                      {"issued_at", to_rfc3339(contents.issued_at)},
                                      {"expires_at", to_rfc3339(contents.expires_at)},
                                      {"signing", written_set(contents.signing)},
                                      {"revocation", written_set(contents.revocation)},
                                      {"roots", written_certificates(contents.roots)},
                                      {"roles", written_roles(contents.roles)},
                                      {"revoked", written_revoked(contents.revoked)}});
}

}  // namespace warifu::trust_bundle
