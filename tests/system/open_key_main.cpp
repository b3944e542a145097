// Opens the file of a private key, for tests that look for it where it must not be, and prints it as PKCS #8 in PEM.
// usage: open-key FILE SECRET-FILE
#include <fmt/format.h>

#include "keystore/files.h"
#include "signing_keys/key_file.h"

namespace {

using namespace warifu;

Status print_key(const char* key_file, const char* secret_file) {
  TRY(const auto text, keystore::read_file(key_file));
  TRY(const auto file, signing_keys::KeyFile::parse(text));
  TRY(const auto secret, keystore::read_secret_file(secret_file));
  TRY(const auto key, file.open(secret));
  fmt::print("{}", as_text(key.to_pem().reveal()));
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto done = print_key(argv[1], argv[2]);
  if (!done) fmt::print(stderr, "error: {}\n", to_string(done.error()));
  return done ? 0 : 1;
}
