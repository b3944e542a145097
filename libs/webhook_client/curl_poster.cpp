#include "webhook_client/curl_poster.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <memory>

#include "webhooks/destination.h"
#include "webhooks/limits.h"

namespace warifu::webhook_client {
namespace {

using webhooks::PostReply;
using webhooks::PostRequest;

constexpr std::string_view kHttps = "https:";
constexpr long kFinalStatusMin = 200;

void use_libcurl() {
  // Its tables take memory that a server without webhooks need not have.
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(initialised);
}

// Without the zone of a link-local address: empty for another family.
std::string text_of(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (address.sa_family == AF_INET) bytes = &reinterpret_cast<const sockaddr_in&>(address).sin_addr;
  if (address.sa_family == AF_INET6) bytes = &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (bytes == nullptr || ::inet_ntop(address.sa_family, bytes, text.data(), text.size()) == nullptr) return {};
  return text.data();
}

// One request, and what its callbacks need.
class Exchange {
 public:
  Exchange(const PostRequest& request, const std::atomic<bool>& is_stopped)
      : request_(request), is_stopped_(is_stopped), curl_(curl_easy_init(), curl_easy_cleanup) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() { curl_slist_free_all(headers_); }

  Result<PostReply> run() {
    if (!curl_) return Error{ErrorKind::kUnavailable, "webhook.unreachable", "libcurl has no memory"};
    configure();
    const CURLcode code = curl_easy_perform(curl_.get());
    long status = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
    // A final status that came counts, whatever of the rest did not: its body is not used.
    if (code != CURLE_OK && status < kFinalStatusMin) return failure(code);
    PostReply reply{static_cast<int>(status), std::nullopt};
    curl_off_t seconds = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RETRY_AFTER, &seconds);
    if (seconds > 0) reply.retry_after = std::chrono::seconds(seconds);
    return reply;
  }

 private:
  template <class Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(curl_.get(), option, value);
  }

  void configure() {
    is_encrypted_ = curl_strnequal(request_.url.c_str(), kHttps.data(), kHttps.size()) != 0;
    set(CURLOPT_URL, request_.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "https,http");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_NOSIGNAL, 1L);
    // The resolver's thread, which may wait for a name server, is left behind when the time is over.
    set(CURLOPT_QUICK_EXIT, 1L);
    set(CURLOPT_PROXY, "");  // whatever the environment says
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_PATH_AS_IS, 1L);
    set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::chrono::milliseconds(webhooks::kRequestTimeout).count()));
    set(CURLOPT_USERAGENT, "warifud");
    set(CURLOPT_ERRORBUFFER, error_text_.data());
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request_.body.size()));
    set(CURLOPT_POSTFIELDS, request_.body.data());
    add_headers();
    trust();
    set(CURLOPT_OPENSOCKETFUNCTION, &Exchange::on_open_socket);
    set(CURLOPT_OPENSOCKETDATA, this);
    set(CURLOPT_WRITEFUNCTION, &Exchange::on_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &Exchange::on_progress);
    set(CURLOPT_XFERINFODATA, this);
  }

  void add_headers() {
    headers_ = curl_slist_append(headers_, "Expect:");  // no 100-continue
    for (const auto& [name, value] : request_.headers)
      headers_ = curl_slist_append(headers_, fmt::format("{}: {}", name, value).c_str());
    set(CURLOPT_HTTPHEADER, headers_);
  }

  void trust() {
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    if (request_.ca_pem.empty()) return;
    curl_blob own{const_cast<char*>(request_.ca_pem.data()), request_.ca_pem.size(), CURL_BLOB_NOCOPY};
    set(CURLOPT_CAINFO, nullptr);  // the system's authorities are no longer believed
    set(CURLOPT_CAPATH, nullptr);
    set(CURLOPT_CAINFO_BLOB, &own);
  }

  // Before a packet goes to `address`, also when a name has several.
  static curl_socket_t on_open_socket(void* self_pointer, curlsocktype, struct curl_sockaddr* address) {
    auto& self = *static_cast<Exchange*>(self_pointer);
    self.verdict_ = webhooks::check_address(text_of(address->addr), self.is_encrypted_);
    if (!self.verdict_) return CURL_SOCKET_BAD;
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }

  static std::size_t on_body(const char*, std::size_t, std::size_t size, void* self_pointer) {
    auto& self = *static_cast<Exchange*>(self_pointer);
    self.received_ += size;
    return self.received_ <= webhooks::kReplySizeMax ? size : CURL_WRITEFUNC_ERROR;
  }

  // At least once a second, whatever the receiver does.
  static int on_progress(void* self_pointer, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto& self = *static_cast<Exchange*>(self_pointer);
    return self.is_stopped_ ? 1 : 0;
  }

  Error failure(CURLcode code) const {
    const auto unavailable = [&](std::string_view name, std::string_view what) {
      const char* reason = error_text_.front() == '\0' ? curl_easy_strerror(code) : error_text_.data();
      return Error{ErrorKind::kUnavailable, name, fmt::format("{} ({})", what, reason)};
    };
    if (is_stopped_) return unavailable("webhook.stopped", "this server is being stopped");
    if (!verdict_) return verdict_.error();
    switch (code) {
      case CURLE_COULDNT_RESOLVE_HOST:
        return unavailable("webhook.name", "the receiver's name was not found");
      case CURLE_COULDNT_CONNECT:
        return unavailable("webhook.unreachable", "the receiver takes no connection");
      case CURLE_OPERATION_TIMEDOUT:
        return unavailable("webhook.timeout", fmt::format("no answer within {} s", webhooks::kRequestTimeout.count()));
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_CACERT_BADFILE:
      case CURLE_SSL_CONNECT_ERROR:
        return unavailable("webhook.tls", "the receiver's TLS certificate is not believed, or there is no TLS");
      case CURLE_WEIRD_SERVER_REPLY:
      case CURLE_UNSUPPORTED_PROTOCOL:
        return unavailable("webhook.reply", "what the receiver answers is no HTTP");
      default:
        return unavailable("webhook.unreachable", "the connection broke");
    }
  }

  const PostRequest& request_;
  const std::atomic<bool>& is_stopped_;
  bool is_encrypted_ = false;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  curl_slist* headers_ = nullptr;
  Status verdict_;
  std::size_t received_ = 0;
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl_;
};

}  // namespace

Result<PostReply> CurlPoster::post(const PostRequest& request) {
  use_libcurl();
  return Exchange(request, is_stopped_).run();
}

}  // namespace warifu::webhook_client
