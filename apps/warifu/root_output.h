#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <map>
#include <string>

#include "ceremony/handover.h"
#include "ceremony/root_folder.h"
#include "warifu/commands.h"

// What a ceremony shows, and what people carry away from it.
namespace warifu::cli {

// How people compare a certificate, or a key, at both ends of the way.
std::string fingerprint_of(const crypto::Certificate& certificate);
std::string fingerprint_of(const crypto::PublicKey& key);

// At the end: the newest bundle, and the one that waits for signatures. `out` gets all of them, for whoever is to have
// or to sign them.
Status hand_over(const Context& context, const ceremony::Handover& table, const std::filesystem::path& out,
                 boost::json::object printed);

// Before anything is signed that is to be handed over there: errors of Handover::check_copy_to(). No `out`, no
// question.
Status check_out(const std::filesystem::path& root, const std::filesystem::path& out);
Status make_out(const std::filesystem::path& out);
// root.pem
Status write_root(const std::filesystem::path& out, const crypto::Certificate& certificate);
// root.pem and roles/NAME.pem.
Status write_certificates(const std::filesystem::path& out, const ceremony::RootFolder& root,
                          const std::map<pki::Role, crypto::Certificate>& certificates);

// As members of what --json prints.
boost::json::object to_json(const trust_bundle::TrustedBundle& bundle);
boost::json::object to_json(const ceremony::Proposal& proposal);
// Who has yet to sign, a line for each group.
std::string describe_lacking(const ceremony::Proposal& proposal);

}  // namespace warifu::cli
