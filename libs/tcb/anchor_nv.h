#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"

namespace warifu::tcb {

// Two places in the TPM's NV that hold what no state folder can say by itself: which trust bundle is believed. Of the
// owner: TPM2_Clear removes both. Errors as those of Tpm.
class AnchorNv {
 public:
  static constexpr std::size_t kAnchorSize = 64;

  virtual ~AnchorNv() = default;

  // nullopt when there is none, or nothing was written to it yet. A power cut may tear write_anchor().
  virtual Result<std::optional<Bytes>> read_anchor() = 0;
  virtual Status write_anchor(ByteView anchor) = 0;  // kAnchorSize bytes
  // A counter that only rises, by one; one that is made anew begins above every one that there was (TPM 2.0 Part 1, "NV
  // Counter"). nullopt when there is none, or it was never raised.
  virtual Result<std::optional<std::uint64_t>> read_anchor_counter() = 0;
  virtual Status raise_anchor_counter() = 0;
};

}  // namespace warifu::tcb
