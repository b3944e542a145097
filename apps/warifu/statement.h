#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "warifu/requests.h"

// Enrollments and groups as the API takes them, made from options and from what is there.
namespace warifu::cli {

// The attestation that the options name; nullptr (a JSON null) without any.
Result<boost::json::value> attestation_of(const CredentialOptions& options);

// The lines of an enrollment or group: its own, and those of its terms.
std::vector<Column> with_terms(std::vector<Column> lines);

// Sets the members that the options name.
Status apply_terms(boost::json::object& statement, const TermsOptions& options);

// What the API shows, without the members that it does not take: to be changed and sent back.
boost::json::object as_request(boost::json::object shown);

struct StatementChange {
  CredentialOptions credential;
  TermsOptions terms;
  std::optional<std::string> device_id;
  bool dry_run = false;
};
// Reads what is at `path`, changes it and writes it back unless somebody else did meanwhile; says what changed.
Status update_statement(const Context& context, const std::string& path, const StatementChange& change,
                        const std::vector<Column>& lines);

}  // namespace warifu::cli
