#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string_view>

#include "verifier/flaw_trial.h"
#include "verifier/package_desk.h"

// Data packages as JSON (docs/openapi/warifu-v1.yaml).
namespace warifu::front::api {

// {"document": base64, "signature": base64, "key": PEM}: the bytes that were signed, as they are. Codes of
// wire::JsonFields and verifier::SignedPackage::check(); "data_package.size".
Result<verifier::SignedPackage> parse_package(std::string_view body, verifier::PackageKind kind);

boost::json::object to_json(const verifier::PackageInfo& package);
// With its document. "store.corrupt".
Result<boost::json::object> to_json(const verifier::StoredPackage& package);
// The table that came with the program.
Result<boost::json::object> built_in_flaws_json();

// What would change for a device.
boost::json::object to_json(const verifier::FlawTrial& trial);
// The flaws that affect it by the table of today; nullopt: none does.
std::optional<boost::json::object> affected_json(const verifier::FlawTrial& trial);

}  // namespace warifu::front::api
