#include "debian_packages/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace warifu::debian_packages {
namespace {

constexpr std::size_t kBlockSize = std::size_t{64} * 1024;

void support_filters(archive* handle) {
  archive_read_support_filter_gzip(handle);
  archive_read_support_filter_xz(handle);
  archive_read_support_filter_lzma(handle);
  archive_read_support_filter_zstd(handle);
  archive_read_support_filter_bzip2(handle);
}

archive* new_reader(Archive::Format format) {
  archive* handle = archive_read_new();
  if (handle == nullptr) std::abort();
  switch (format) {
    case Archive::Format::kAr:  // of a .deb: not compressed as a whole
      archive_read_support_format_ar(handle);
      break;
    case Archive::Format::kTar:
      archive_read_support_format_tar(handle);
      support_filters(handle);
      // Names are bytes, whatever the locale is.
      archive_read_set_options(handle, "tar:hdrcharset=BINARY");
      break;
    case Archive::Format::kRaw:
      archive_read_support_format_raw(handle);
      archive_read_support_format_empty(handle);
      support_filters(handle);
      break;
  }
  return handle;
}

// Bytes of the member at which the outer archive stands; archive_read_open() calls it.
la_ssize_t read_member(archive* inner, void* outer, const void** buffer) {
  const auto block = static_cast<Archive*>(outer)->read();
  if (!block) {
    archive_set_error(inner, EILSEQ, "%s", block.error().message.c_str());
    return -1;
  }
  *buffer = block->data();
  return static_cast<la_ssize_t>(block->size());
}

}  // namespace

Archive::Archive(Format format, std::string name) : handle_(new_reader(format)), name_(std::move(name)) {
}
Archive::Archive(Archive&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), name_(std::move(other.name_)) {
}
Archive::~Archive() {
  if (handle_ != nullptr) archive_read_free(handle_);
}

Error Archive::refusal(std::string_view what) const {
  const char* why = archive_error_string(handle_);
  return invalid_input("deb.format", fmt::format("{}: {}", what, why == nullptr ? "no such archive" : why), name_);
}

Result<Archive> Archive::open(Format format, const ArchiveSource& source) {
  Archive opened(format, source.name);
  const int done = source.file.empty()
                       ? archive_read_open_memory(opened.handle_, source.bytes.data(), source.bytes.size())
                       : archive_read_open_filename(opened.handle_, source.file.c_str(), kBlockSize);
  if (done != ARCHIVE_OK) return opened.refusal("it cannot be read");
  return opened;
}

Result<Archive> Archive::open_in(Archive& outer, Format format) {
  Archive opened(format, outer.name_);
  if (archive_read_open(opened.handle_, &outer, nullptr, read_member, nullptr) != ARCHIVE_OK)
    return opened.refusal("a member cannot be read");
  return opened;
}

Result<archive_entry*> Archive::next() {
  archive_entry* entry = nullptr;
  const int done = archive_read_next_header(handle_, &entry);
  if (done == ARCHIVE_EOF) return nullptr;
  // What is only warned of was understood in part.
  if (done != ARCHIVE_OK) return refusal("it is truncated, or no archive of this kind");
  return entry;
}

Result<ByteView> Archive::read() {
  const void* block = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  // A block without bytes is not the end.
  while (true) {
    const int done = archive_read_data_block(handle_, &block, &size, &offset);
    if (done == ARCHIVE_EOF) return ByteView();
    if (done != ARCHIVE_OK) return refusal("a member is truncated or damaged");
    if (size != 0) return ByteView(static_cast<const std::uint8_t*>(block), size);
  }
}

Result<std::string> decompressed(const ArchiveSource& source, std::size_t size_max) {
  TRY(auto archive, Archive::open(Archive::Format::kRaw, source));
  TRY(const auto* entry, archive.next());
  std::string text;
  if (entry == nullptr) return text;
  while (true) {
    TRY(const auto block, archive.read());
    if (block.empty()) return text;
    if (block.size() > size_max - text.size())
      return invalid_input("deb.size", fmt::format("it unpacks to more than {} bytes", size_max), source.name);
    text.append(as_text(block));
  }
}

}  // namespace warifu::debian_packages
