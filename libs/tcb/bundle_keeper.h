#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/state_files.h"
#include "crypto/certificate.h"
#include "tcb/bundle_anchor.h"
#include "tcb/bundle_record.h"
#include "tcb/journal.h"
#include "trust_bundle/trusted_bundle.h"

namespace warifu::tcb {

// The trust bundle that this device believes: begun from the pinned root, followed forward only, anchored in the TPM
// (docs/decisions/0038-devices-follow-the-trust-bundle.md).
class BundleKeeper {
 public:
  // What it is given outlives it.
  BundleKeeper(AnchorNv& nv, StateFiles& files, Journal& journal, const crypto::Certificate& pinned_root)
      : anchor_(nv), files_(files), journal_(journal), pinned_root_(pinned_root) {}

  struct Held {
    std::optional<trust_bundle::TrustedBundle> bundle;
    std::uint64_t at_least = 0;  // the version that this device has seen; 0: none

    // kRefused "bundle.rollback": there is no bundle, or an older one than was seen.
    Status check_not_rolled_back() const;
  };
  // Reads it at the first need. The errors of files and TPM; a file that nobody can read is not needed.
  Result<const Held*> held();

  // Takes the first bundle, the next one, or the one that the TPM remembers and that the file lost; whether it is new.
  // Refused: the errors of TrustedBundle, and then nothing has changed. Afterwards it is on disk and in the TPM. After
  // an error of files or TPM the bundle before or this one is believed: held() says which.
  Result<bool> follow(std::string_view envelope_json);
  // After a TPM2_Clear that the organisation wanted: what it believed goes, too.
  Status forget();

 private:
  Status load();
  // The one that the anchor names.
  std::optional<trust_bundle::TrustedBundle> resume(const BundleRecord& record, const AnchoredBundle& anchored);
  Result<trust_bundle::TrustedBundle> take_remembered(const trust_bundle::Envelope& envelope) const;
  Status keep(const trust_bundle::TrustedBundle& next, std::string_view envelope_json);

  BundleAnchor anchor_;
  StateFiles& files_;
  Journal& journal_;
  const crypto::Certificate& pinned_root_;
  bool is_loaded_ = false;
  Held held_;
  Bytes envelope_;                            // of the bundle
  std::optional<AnchoredBundle> remembered_;  // by the TPM, while the file has no bundle for it
};

}  // namespace warifu::tcb
