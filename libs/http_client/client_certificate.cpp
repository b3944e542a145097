#include "http_client/client_certificate.h"

#include <openssl/ssl.h>

#include "crypto/certificate.h"
#include "crypto/ec.h"
#include "crypto/signer.h"

namespace warifu::http_client {
namespace {

int on_wanted(SSL* connection, void* self) {
  return static_cast<ClientCertificate*>(self)->show(connection) ? 1 : 0;
}

Error unusable(std::string_view what) {
  return {ErrorKind::kInternal, "tcb.answer", "libssl takes no client certificate: " + std::string(what)};
}

}  // namespace

// libssl asks after it has read the server's Finished and before it writes the client's Certificate.
void ClientCertificate::attach(ssl_ctx_st* context) {
  verdict_ = {};
  judged_ = false;
  identity_.begin();
  SSL_CTX_set_cert_cb(context, on_wanted, this);
}

bool ClientCertificate::show(ssl_st* connection) {
  verdict_ = judge_and_show(connection);
  return verdict_.has_value();
}

Status ClientCertificate::judge_and_show(ssl_st* connection) {
  TRY_STATUS(check_.judge(recorder_.server_half()));
  judged_ = true;
  TRY(const auto chain, identity_.show());
  if (chain.empty()) return {};
  TRY(const auto leaf, crypto::Certificate::from_der(chain.front()));
  TRY(const auto key, leaf.public_key());
  TRY(const auto point, crypto::ec_public_key(key));
  // The digest that libssl would have signed is not asked for: the TCB makes its own of the messages, and Signer sees
  // that it is the same.
  const auto signer = crypto::Signer::outside(point, [this](const crypto::Digest&) -> Result<Bytes> {
    auto signature = identity_.sign(recorder_.so_far());
    if (!signature) verdict_ = signature.error();
    return signature;
  });
  if (SSL_use_certificate(connection, leaf.native()) != 1 || SSL_use_PrivateKey(connection, signer.native()) != 1)
    return unusable("the LDevID");
  for (std::size_t i = 1; i < chain.size(); ++i) {
    TRY(const auto issuer, crypto::Certificate::from_der(chain[i]));
    if (SSL_add1_chain_cert(connection, issuer.native()) != 1) return unusable("its issuer");
  }
  return {};
}

}  // namespace warifu::http_client
