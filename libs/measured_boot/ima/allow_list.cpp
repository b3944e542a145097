#include "measured_boot/ima/allow_list.h"

#include <algorithm>
#include <cstring>

namespace warifu::measured_boot::ima {
namespace {

// Odd constants without structure: digits of pi.
constexpr std::uint64_t kMixA = 0x243f6a8885a308d3;
constexpr std::uint64_t kMixB = 0x13198a2e03707345;
constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHeader = 8;  // kind, size of the digest, u16 window, u32 size of the path

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a ^ kMixA) * (b ^ kMixB);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t word_at(const std::uint8_t* at, std::size_t size) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, size);
  return word;
}

// Fast, and no more: what has an equal fingerprint is compared. Whoever finds paths that collide only makes his own
// entries slower to look up, for the table holds what the operator put there.
std::uint64_t fingerprint(ByteView bytes, std::uint64_t start) {
  std::uint64_t state = start + bytes.size();
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= sizeof state; left -= sizeof state, at += sizeof state)
    state = mixed(state, word_at(at, sizeof state));
  return mixed(state, left == 0 ? 0 : word_at(at, left));
}

// Digests of different hashes and of fs-verity are different things, also when their bytes are the same.
std::optional<std::uint8_t> kind_of(const FileDigest& digest) {
  const auto algorithm = digest.known_algorithm();
  if (!algorithm) return std::nullopt;
  return static_cast<std::uint8_t>((digest.kind == FileDigest::Kind::kVerity ? 0x80U : 0U) |
                                   static_cast<unsigned>(*algorithm));
}

std::uint64_t digest_fingerprint(std::uint8_t kind, ByteView digest) {
  return mixed(word_at(digest.data(), 8), word_at(digest.data() + 8, 8) + kind);
}

}  // namespace

void FingerprintTable::reserve(std::size_t count) {
  std::size_t slots = 16;
  while (slots < 2 * count)
    slots *= 2;
  if (slots <= slots_.size()) return;
  std::vector<Slot> old(slots);
  old.swap(slots_);
  mask_ = slots - 1;
  for (const Slot& slot : old)
    if (slot.value != kFree) place(slot.fingerprint, slot.value);
}

void FingerprintTable::insert(std::uint64_t fingerprint, std::uint64_t value) {
  reserve(++count_);
  place(fingerprint, value);
}

void FingerprintTable::place(std::uint64_t fingerprint, std::uint64_t value) {
  std::size_t i = fingerprint & mask_;
  while (slots_[i].value != kFree)
    i = (i + 1) & mask_;
  slots_[i] = {fingerprint, value};
}

struct AllowList::Pair {
  std::uint8_t kind = 0;
  WindowNumber window = kNoWindow;
  ByteView digest;
  std::string_view path;

  bool has_digest(const Pair& other) const { return kind == other.kind && std::ranges::equal(digest, other.digest); }
  bool is_same(const Pair& other) const { return has_digest(other) && path == other.path; }
};

AllowList::Pair AllowList::pair_at(std::uint64_t place) const {
  const std::uint8_t* at = pairs_.data() + place;
  const std::size_t digest_size = at[1];
  const auto path_size = static_cast<std::size_t>(word_at(at + 4, 4));
  return {at[0], window_at(place), {at + kHeader, digest_size}, {as_text({at + kHeader + digest_size, path_size})}};
}

AllowList::WindowNumber AllowList::window_at(std::uint64_t place) const {
  return static_cast<WindowNumber>(word_at(pairs_.data() + place + 2, sizeof(WindowNumber)));
}

bool AllowList::is_closed_at(std::uint64_t place, Timestamp now) const {
  const WindowNumber window = window_at(place);
  return window != kNoWindow && windows_[window - 1U].until <= now;
}

std::uint64_t AllowList::append(const Pair& pair) {
  const std::uint64_t place = pairs_.size();
  const auto path_size = static_cast<std::uint32_t>(pair.path.size());
  pairs_.push_back(pair.kind);
  pairs_.push_back(static_cast<std::uint8_t>(pair.digest.size()));
  for (unsigned byte = 0; byte < sizeof(WindowNumber); ++byte)
    pairs_.push_back(static_cast<std::uint8_t>(pair.window >> (8 * byte)));
  for (unsigned byte = 0; byte < 4; ++byte)
    pairs_.push_back(static_cast<std::uint8_t>(path_size >> (8 * byte)));
  pairs_.insert(pairs_.end(), pair.digest.begin(), pair.digest.end());
  const ByteView path = as_bytes(pair.path);
  pairs_.insert(pairs_.end(), path.begin(), path.end());
  return place;
}

void AllowList::reserve(std::size_t pairs) {
  exact_.reserve(pairs);
  by_digest_.reserve(pairs);
  by_path_.reserve(pairs);
}

