#include "warifu/debian_mirror.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <fstream>
#include <memory>

#include "crypto/digest_stream.h"

namespace warifu::cli {
namespace {

constexpr long kMirrorConnectSeconds = 30;
// Slower than this for so long is no connection any more.
constexpr long kBytesPerSecondMin = 100;
constexpr long kSlowSecondsMax = 60;
constexpr long kRedirectsMax = 5;

Error not_fetched(std::string why, std::string where) {
  return {ErrorKind::kUnavailable, "debian.fetch", std::move(why), std::move(where)};
}

// A file that is written and hashed as it comes.
class Sink {
 public:
  Sink(const std::filesystem::path& to, std::uint64_t size_max) : file_(to, std::ios::binary), size_max_(size_max) {}

  // False: no more is taken.
  bool add(ByteView bytes) {
    if (bytes.size() > size_max_ - fetched_.size) {
      is_too_large_ = true;
      return false;
    }
    fetched_.size += bytes.size();
    digest_.add(bytes);
    file_.write(as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
    return file_.good();
  }
  Result<DebianMirror::Fetched> finish(const std::string& where) {
    file_.close();
    TRY_STATUS(check(where));
    fetched_.sha256 = digest_.finish();
    return fetched_;
  }
  Status check(const std::string& where) const {
    if (is_too_large_)
      return refused("debian.size", fmt::format("expected at most {} bytes, more came", size_max_), where);
    if (!file_.good()) return not_fetched("it could not be written to a file", where);
    return {};
  }

 private:
  std::ofstream file_;
  std::uint64_t size_max_;
  bool is_too_large_ = false;
  DebianMirror::Fetched fetched_;
  crypto::DigestStream digest_{crypto::HashAlgorithm::kSha256};
};

Status copy(const std::string& from, Sink& sink) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(from, error)) return not_fetched("there is no such file", from);
  std::ifstream in(from, std::ios::binary);
  std::array<char, std::size_t{64} * 1024> buffer{};
  while (in.read(buffer.data(), buffer.size()), in.gcount() > 0)
    if (!sink.add(as_bytes(std::string_view(buffer.data(), static_cast<std::size_t>(in.gcount())))))
      return sink.check(from);
  if (in.bad()) return not_fetched("it could not be read", from);
  return {};
}

std::size_t take_block(char* data, std::size_t size, std::size_t count, void* sink) {
  return static_cast<Sink*>(sink)->add(as_bytes(std::string_view(data, size * count))) ? size * count : 0;
}

// What may not stand in a URL as it is.
std::string encoded(std::string_view path) {
  constexpr std::string_view kPlain = "-._~/+:";
  std::string text;
  for (const char c : path) {
    const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          kPlain.find(c) != std::string_view::npos;
    text += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return text;
}

Status download(const std::string& url, Sink& sink) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(curl_easy_init(), curl_easy_cleanup);
  CURL* curl = handle.get();
  if (curl == nullptr) return not_fetched("libcurl cannot be started", url);
  std::array<char, CURL_ERROR_SIZE> why{};
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, kRedirectsMax);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kMirrorConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kBytesPerSecondMin);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kSlowSecondsMax);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "warifu/" WARIFU_VERSION);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_block);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sink);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why.data());
  const CURLcode done = curl_easy_perform(curl);
  if (done == CURLE_OK) return {};
  TRY_STATUS(sink.check(url));
  return not_fetched(why[0] != '\0' ? why.data() : curl_easy_strerror(done), url);
}

}  // namespace

Result<DebianMirror> DebianMirror::of(const std::string& address) {
  constexpr std::string_view kFile = "file://";
  std::string place = address;
  const bool is_web = place.starts_with("http://") || place.starts_with("https://");
  if (place.starts_with(kFile)) place.erase(0, kFile.size());
  const bool is_absolute = place.starts_with('/');
  if (!is_web && place.find("://") != std::string::npos)
    return invalid_input("debian.mirror", "expected a directory, file:///…, http:// or https://", address);
  if (address.starts_with(kFile) && !is_absolute)
    return invalid_input("debian.mirror", "expected a whole path after file://", address);
  while (place.size() > 1 && place.ends_with('/'))
    place.pop_back();
  if (place.empty()) return invalid_input("debian.mirror", "it is empty", address);
  return DebianMirror(std::move(place), is_web);
}

Result<DebianMirror::Fetched> DebianMirror::fetch(const std::string& path, const std::filesystem::path& to,
                                                  std::uint64_t size_max) const {
  Sink sink(to, size_max);
  const std::string where = fmt::format("{}/{}", address_, is_web_ ? encoded(path) : path);
  TRY_STATUS(is_web_ ? download(where, sink) : copy(where, sink));
  return sink.finish(where);
}

}  // namespace warifu::cli
