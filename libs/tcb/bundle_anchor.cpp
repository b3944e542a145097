#include "tcb/bundle_anchor.h"

#include <algorithm>

#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::tcb {
namespace {

struct Written {
  std::uint64_t counter;
  AnchoredBundle bundle;
};

Bytes write(const Written& written) {
  return wire::Writer().u64(written.counter).u64(written.bundle.version).bytes(written.bundle.digest.bytes()).take();
}

Result<Written> parse(ByteView content) {
  wire::Reader in(content);
  TRY(const std::uint64_t counter, in.u64("counter"));
  TRY(const std::uint64_t version, in.u64("version"));
  TRY(const ByteView digest_bytes, in.bytes(crypto::digest_size(crypto::HashAlgorithm::kSha256), "digest"));
  TRY_STATUS(in.expect_done("anchor"));
  crypto::Digest digest(crypto::HashAlgorithm::kSha256);
  std::ranges::copy(digest_bytes, digest.writable().begin());
  return Written{counter, {version, digest}};
}

}  // namespace

Result<BundleAnchor::State> BundleAnchor::read() {
  TRY(const auto content, nv_.read_anchor());
  if (!content) return State{};
  TRY(const auto written, parse(*content));
  TRY(auto counter, nv_.read_anchor_counter());
  if (counter && written.counter == *counter + 1) {
    TRY_STATUS(nv_.raise_anchor_counter());
    TRY(counter, nv_.read_anchor_counter());
  }
  if (counter == written.counter) return State{written.bundle, 0};
  return State{std::nullopt, written.bundle.version};
}

Status BundleAnchor::move_to(const AnchoredBundle& bundle) {
  TRY(auto counter, nv_.read_anchor_counter());
  if (!counter) {
    // Where it begins is known only once it was raised.
    TRY_STATUS(nv_.raise_anchor_counter());
    TRY(counter, nv_.read_anchor_counter());
  }
  if (!counter)
    return Error{ErrorKind::kUnavailable, "tpm.nv.unwritten", "the TPM's counter was raised and says nothing"};
  TRY_STATUS(nv_.write_anchor(write({*counter + 1, bundle})));
  return nv_.raise_anchor_counter();
}

}  // namespace warifu::tcb
