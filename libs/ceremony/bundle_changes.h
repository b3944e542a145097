#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "pki/authority.h"
#include "trust_bundle/contents.h"

// What is changed from one bundle to the next (docs/formats/trust-bundle.md, "The next bundle").
namespace warifu::ceremony {

// With all keys of the role revoked that are not yet, and nothing else changed: what the revocation keys alone may
// sign. kNotFound "root.role" when there is none.
Result<trust_bundle::Contents> with_role_revoked(const trust_bundle::Contents& current, pki::Role role,
                                                 trust_bundle::Reason reason, Timestamp now);

// Of the same key under the same root one certificate is enough.
Status list_certificate(trust_bundle::Contents& contents, pki::Role role, const crypto::Certificate& certificate);

// For people who are to sign it: each line is something that comes, goes or changes, with the digests to compare; all
// of it without a bundle before. Names come from certificates, with control characters escaped.
std::vector<std::string> describe_changes(const trust_bundle::Contents* current, const trust_bundle::Contents& next);

}  // namespace warifu::ceremony
