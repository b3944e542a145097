#include "bundle_shelf/bundle_shelf.h"

#include <fmt/format.h>

#include <algorithm>

#include "keystore/files.h"

namespace warifu::bundle_shelf {
namespace {

using trust_bundle::Envelope;
using trust_bundle::Payload;
using trust_bundle::TrustedBundle;

// The folder knows no other root than this: whoever writes it is the organisation.
Result<TrustedBundle> begin(const Envelope& first) {
  TRY(const auto payload, Payload::parse(first.payload()));
  return TrustedBundle::begin(first, payload.contents().roots.front().certificate);
}

}  // namespace

std::filesystem::path BundleShelf::path_of(std::uint64_t version) const {
  return folder_ / fmt::format("{:08}.json", version);
}

Result<std::vector<Envelope>> BundleShelf::read() const {
  TRY(auto names, keystore::kernel_files().list(folder_.string()));
  std::erase_if(names, [](const std::string& name) { return !name.ends_with(".json"); });
  if (names.size() > bundles_max_)
    return refused("root.bundles", fmt::format("expected at most {} bundles in {}, found {}", bundles_max_,
                                               folder_.string(), names.size()));
  std::ranges::sort(names);
  std::vector<Envelope> envelopes;
  for (const std::string& name : names) {
    const auto expected = path_of(envelopes.size() + 1).filename().string();
    if (name != expected)
      return refused("root.bundles", fmt::format("expected {} in {}, found {}", expected, folder_.string(), name));
    TRY(const auto text, keystore::read_file(folder_ / name));
    TRY(auto envelope, Envelope::parse(text));
    envelopes.push_back(std::move(envelope));
  }
  return envelopes;
}

Result<std::optional<TrustedBundle>> BundleShelf::newest() const {
  TRY(const auto envelopes, read());
  if (envelopes.empty()) return std::nullopt;
  TRY(const auto first, begin(envelopes.front()));
  auto progress = first.advance_through(std::span(envelopes).subspan(1));
  if (progress.error) return *std::move(progress.error);
  return std::move(progress.reached);
}

Result<std::optional<TrustedBundle>> BundleShelf::newest_for(const crypto::Certificate& pinned_root) const {
  TRY(const auto envelopes, read());
  if (envelopes.empty()) return std::nullopt;
  for (std::size_t i = envelopes.size(); i-- > 0;) {
    const auto begun = TrustedBundle::begin(envelopes[i], pinned_root);
    if (!begun) continue;
    auto progress = begun->advance_through(std::span(envelopes).subspan(i + 1));
    if (progress.error) return *std::move(progress.error);
    return std::move(progress.reached);
  }
  return refused("bundle.pinned-root",
                 fmt::format("no bundle in {} begins with the root \"{}\"", folder_.string(), pinned_root.subject()));
}

// One on somebody's stick may lead anywhere.
Status BundleShelf::make_folder() const {
  std::error_code ignored;
  if (std::filesystem::is_symlink(folder_, ignored))
    return refused("root.bundles", fmt::format("{} is a symbolic link, and no folder of bundles", folder_.string()));
  return keystore::make_private_folder(folder_);
}

Status BundleShelf::write(std::uint64_t version, const Envelope& envelope) const {
  return keystore::write_file(path_of(version), as_bytes(envelope.to_json()), FileMode::kPublic);
}

Status BundleShelf::add(const Envelope& envelope) const {
  TRY(const auto current, newest());
  std::uint64_t version = 1;
  if (current) {
    TRY(const auto next, current->advance(envelope));
    if (!next) return {};  // this very bundle
    version = next->version();
  } else {
    TRY_STATUS(begin(envelope));
  }
  // Nobody could read it, nor those before it.
  if (version > bundles_max_)
    return refused("root.bundles", fmt::format("{} holds {} bundles, and no more", folder_.string(), bundles_max_));
  TRY_STATUS(make_folder());
  return write(version, envelope);
}

Status BundleShelf::copy_to(const std::filesystem::path& folder) const {
  TRY(const auto envelopes, read());
  const BundleShelf copy(folder);
  TRY_STATUS(copy.make_folder());
  for (std::size_t i = 0; i < envelopes.size(); ++i)
    TRY_STATUS(copy.write(i + 1, envelopes[i]));
  return {};
}

Result<std::vector<Envelope>> BundleShelf::beyond(const BundleShelf& other) const {
  TRY(const auto ours, read());
  TRY(auto theirs, other.read());
  if (theirs.empty()) return refused("root.bundles", fmt::format("no trust bundle is in {}", other.folder_.string()));
  for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i)
    if (ours[i].payload() != theirs[i].payload())
      return refused("bundle.fork", fmt::format("{} and {} have different bundles of version {}: compare their digests "
                                                "with the root's desk",
                                                folder_.string(), other.folder_.string(), i + 1));
  if (theirs.size() <= ours.size()) return std::vector<Envelope>();
  // All of them are judged before one is taken.
  TRY(const auto first, begin(theirs.front()));
  const auto progress = first.advance_through(std::span(theirs).subspan(1));
  if (progress.error) return *progress.error;
  theirs.erase(theirs.begin(), theirs.begin() + static_cast<std::ptrdiff_t>(ours.size()));
  return theirs;
}

Result<std::size_t> BundleShelf::take_from(const BundleShelf& other) const {
  TRY(const auto following, beyond(other));
  if (following.empty()) return std::size_t{0};
  TRY(const auto ours, read());
  TRY_STATUS(make_folder());
  for (std::size_t i = 0; i < following.size(); ++i)
    TRY_STATUS(write(ours.size() + i + 1, following[i]));
  return following.size();
}

}  // namespace warifu::bundle_shelf
