#pragma once

#include <p11-kit/p11-kit.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "crypto/ec.h"
#include "signing_keys/key_place.h"
#include "signing_keys/pkcs11_uri.h"

namespace warifu::signing_keys {

// A loaded module, which is finalized and released in the end.
class Pkcs11Module {
 public:
  static Result<std::vector<std::shared_ptr<Pkcs11Module>>> load(const Pkcs11Uri& uri);
  explicit Pkcs11Module(CK_FUNCTION_LIST* functions) : functions_(functions) {}
  ~Pkcs11Module();
  Pkcs11Module(const Pkcs11Module&) = delete;
  Pkcs11Module& operator=(const Pkcs11Module&) = delete;

  CK_FUNCTION_LIST* operator->() const { return functions_; }

 private:
  CK_FUNCTION_LIST* functions_;
};

// One token with one session, which is logged in. For several threads at once: they take turns.
class Pkcs11Token {
 public:
  static Result<std::shared_ptr<Pkcs11Token>> open(Pkcs11Uri uri);
  Pkcs11Token(std::shared_ptr<Pkcs11Module> module, CK_SLOT_ID slot, Pkcs11Uri uri)
      : module_(std::move(module)), slot_(slot), uri_(std::move(uri)) {}
  ~Pkcs11Token();
  Pkcs11Token(const Pkcs11Token&) = delete;
  Pkcs11Token& operator=(const Pkcs11Token&) = delete;

  Result<crypto::EcPublicKey> generate(const KeyName& name, crypto::EcCurve curve);
  // Also whether the private half is one that cannot be taken out.
  Result<crypto::EcPublicKey> find(const KeyName& name);
  // In DER.
  Result<Bytes> sign(const KeyName& name, const crypto::Digest& digest);
  Status destroy(const KeyName& name);

 private:
  using Object = CK_OBJECT_HANDLE;
  struct Pair {
    Object public_half = CK_INVALID_HANDLE;
    Object private_half = CK_INVALID_HANDLE;
  };
  struct Refusal {
    SecretBytes pin;
    Error error;
  };

  // Does it in a session, and once more in a fresh one when the token has lost it. `work` returns a Result.
  template <class Work>
  std::invoke_result_t<Work> in_session(Work work);
  Status start_session();
  Status open_session(SecretBytes pin);
  Status log_in(SecretBytes pin);
  Status expect_login();
  void end_session();
  Status check(CK_RV code, std::string_view function);

  Result<std::vector<Object>> objects(CK_OBJECT_CLASS kind, const KeyName& name);
  Result<Pair> make_pair(const KeyName& name, crypto::EcCurve curve);
  Result<crypto::EcPublicKey> point_of(Object public_half, const KeyName& name);
  Result<Object> private_key(const KeyName& name);
  Status expect_kept(Object key, const KeyName& name);
  Result<Bytes> attribute(Object object, CK_ATTRIBUTE_TYPE type);

  std::shared_ptr<Pkcs11Module> module_;
  CK_SLOT_ID slot_;
  Pkcs11Uri uri_;
  std::mutex mutex_;
  CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;
  bool needs_login_ = true;
  bool is_lost_ = false;
  std::optional<Refusal> refusal_;              // of the last login
  std::map<std::string, Object> private_keys_;  // of this session
};

}  // namespace warifu::signing_keys
