#include "signing_keys/pkcs11_token.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "crypto/digest_signature.h"

namespace warifu::signing_keys {
namespace {

// ECParameters of a named curve (RFC 3279 §2.3.5).
constexpr std::array<std::uint8_t, 10> kP256{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
constexpr std::array<std::uint8_t, 7> kP384{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
constexpr std::size_t kObjectsMax = 8;
constexpr std::size_t kAttributeSizeMax = 1024;  // of those that are asked for, a point is the largest

ByteView parameters_of(crypto::EcCurve curve) {
  return curve == crypto::EcCurve::kP256 ? ByteView(kP256) : ByteView(kP384);
}

// PKCS #11 takes no constants, and changes none.
CK_ATTRIBUTE attribute_of(CK_ATTRIBUTE_TYPE type, ByteView value) {
  return {type, const_cast<std::uint8_t*>(value.data()), static_cast<CK_ULONG>(value.size())};
}
template <class Value>
CK_ATTRIBUTE attribute_of(CK_ATTRIBUTE_TYPE type, Value& value) {
  return {type, &value, sizeof value};
}

bool is_lost_session(CK_RV code) {
  return code == CKR_SESSION_HANDLE_INVALID || code == CKR_SESSION_CLOSED || code == CKR_DEVICE_REMOVED ||
         code == CKR_USER_NOT_LOGGED_IN || code == CKR_OBJECT_HANDLE_INVALID || code == CKR_KEY_HANDLE_INVALID;
}

Error call_failed(CK_RV code, std::string_view function) {
  if (code == CKR_PIN_INCORRECT || code == CKR_PIN_LOCKED || code == CKR_PIN_LEN_RANGE || code == CKR_PIN_INVALID)
    return refused("pkcs11.pin",
                   "the token does not take this PIN: is the file of pin-source the right one? Tokens lock "
                   "after a few wrong ones");
  return {ErrorKind::kUnavailable, "pkcs11.call",
          fmt::format("the token answered {} with code 0x{:x}", function, code)};
}

Error no_pin() {
  return refused("pkcs11.pin", "the token asks for a PIN and none came: name its file with pin-source=file:/…");
}

Error not_logged_in(CK_STATE state) {
  return refused(
      "pkcs11.pin",
      fmt::format("the token let nobody in (its session is in state {}): expected the PIN of its user, not of "
                  "its security officer, and no other part of this program that logs out",
                  state));
}

Error bad_point(const KeyName& name) {
  return {ErrorKind::kUnavailable, "pkcs11.point",
          fmt::format("the token has no public key of {} on P-256 or P-384", name.text())};
}

// CKA_EC_POINT: an OCTET STRING in DER (PKCS #11 2.40, §2.3.3) of an uncompressed point; some tokens leave the OCTET
// STRING out.
Result<crypto::EcPublicKey> to_point(const KeyName& name, ByteView parameters, ByteView value) {
  const bool is_p256 = std::ranges::equal(parameters, kP256);
  if (!is_p256 && !std::ranges::equal(parameters, kP384)) return bad_point(name);
  const auto curve = is_p256 ? crypto::EcCurve::kP256 : crypto::EcCurve::kP384;
  const std::size_t size = crypto::coordinate_size(curve);
  const std::size_t plain = 1 + 2 * size;
  if (value.size() == plain + 2 && value[0] == 0x04 && value[1] == plain) value = value.subspan(2);
  if (value.size() != plain || value[0] != 0x04) return bad_point(name);
  return crypto::EcPublicKey::from_affine(curve, value.subspan(1, size), value.subspan(1 + size, size));
}

}  // namespace

Result<std::vector<std::shared_ptr<Pkcs11Module>>> Pkcs11Module::load(const Pkcs11Uri& uri) {
  const std::string path = uri.module_path();
  std::vector<std::shared_ptr<Pkcs11Module>> modules;
  const auto take = [&](CK_FUNCTION_LIST* functions) {
    if (p11_kit_module_initialize(functions) == CKR_OK)
      modules.push_back(std::make_shared<Pkcs11Module>(functions));
    else
      p11_kit_module_release(functions);
  };
  if (!path.empty()) {
    if (CK_FUNCTION_LIST* functions = p11_kit_module_load(path.c_str(), 0)) take(functions);
  } else if (CK_FUNCTION_LIST** all = p11_kit_modules_load(nullptr, 0)) {
    for (CK_FUNCTION_LIST** next = all; *next != nullptr; ++next)
      take(*next);
    std::free(all);  // the list, not what it lists (p11_kit_modules_load())
  }
  if (!modules.empty()) return modules;
  return Error{ErrorKind::kUnavailable, "pkcs11.module",
               path.empty() ? "no PKCS #11 module is installed: name one with module-path=…"
                            : fmt::format("{} is no PKCS #11 module that can be loaded", path)};
}

Pkcs11Module::~Pkcs11Module() {
  p11_kit_module_finalize(functions_);
  p11_kit_module_release(functions_);
}

Result<std::shared_ptr<Pkcs11Token>> Pkcs11Token::open(Pkcs11Uri uri) {
  TRY(const auto modules, Pkcs11Module::load(uri));
  std::vector<std::pair<std::shared_ptr<Pkcs11Module>, CK_SLOT_ID>> found;
  for (const auto& module : modules) {
    CK_INFO library{};
    if ((*module)->C_GetInfo(&library) != CKR_OK || !uri.matches(library)) continue;
    CK_ULONG count = 0;
    if ((*module)->C_GetSlotList(CK_TRUE, nullptr, &count) != CKR_OK) continue;
    std::vector<CK_SLOT_ID> slots(count);
    if (count == 0 || (*module)->C_GetSlotList(CK_TRUE, slots.data(), &count) != CKR_OK) continue;
    slots.resize(count);
    for (const CK_SLOT_ID slot : slots) {
      CK_SLOT_INFO of_slot{};
      CK_TOKEN_INFO info{};
      if ((*module)->C_GetSlotInfo(slot, &of_slot) == CKR_OK && uri.matches(slot, of_slot) &&
          (*module)->C_GetTokenInfo(slot, &info) == CKR_OK && (info.flags & CKF_TOKEN_INITIALIZED) != 0 &&
          uri.matches(info))
        found.emplace_back(module, slot);
    }
  }
  if (found.size() != 1)
    return Error{ErrorKind::kUnavailable, "pkcs11.token",
                 fmt::format("expected one token that fits the URI, found {}: `p11-kit list-modules` and `pkcs11-tool "
                             "--module … -L` show which there are",
                             found.size())};
  auto token = std::make_shared<Pkcs11Token>(found.front().first, found.front().second, std::move(uri));
  TRY_STATUS(token->in_session([]() -> Status { return {}; }));
  return token;
}

Pkcs11Token::~Pkcs11Token() {
  end_session();
}

Status Pkcs11Token::check(CK_RV code, std::string_view function) {
  if (code == CKR_OK) return {};
  if (is_lost_session(code)) is_lost_ = true;
  return call_failed(code, function);
}

void Pkcs11Token::end_session() {
  if (session_ != CK_INVALID_HANDLE) (*module_)->C_CloseSession(session_);
  session_ = CK_INVALID_HANDLE;
  private_keys_.clear();
}

// Without a login the token hides its private keys and says no more: "not found" would be a lie.
Status Pkcs11Token::expect_login() {
  CK_SESSION_INFO info{};
  TRY_STATUS(check((*module_)->C_GetSessionInfo(session_, &info), "C_GetSessionInfo"));
  if (!needs_login_ || info.state == CKS_RW_USER_FUNCTIONS) return {};
  return not_logged_in(info.state);
}

// A token locks after a few wrong PINs: one that it did not take is not tried again.
Status Pkcs11Token::log_in(SecretBytes pin) {
  const auto bytes = pin.reveal_writable();
  const CK_RV code = (*module_)->C_Login(session_, CKU_USER, bytes.data(), bytes.size());
  if (code == CKR_OK || code == CKR_USER_ALREADY_LOGGED_IN) return {};
  auto failed = call_failed(code, "C_Login");
  if (failed.kind == ErrorKind::kRefused) refusal_ = Refusal{std::move(pin), failed};
  return failed;
}

Status Pkcs11Token::open_session(SecretBytes pin) {
  TRY_STATUS(check((*module_)->C_OpenSession(slot_, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session_),
                   "C_OpenSession"));
  if (!pin.empty()) TRY_STATUS(log_in(std::move(pin)));
  return expect_login();
}

Status Pkcs11Token::start_session() {
  // Whoever else in this process uses the token can end the login under us.
  if (session_ != CK_INVALID_HANDLE && expect_login()) return {};
  end_session();
  CK_TOKEN_INFO token{};
  TRY_STATUS(check((*module_)->C_GetTokenInfo(slot_, &token), "C_GetTokenInfo"));
  TRY(auto pin, uri_.pin());
  needs_login_ = (token.flags & CKF_LOGIN_REQUIRED) != 0;
  if (needs_login_ && pin.empty()) return no_pin();
  if (refusal_ && equal_constant_time(refusal_->pin.reveal(), pin.reveal())) return refusal_->error;
  refusal_.reset();
  auto opened = open_session(std::move(pin));
  if (!opened) end_session();
  return opened;
}

template <class Work>
std::invoke_result_t<Work> Pkcs11Token::in_session(Work work) {
  const std::lock_guard lock(mutex_);
  for (bool again = false;; again = true) {
    TRY_STATUS(start_session());
    is_lost_ = false;
    auto result = work();
    if (!is_lost_ || again) return result;
    end_session();
  }
}

Result<std::vector<Pkcs11Token::Object>> Pkcs11Token::objects(CK_OBJECT_CLASS kind, const KeyName& name) {
  std::array wanted = {attribute_of(CKA_CLASS, kind), attribute_of(CKA_LABEL, as_bytes(name.text()))};
  TRY_STATUS(check((*module_)->C_FindObjectsInit(session_, wanted.data(), wanted.size()), "C_FindObjectsInit"));
  std::vector<Object> found(kObjectsMax);
  CK_ULONG count = 0;
  const CK_RV code = (*module_)->C_FindObjects(session_, found.data(), found.size(), &count);
  (*module_)->C_FindObjectsFinal(session_);
  TRY_STATUS(check(code, "C_FindObjects"));
  found.resize(count);
  return found;
}

Result<Bytes> Pkcs11Token::attribute(Object object, CK_ATTRIBUTE_TYPE type) {
  CK_ATTRIBUTE wanted{type, nullptr, 0};
  TRY_STATUS(check((*module_)->C_GetAttributeValue(session_, object, &wanted, 1), "C_GetAttributeValue"));
  if (wanted.ulValueLen == CK_UNAVAILABLE_INFORMATION) return Bytes();
  if (wanted.ulValueLen > kAttributeSizeMax) return call_failed(CKR_ATTRIBUTE_VALUE_INVALID, "C_GetAttributeValue");
  Bytes value(wanted.ulValueLen);
  wanted.pValue = value.data();
  TRY_STATUS(check((*module_)->C_GetAttributeValue(session_, object, &wanted, 1), "C_GetAttributeValue"));
  return value;
}

Status Pkcs11Token::expect_kept(Object key, const KeyName& name) {
  TRY(const Bytes sensitive, attribute(key, CKA_SENSITIVE));
  TRY(const Bytes extractable, attribute(key, CKA_EXTRACTABLE));
  if (sensitive == Bytes{CK_TRUE} && extractable == Bytes{CK_FALSE}) return {};
  return refused(
      "pkcs11.extractable",
      fmt::format("the key {} could be taken out of its token: make one that is sensitive and not extractable",
                  name.text()));
}

Result<Pkcs11Token::Object> Pkcs11Token::private_key(const KeyName& name) {
  if (const auto known = private_keys_.find(name.text()); known != private_keys_.end()) return known->second;
  TRY(const auto found, objects(CKO_PRIVATE_KEY, name));
  if (found.empty()) return unknown_key(name);
  if (found.size() > 1)
    return Error{ErrorKind::kConflict, "pkcs11.label",
                 fmt::format("the token has several keys labelled {}", name.text())};
  TRY_STATUS(expect_kept(found.front(), name));
  private_keys_.emplace(name.text(), found.front());
  return found.front();
}

Result<Pkcs11Token::Pair> Pkcs11Token::make_pair(const KeyName& name, crypto::EcCurve curve) {
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  const ByteView label = as_bytes(name.text());
  std::array of_public = {attribute_of(CKA_TOKEN, yes), attribute_of(CKA_VERIFY, yes), attribute_of(CKA_LABEL, label),
                          attribute_of(CKA_ID, label), attribute_of(CKA_EC_PARAMS, parameters_of(curve))};
  std::array of_private = {attribute_of(CKA_TOKEN, yes),     attribute_of(CKA_PRIVATE, yes),
                           attribute_of(CKA_SENSITIVE, yes), attribute_of(CKA_EXTRACTABLE, no),
                           attribute_of(CKA_SIGN, yes),      attribute_of(CKA_LABEL, label),
                           attribute_of(CKA_ID, label)};
  CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  Pair pair;
  TRY_STATUS(
      check((*module_)->C_GenerateKeyPair(session_, &mechanism, of_public.data(), of_public.size(), of_private.data(),
                                          of_private.size(), &pair.public_half, &pair.private_half),
            "C_GenerateKeyPair"));
  return pair;
}

Result<crypto::EcPublicKey> Pkcs11Token::generate(const KeyName& name, crypto::EcCurve curve) {
  return in_session([&]() -> Result<crypto::EcPublicKey> {
    TRY(const auto before, objects(CKO_PRIVATE_KEY, name));
    if (!before.empty()) return key_exists(name);
    TRY(const auto pair, make_pair(name, curve));
    // To a token a label is not of one key only: when somebody else made one meanwhile, ours goes.
    TRY(const auto after, objects(CKO_PRIVATE_KEY, name));
    if (after.size() > 1) {
      TRY_STATUS(check((*module_)->C_DestroyObject(session_, pair.private_half), "C_DestroyObject"));
      TRY_STATUS(check((*module_)->C_DestroyObject(session_, pair.public_half), "C_DestroyObject"));
      return key_exists(name);
    }
    TRY_STATUS(expect_kept(pair.private_half, name));
    TRY(const auto point, point_of(pair.public_half, name));
    private_keys_.insert_or_assign(name.text(), pair.private_half);
    return point;
  });
}

Result<crypto::EcPublicKey> Pkcs11Token::point_of(Object public_half, const KeyName& name) {
  TRY(const Bytes parameters, attribute(public_half, CKA_EC_PARAMS));
  TRY(const Bytes point, attribute(public_half, CKA_EC_POINT));
  return to_point(name, parameters, point);
}

Result<crypto::EcPublicKey> Pkcs11Token::find(const KeyName& name) {
  return in_session([&]() -> Result<crypto::EcPublicKey> {
    TRY_STATUS(private_key(name));
    TRY(const auto found, objects(CKO_PUBLIC_KEY, name));
    if (found.size() != 1) return bad_point(name);
    return point_of(found.front(), name);
  });
}

Result<Bytes> Pkcs11Token::sign(const KeyName& name, const crypto::Digest& digest) {
  return in_session([&]() -> Result<Bytes> {
    TRY(const Object key, private_key(name));
    CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
    TRY_STATUS(check((*module_)->C_SignInit(session_, &mechanism, key), "C_SignInit"));
    crypto::Digest in = digest;
    Bytes numbers(2 * crypto::coordinate_size(crypto::EcCurve::kP384));
    CK_ULONG size = numbers.size();
    const auto bytes = in.writable();
    TRY_STATUS(check((*module_)->C_Sign(session_, bytes.data(), bytes.size(), numbers.data(), &size), "C_Sign"));
    if (size > numbers.size() || size % 2 != 0) return call_failed(CKR_SIGNATURE_LEN_RANGE, "C_Sign");
    const ByteView both = ByteView(numbers).first(size);
    return crypto::ecdsa_der(both.first(size / 2), both.subspan(size / 2));
  });
}

Status Pkcs11Token::destroy(const KeyName& name) {
  return in_session([&]() -> Status {
    private_keys_.erase(name.text());
    for (const CK_OBJECT_CLASS kind : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
      TRY(const auto found, objects(kind, name));
      for (const Object object : found)
        TRY_STATUS(check((*module_)->C_DestroyObject(session_, object), "C_DestroyObject"));
    }
    return {};
  });
}

}  // namespace warifu::signing_keys
