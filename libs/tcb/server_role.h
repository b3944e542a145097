#pragma once

#include <span>

#include "crypto/certificate_path.h"
#include "trust_bundle/trusted_bundle.h"

namespace warifu::tcb {

// Says that `path` begins with the certificate of a server (verify_certificate_path()) that a role
// "server-communication" of the bundle issued. What else is in the path does not matter: the certificates of role and
// root are those of the bundle. Codes, all kRefused: "tcb.server.revoked" when the bundle revokes the key of the leaf,
// or of who issued it; those of verify_certificate_path().
Status verify_server_role(std::span<const crypto::Certificate> path, const trust_bundle::TrustedBundle& bundle,
                          const crypto::ServerUse& use, crypto::PathTime time);

}  // namespace warifu::tcb
