#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/time.h"
#include "provisioning/shared_keys.h"

namespace warifu::provisioning {

// The keys of groups, opened. A token names no group: that of a device which is not known yet is tried with the keys of
// each, and strangers make up such tokens. Opened keys stay for a minute, are wiped with the last who uses them, and
// are never used for another seal than they came out of. Safe to call from several threads.
class SharedKeyCache {
 public:
  static constexpr std::size_t kSizeMax = 1'024;
  static constexpr std::chrono::seconds kLifetime{60};
  using Keys = std::shared_ptr<const SharedKeys>;

  // As open_shared_keys().
  Result<Keys> open(const SecretBytes& envelope_key, const ScopeId& scope, const Uuid& enrollment_id,
                    const SymmetricKeyAttestation& sealed, Timestamp now);
  // Wipes what has been open for long enough.
  void purge(Timestamp now);
  std::size_t size() const;

 private:
  struct Opened {
    SymmetricKeyAttestation sealed;
    Timestamp at;
    Keys keys;
  };
  // A clock that went back makes it old, too.
  static bool is_old(const Opened& opened, Timestamp now) { return now >= opened.at + kLifetime || now < opened.at; }
  Keys find(const std::string& place, const SymmetricKeyAttestation& sealed, Timestamp now) const;

  mutable std::mutex mutex_;
  std::unordered_map<std::string, Opened> opened_;  // by scope and generation
};

}  // namespace warifu::provisioning
