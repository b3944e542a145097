#include "warifu/root_secret.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "keystore/files.h"
#include "signing_keys/key_files.h"

namespace warifu::cli {
namespace {

namespace fs = std::filesystem;
using signing_keys::Share;

constexpr std::size_t kPassphraseSizeMin = 12;
constexpr std::size_t kDrawnSize = 32;
constexpr std::size_t kInputMax = 64 * 1024;

Result<SecretBytes> read_secret(const std::string& file) {
  if (file != "-") return keystore::read_secret_file(file);
  SecretBytes buffer(kInputMax);
  std::cin.read(reinterpret_cast<char*>(buffer.reveal_writable().data()), static_cast<std::streamsize>(kInputMax));
  return SecretBytes::copy_of(buffer.reveal().first(static_cast<std::size_t>(std::cin.gcount())));
}

Result<SecretBytes> read_passphrase(const std::string& file) {
  TRY(const auto content, read_secret(file));
  auto text = as_text(content.reveal());
  while (text.ends_with('\n') || text.ends_with('\r'))
    text.remove_suffix(1);
  if (text.size() >= kPassphraseSizeMin) return SecretBytes::copy_of(as_bytes(text));
  return invalid_input("root.passphrase.short",
                       fmt::format("a passphrase has at least {} characters", kPassphraseSizeMin), file);
}

// A file may hold several shares, one a line.
Status add_shares(std::vector<Share>& shares, const std::string& file) {
  TRY(const auto content, read_secret(file));
  std::string_view rest = as_text(content.reveal());
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos || line.starts_with('#')) continue;
    auto share = Share::parse(line);
    if (!share) {
      share.error().where = file;
      return share.error();
    }
    shares.push_back(*std::move(share));
  }
  return {};
}

Result<signing_keys::ShareScheme> parse_scheme(std::string_view text) {
  const auto slash = text.find('/');
  const auto number = [](std::string_view digits, std::uint8_t& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size();
  };
  signing_keys::ShareScheme scheme{};
  if (slash != std::string_view::npos && number(text.substr(0, slash), scheme.threshold) &&
      number(text.substr(slash + 1), scheme.count))
    return scheme;
  return invalid_input("share.scheme", fmt::format("expected how many of how many, like 3/5, not \"{}\"", text));
}

}  // namespace

Result<SecretBytes> read_root_secret(const RootSecretOptions& options) {
  if (options.passphrase_file.empty() == options.share_files.empty())
    return invalid_input("root.secret",
                         "the key is opened by --passphrase-file FILE, or by --share-file FILE for each of its shares");
  if (!options.passphrase_file.empty()) return read_passphrase(options.passphrase_file);
  std::vector<Share> shares;
  for (const std::string& file : options.share_files)
    TRY_STATUS(add_shares(shares, file));
  return signing_keys::combine(shares);
}

Status check_output(const Context& context, const NewRootSecretOptions& options) {
  if (!context.json || options.shares.empty() || !options.shares_out.empty()) return {};
  return invalid_input("root.secret", "with --json the shares go into a folder: --shares-out DIR");
}

Result<NewRootSecret> NewRootSecret::make(const NewRootSecretOptions& options, Entropy& entropy) {
  if (options.passphrase_file.empty() == options.shares.empty())
    return invalid_input("root.secret",
                         "the key is put under --passphrase-file FILE, or under --shares M/N: of which N "
                         "people have a part each, and M of them open it");
  if (!options.passphrase_file.empty()) {
    TRY(auto passphrase, read_passphrase(options.passphrase_file));
    return NewRootSecret{std::move(passphrase), {}, {}};
  }
  TRY(const auto scheme, parse_scheme(options.shares));
  auto passphrase = SecretBytes::random(entropy, kDrawnSize);
  TRY(auto shares, signing_keys::split(passphrase, scheme, entropy));
  return NewRootSecret{std::move(passphrase), signing_keys::kNoStretching, std::move(shares)};
}

Status NewRootSecret::hand_out(const NewRootSecretOptions& options) const {
  if (shares.empty()) return {};
  if (!options.shares_out.empty()) TRY_STATUS(keystore::make_or_take_private_folder(options.shares_out));
  for (const Share& share : shares) {
    const SecretBytes text = share.to_text();
    if (options.shares_out.empty()) {
      fmt::print("{}\n", as_text(text.reveal()));
      continue;
    }
    const fs::path file = fs::path(options.shares_out) / fmt::format("share-{}.txt", share.number);
    // Never over one that is there: it may be the last that opens the root as it is.
    std::string line = fmt::format("{}\n", as_text(text.reveal()));
    const auto is_new = signing_keys::publish(file, line);
    wipe(line);
    if (!is_new) return is_new.error();
    if (!*is_new)
      return Error{ErrorKind::kConflict, "root.shares",
                   fmt::format("{} is there already: name an empty folder", file.string())};
  }
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return {};
  return Error{ErrorKind::kUnavailable, "root.shares", "the shares could not be printed: nothing was changed"};
}

}  // namespace warifu::cli
