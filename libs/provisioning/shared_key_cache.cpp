#include "provisioning/shared_key_cache.h"

namespace warifu::provisioning {

Result<SharedKeyCache::Keys> SharedKeyCache::open(const SecretBytes& envelope_key, const ScopeId& scope,
                                                  const Uuid& enrollment_id, const SymmetricKeyAttestation& sealed,
                                                  Timestamp now) {
  const std::string place = std::string(scope.text()) + '/' + enrollment_id.text();
  if (auto keys = find(place, sealed, now)) return keys;
  TRY(auto opened, open_shared_keys(envelope_key, scope, enrollment_id, sealed));
  auto keys = std::make_shared<const SharedKeys>(std::move(opened));
  const std::lock_guard lock(mutex_);
  if (opened_.size() >= kSizeMax) opened_.clear();  // seldom: a scope has a tenth of it at most
  opened_.insert_or_assign(place, Opened{sealed, now, keys});
  return keys;
}

SharedKeyCache::Keys SharedKeyCache::find(const std::string& place, const SymmetricKeyAttestation& sealed,
                                          Timestamp now) const {
  const std::lock_guard lock(mutex_);
  const auto found = opened_.find(place);
  if (found == opened_.end() || is_old(found->second, now)) return nullptr;
  const bool is_same = found->second.sealed.sealed_primary == sealed.sealed_primary &&
                       found->second.sealed.sealed_secondary == sealed.sealed_secondary;
  return is_same ? found->second.keys : nullptr;
}

void SharedKeyCache::purge(Timestamp now) {
  const std::lock_guard lock(mutex_);
  std::erase_if(opened_, [&](const auto& place_and_opened) { return is_old(place_and_opened.second, now); });
}

std::size_t SharedKeyCache::size() const {
  const std::lock_guard lock(mutex_);
  return opened_.size();
}

}  // namespace warifu::provisioning
