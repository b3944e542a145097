#pragma once

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace warifu::signing_keys {

// What names a token (RFC 7512).
class Pkcs11Uri {
 public:
  // kInvalidInput "pkcs11.uri": it is none, it names a single object, or it holds the PIN itself, which every user of
  // the machine could read in the list of processes.
  static Result<Pkcs11Uri> parse(std::string_view text);

  // Empty: the modules of the system.
  std::string module_path() const;
  bool matches(const CK_TOKEN_INFO& token) const;
  // From the file that pin-source names, without the end of its line. Empty: the token asks for none.
  Result<SecretBytes> pin() const;

 private:
  struct Free {
    void operator()(P11KitUri* uri) const { p11_kit_uri_free(uri); }
  };
  explicit Pkcs11Uri(P11KitUri* uri) : uri_(uri) {}
  std::unique_ptr<P11KitUri, Free> uri_;
};

}  // namespace warifu::signing_keys
