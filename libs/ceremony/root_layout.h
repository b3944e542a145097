#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"
#include "crypto/certificate.h"
#include "crypto/ec.h"
#include "keystore/folder_lock.h"
#include "signing_keys/file_keys.h"

// What lies in a root's folder, and what of it counts (docs/formats/root-dir.md). For the sources of this library
// alone.
namespace warifu::ceremony::layout {

// root.json.
struct Described {
  std::string organisation;
  crypto::EcCurve curve;
  std::uint64_t generation;  // of the folder of keys

  std::filesystem::path keys(const std::filesystem::path& path) const;
  Described next() const { return {organisation, curve, generation + 1}; }
};

signing_keys::KeyName root_key_name();
signing_keys::KeyName revocation_key_name();

// kInvalidInput "root.missing" when there is none.
Result<Described> read_description(const std::filesystem::path& path);
Status write_description(const std::filesystem::path& path, const Described& described);
Result<crypto::Certificate> read_certificate(const std::filesystem::path& path);
// Whether the master revocation key lies in it: other people may have those that count.
Result<bool> has_revocation_key(const std::filesystem::path& path, const Described& described);

// A folder of keys of an attempt that did not end, or of before a change: nothing counts in it.
Status clear(signing_keys::FileKeys& keys);
// Of before a change. The one after it may be of a root that is prepared.
Status remove_older_keys(const std::filesystem::path& path, const Described& described);

// The root that was prepared to come after it.
Result<std::optional<crypto::Certificate>> prepared_root(const std::filesystem::path& path, const Described& described);
// The root that was prepared and signs the bundles: the change has happened, though the folder does not say so yet.
Result<std::optional<crypto::Certificate>> root_to_adopt(const std::filesystem::path& path, const Described& described);
// What counts then.
Result<Described> adopt_root(const std::filesystem::path& path, const Described& before,
                             const crypto::Certificate& root);

// Does what the newest bundle decided: a root that it names as signer is adopted, a revocation key that it does not
// name is destroyed, and what is older goes. What counts then.
Result<Described> follow_bundles(const std::filesystem::path& path);

struct Taken {
  keystore::FolderLock lock;
  Described described;
};
// For this process alone, and following its bundles, as if no power cut had ever been. kConflict "state.in_use".
Result<Taken> take(const std::filesystem::path& path);

}  // namespace warifu::ceremony::layout
