#pragma once

#include <chrono>

#include "frames/channel.h"
#include "pki/authority.h"
#include "store/store.h"
#include "warifud/organisation.h"

namespace warifu::warifud {

// Who the signer says the organisation is.
struct SignersWord {
  std::string organisation;
  crypto::Certificate root;
  std::vector<std::pair<pki::Role, crypto::Certificate>> roles;

  // The errors of the link; kInvalidInput when what it says is no certificate.
  static Result<SignersWord> ask(frames::Channel& signer);
  // kNotFound "signer.role".
  Result<const crypto::Certificate*> certificate_of(pki::Role role) const;
};

// A new key, and what the signer certified for it.
struct NodeCertificate {
  crypto::PrivateKey key;
  crypto::Certificate leaf;
  crypto::Certificate issuer;

  // kRefused "signer.answer" when the signer certified something else than was asked for; what the signer refuses.
  static Result<NodeCertificate> make(frames::Channel& signer, const SignersWord& word,
                                      const std::vector<std::string>& names, std::chrono::seconds lifetime);
};

// Writes the certificates of the root's roles that this server shows to others.
Status write_roles(const keystore::DataDir& data_dir, const SignersWord& word);

// Whether the signer answers, and is of this organisation: kRefused "signer.root".
Status check_signer(const Organisation& organisation, frames::Channel& signer);

// Gives this node a new key and certificate for its names, or for `names` if there are any: asked for, audited,
// written. The errors of check_signer(), and what the signer refuses.
Status renew_node(const Organisation& organisation, store::Store& store, frames::Channel& signer,
                  const std::vector<std::string>& names, std::chrono::seconds lifetime, Outside& outside);

}  // namespace warifu::warifud
