#include "tcb/handshake_content.h"

#include <algorithm>
#include <iterator>

namespace warifu::tcb {

Bytes handshake_content(std::string_view context, const crypto::Digest& transcript) {
  Bytes content(64, ' ');
  std::ranges::copy(as_bytes(context), std::back_inserter(content));
  content.push_back(0);
  std::ranges::copy(transcript.bytes(), std::back_inserter(content));
  return content;
}

}  // namespace warifu::tcb
