#include "tcb/bundle_anchor.h"

#include <algorithm>

#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::tcb {
namespace {

// The first bytes of the SHA-256 of what stands before.
constexpr std::size_t kChecksumSize = 16;

struct Written {
  std::uint64_t counter;
  AnchoredBundle bundle;
};

Bytes write(const Written& written) {
  wire::Writer out;
  out.u64(written.counter).u64(written.bundle.version).bytes(written.bundle.digest.bytes());
  const auto checksum = crypto::digest(crypto::HashAlgorithm::kSha256, {out.view()});
  return out.bytes(checksum.bytes().first(kChecksumSize)).take();
}

Result<Written> parse(ByteView content) {
  wire::Reader in(content);
  TRY(const std::uint64_t counter, in.u64("counter"));
  TRY(const std::uint64_t version, in.u64("version"));
  TRY(const ByteView digest_bytes, in.bytes(crypto::digest_size(crypto::HashAlgorithm::kSha256), "digest"));
  TRY_STATUS(in.bytes(kChecksumSize, "checksum"));
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
  // Torn by a power cut, or what prepare() wrote.
  if (write(written) != *content) return State{};
  TRY(auto counter, nv_.read_anchor_counter());
  if (counter && written.counter == *counter + 1) {
    TRY_STATUS(nv_.raise_anchor_counter());
    TRY(counter, nv_.read_anchor_counter());
  }
  if (counter == written.counter) return State{written.bundle, 0};
  return State{std::nullopt, written.bundle.version};
}

Result<std::uint64_t> BundleAnchor::begun_counter() {
  TRY(auto counter, nv_.read_anchor_counter());
  if (!counter) {
    TRY_STATUS(nv_.raise_anchor_counter());
    TRY(counter, nv_.read_anchor_counter());
  }
  if (counter) return *counter;
  return Error{ErrorKind::kUnavailable, "tpm.nv.unwritten", "the TPM's counter was raised and says nothing"};
}

Status BundleAnchor::prepare() {
  TRY_STATUS(begun_counter());
  TRY(const auto content, nv_.read_anchor());
  return nv_.write_anchor(content.value_or(Bytes(AnchorNv::kAnchorSize)));
}

Status BundleAnchor::move_to(const AnchoredBundle& bundle) {
  TRY(const std::uint64_t counter, begun_counter());
  TRY_STATUS(nv_.write_anchor(write({counter + 1, bundle})));
  return nv_.raise_anchor_counter();
}

}  // namespace warifu::tcb
