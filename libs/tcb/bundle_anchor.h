#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "crypto/digest.h"
#include "tcb/anchor_nv.h"

namespace warifu::tcb {

// A trust bundle, as the TPM remembers it.
struct AnchoredBundle {
  std::uint64_t version;
  crypto::Digest digest;  // SHA-256 of its payload
};

// Which bundle this device believes, in the TPM: {counter, version, digest, checksum} in one index, and that counter in
// a second one, which nobody can put back. They belong together when both say the same number, or the first says one
// more: then a power cut came between the two steps of move_to(). One that is torn has not its checksum and says
// nothing.
class BundleAnchor {
 public:
  explicit BundleAnchor(AnchorNv& nv) : nv_(nv) {}

  struct State {
    std::optional<AnchoredBundle> anchored;
    // When the two do not belong together: what the first one says, which nothing vouches for. 0: nothing is there.
    std::uint64_t version_of_broken = 0;
  };
  // Ends a move that was cut short.
  Result<State> read();
  // Proves that both can be written, and changes nothing that counts.
  Status prepare();
  // Anchors this one. After a power cut the one before or this one is anchored.
  Status move_to(const AnchoredBundle& bundle);

 private:
  // Where it begins is known only once it was raised.
  Result<std::uint64_t> begun_counter();

  AnchorNv& nv_;
};

}  // namespace warifu::tcb