bool AllowList::allow_until(std::string_view path, const FileDigest& digest, Timestamp until) {
  auto window = std::ranges::find(windows_, until, &Window::until);
  if (window == windows_.end()) {
    if (windows_.size() == kWindowsMax) return false;
    window = windows_.insert(windows_.end(), {until});
  }
  return add(path, digest, static_cast<WindowNumber>(window - windows_.begin() + 1));
}

bool AllowList::add(std::string_view path, const FileDigest& digest, WindowNumber window) {
  const auto kind = kind_of(digest);
  if (!kind || path.size() > 0xffff) return false;
  const Pair pair{*kind, window, digest.bytes, path};
  const std::uint64_t digest_print = digest_fingerprint(*kind, digest.bytes);
  const std::uint64_t exact_print = fingerprint(as_bytes(path), digest_print);
  const auto is_same = [&](std::uint64_t at) { return pair_at(at).is_same(pair); };
  if (const auto same = exact_.find(exact_print, is_same)) return window_at(*same) == window;
  const auto known = by_digest_.find(digest_print, [&](std::uint64_t at) { return pair_at(at).has_digest(pair); });
  if (known && window_at(*known) != window) return false;
  const std::uint64_t place = append(pair);
  exact_.insert(exact_print, place);
  ++size_;
  if (window != kNoWindow) ++windows_[window - 1U].pairs;
  // One pair of each digest and of each path says that it is known.
  if (!known) by_digest_.insert(digest_print, place);
  const std::uint64_t path_print = fingerprint(as_bytes(path), 0);
  if (!by_path_.find(path_print, [&](std::uint64_t at) { return pair_at(at).path == path; }))
    by_path_.insert(path_print, place);
  return true;
}

bool AllowList::withdraw(const FileDigest& digest) {
  const auto kind = kind_of(digest);
  if (!kind) return false;
  const std::uint64_t place = append({*kind, kNoWindow, digest.bytes, {}});
  withdrawn_.insert(digest_fingerprint(*kind, digest.bytes), place);
  ++withdrawn_count_;
  return true;
}

AllowList::Question AllowList::prepare(std::string_view path, const FileDigest& digest) const {
  Question question{.path = path, .digest = digest.bytes, .kind = kind_of(digest)};
  if (!question.kind) return question;
  question.digest_print = digest_fingerprint(*question.kind, digest.bytes);
  question.exact_print = fingerprint(as_bytes(path), question.digest_print);
  exact_.prefetch(question.exact_print);
  return question;
}

void AllowList::fetch(const Question& question) const {
  if (!question.kind) return;
  if (const auto place = exact_.first(question.exact_print)) {
    __builtin_prefetch(pairs_.data() + *place);
    __builtin_prefetch(pairs_.data() + std::min<std::size_t>(*place + kCacheLine, pairs_.size() - 1));
  }
}

std::optional<Timestamp> AllowList::end_of(const FileDigest& digest) const {
  const auto kind = kind_of(digest);
  if (!kind) return std::nullopt;
  const Pair pair{*kind, kNoWindow, digest.bytes, {}};
  const auto place = by_digest_.find(digest_fingerprint(*kind, digest.bytes),
                                     [&](std::uint64_t at) { return pair_at(at).has_digest(pair); });
  if (!place || window_at(*place) == kNoWindow) return std::nullopt;
  return windows_[window_at(*place) - 1U].until;
}

bool AllowList::changes_between(Timestamp one, Timestamp other) const {
  return std::ranges::any_of(windows_,
                             [&](const Window& window) { return (window.until <= one) != (window.until <= other); });
}

AllowList::Verdict AllowList::judge(const Question& question, Timestamp now) const {
  if (question.kind) {
    const Pair pair{*question.kind, kNoWindow, question.digest, question.path};
    const auto has_digest = [&](std::uint64_t at) { return pair_at(at).has_digest(pair); };
    if (withdrawn_count_ != 0 && withdrawn_.find(question.digest_print, has_digest)) return Verdict::kWithdrawn;
    // All pairs of a digest have its window.
    if (const auto at = exact_.find(question.exact_print, [&](std::uint64_t p) { return pair_at(p).is_same(pair); }))
      return is_closed_at(*at, now) ? Verdict::kRetired : Verdict::kAllowed;
    if (const auto at = by_digest_.find(question.digest_print, has_digest))
      return is_closed_at(*at, now) ? Verdict::kRetired : Verdict::kOtherPath;
  }
  const auto has_path = [&](std::uint64_t at) { return pair_at(at).path == question.path; };
  return by_path_.find(fingerprint(as_bytes(question.path), 0), has_path) ? Verdict::kChanged : Verdict::kUnknown;
}

}  // namespace warifu::measured_boot::ima
