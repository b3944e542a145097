#include "verifier/package_cache.h"

#include <algorithm>
#include <cstdlib>

namespace warifu::verifier {
namespace {

Error bad_data(std::string what) {
  return {ErrorKind::kInternal, "store.corrupt", std::move(what), "data_packages.document"};
}

}  // namespace

std::shared_ptr<const endorsement::FlawTable> built_in_flaws() {
  auto table = endorsement::FlawTable::load(endorsement::SignedText::built_in_flaws());
  // A test loads it: a program without one that loads is not shipped.
  if (!table) std::abort();
  return std::make_shared<const endorsement::FlawTable>(*std::move(table));
}

PackageCache::PackageCache() : built_in_(built_in_flaws()) {
}

template <class Data>
Result<std::shared_ptr<const Data>> PackageCache::find(RecordsView& records, const ScopeId& scope, PackageKind kind,
                                                       Used<Data>& used) {
  TRY(const auto info, records.find_package_info(scope, kind));
  if (!info) return std::shared_ptr<const Data>();
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(used, info->revision, [](const auto& entry) { return entry.first; });
    if (found != used.end()) {
      used.splice(used.begin(), used, found);
      return used.front().second;
    }
  }
  TRY(const auto stored, records.find_package(scope, kind));
  if (!stored) return bad_data("a package is gone");
  TRY(const auto text, stored->signed_text());
  auto parsed = Data::load(text);
  if (!parsed) return bad_data(parsed.error().message);
  auto data = std::make_shared<const Data>(*std::move(parsed));
  const std::lock_guard lock(mutex_);
  used.emplace_front(stored->info.revision, data);
  if (used.size() > kSizeMax) used.pop_back();
  return data;
}

Result<std::shared_ptr<const endorsement::FlawTable>> PackageCache::flaws(RecordsView& records, const ScopeId& scope) {
  TRY(auto put, find(records, scope, PackageKind::kTpmFlaws, flaws_));
  return put != nullptr ? std::move(put) : built_in_;
}

Result<std::shared_ptr<const endorsement::FirmwareQuirks>> PackageCache::quirks(RecordsView& records,
                                                                                const ScopeId& scope) {
  return find(records, scope, PackageKind::kFirmwareQuirks, quirks_);
}

}  // namespace warifu::verifier
