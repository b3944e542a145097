#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "recording.h"

namespace warifu::bus {

enum class Spelling : std::uint8_t { kRaw, kHex, kBase64 };

std::string_view to_string(Spelling spelling);

// Where a secret stands in a recording.
struct Finding {
  std::string secret;
  Spelling spelling;
  std::size_t message;  // index in the recording
  std::size_t offset;   // in that message
};

// Looks for secrets that the harness knows. A secret is found raw, in hexadecimal of either case, and in base64 or
// base64url, also when it starts in the middle of a text that was encoded as a whole.
class SecretSearch {
 public:
  // Shorter values, and values with fewer than eight different bytes, could be found by accident and are refused:
  // "bus.secret.weak". 12 bytes stand at a given place of 1 MiB of noise with a probability below 2^-76.
  static constexpr std::size_t kMinSize = 12;
  Status add(std::string name, ByteView value);

  std::vector<std::string> names() const;
  std::vector<Finding> search(const Recording& recording) const;

 private:
  struct Needle {
    Spelling spelling;
    Bytes bytes;
  };
  struct Secret {
    std::string name;
    std::vector<Needle> needles;
  };
  std::vector<Secret> secrets_;
};

// "name (hex) in response 12 at byte 34", for the message of a failing test.
std::string to_string(const Finding& finding, const Recording& recording);

}  // namespace warifu::bus
