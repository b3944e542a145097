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
  // kInvalidInput "pkcs11.uri": it is none, it says nothing about the token, it names a single object or a module by
  // its name, or it holds the PIN itself, which every user of the machine could read in the list of processes.
  static Result<Pkcs11Uri> parse(std::string_view text);

  // Empty: the modules of the system.
  std::string module_path() const;
  bool matches(const CK_INFO& module) const;
  bool matches(CK_SLOT_ID id, const CK_SLOT_INFO& slot) const;
  bool matches(const CK_TOKEN_INFO& token) const;
  // From the file that pin-source names, without the end of its line. Empty: no file is named, or it is empty.
  Result<SecretBytes> pin() const;

 private:
  struct Free {
    void operator()(P11KitUri* uri) const { p11_kit_uri_free(uri); }
  };
  explicit Pkcs11Uri(P11KitUri* uri) : uri_(uri) {}
  std::unique_ptr<P11KitUri, Free> uri_;
};

}  // namespace warifu::signing_keys
