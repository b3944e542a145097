#include "signing_keys/file_keys.h"

#include "keystore/files.h"
#include "signing_keys/key_file.h"
#include "signing_keys/key_files.h"

namespace warifu::signing_keys {

Result<crypto::Signer> FileKeys::generate(const KeyName& name, crypto::EcCurve curve) {
  const auto key = crypto::PrivateKey::generate(curve == crypto::EcCurve::kP256 ? crypto::KeyKind::kEcP256
                                                                                : crypto::KeyKind::kEcP384);
  TRY_STATUS(put(name, key));
  return crypto::Signer(key);
}

Status FileKeys::put(const KeyName& name, const crypto::PrivateKey& key) {
  TRY(const bool is_there, has_file(path_of(name)));
  if (is_there) return key_exists(name);
  TRY(const auto file, KeyFile::seal(name, key, passphrase_, cost_, entropy_));
  TRY_STATUS(keystore::make_private_folder(folder_));
  TRY(const bool is_new, publish(path_of(name), file.to_json()));
  if (!is_new) return key_exists(name);
  return {};
}

Result<crypto::PrivateKey> FileKeys::open_private(const KeyName& name) {
  TRY(const bool is_there, has_file(path_of(name)));
  if (!is_there) return unknown_key(name);
  TRY(const auto text, keystore::read_file(path_of(name)));
  TRY(const auto file, KeyFile::parse(text));
  // Renamed files would let one role sign for another.
  if (file.name != name) return unknown_key(name);
  return file.open(passphrase_);
}

Result<crypto::Signer> FileKeys::open(const KeyName& name) {
  TRY(const auto key, open_private(name));
  return crypto::Signer(key);
}

Status FileKeys::destroy(const KeyName& name) {
  return keystore::remove_file(keystore::kernel_files(), path_of(name));
}

}  // namespace warifu::signing_keys
