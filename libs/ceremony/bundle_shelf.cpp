#include "ceremony/bundle_shelf.h"

#include <fmt/format.h>

#include <algorithm>

#include "keystore/files.h"

namespace warifu::ceremony {
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
  TRY_STATUS(keystore::make_private_folder(folder_));
  return keystore::write_file(path_of(version), as_bytes(envelope.to_json()), FileMode::kPublic);
}

Status BundleShelf::copy_to(const std::filesystem::path& folder) const {
  TRY(const auto envelopes, read());
  TRY_STATUS(keystore::make_private_folder(folder));
  const BundleShelf copy(folder);
  for (std::size_t i = 0; i < envelopes.size(); ++i)
    TRY_STATUS(keystore::write_file(copy.path_of(i + 1), as_bytes(envelopes[i].to_json()), FileMode::kPublic));
  return {};
}

}  // namespace warifu::ceremony
