#include "http_client/https_client.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <optional>

#include "http_client/client_certificate.h"
#include "http_client/header_lines.h"
#include "http_client/reply_reader.h"

namespace warifu::http_client {
namespace {

constexpr long kConnectTimeoutSeconds = 15;
constexpr long kTimeoutSeconds = 60;
constexpr long kBufferSize = 16 * 1024;  // the TLS record

void use_libcurl() {
  // Its tables take memory that a process which only waits need not have.
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(initialised);
}

std::string authority(const Server& server) {
  const bool is_ipv6 = server.host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", server.host, server.port) : fmt::format("{}:{}", server.host, server.port);
}

}  // namespace

// One curl handle, and what its callbacks need.
class HttpsClient::Connection {
 public:
  enum class Peer { kJudged, kAnybody };
  Connection(const HttpsClient& client, Peer peer)
      : client_(client), peer_(peer), curl_(curl_easy_init(), curl_easy_cleanup) {
    if (peer == Peer::kJudged && client.identity_ != nullptr)
      certificate_.emplace(recorder_, client.check_, *client.identity_);
    if (curl_) configure();
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Result<agent::HttpReply> send(const agent::HttpRequest& request) {
    if (!curl_) return Error{ErrorKind::kUnavailable, "server.curl", "libcurl could not be initialised: out of memory"};
    HeaderLines headers;
    add_headers(headers, request);
    const std::string url = fmt::format("https://{}{}", authority(client_.server_), request.path);
    const std::string method(request.method);
    reply_ = ReplyReader(request.reply_size_max);
    reply_size_max_ = request.reply_size_max;
    verdict_ = {};
    stopped_ = false;
    error_text_.fill('\0');
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_HTTPHEADER, headers.get());
    set_method(method, request.body);
    const CURLcode code = curl_easy_perform(curl_.get());
    set(CURLOPT_HTTPHEADER, nullptr);
    set(CURLOPT_POSTFIELDS, nullptr);
    if (code != CURLE_OK) return failure(code);
    long status = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
    return reply_.take(static_cast<int>(status));
  }

 private:
  template <class Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(curl_.get(), option, value);
  }

  void configure() {
    set(CURLOPT_PROTOCOLS_STR, "https");
    set(CURLOPT_MAXCONNECTS, 1L);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_PROXY, "");  // whatever the environment says
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_PATH_AS_IS, 1L);
    set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(CURLOPT_CONNECTTIMEOUT, kConnectTimeoutSeconds);
    set(CURLOPT_TIMEOUT, kTimeoutSeconds);
    set(CURLOPT_BUFFERSIZE, kBufferSize);
    set(CURLOPT_USERAGENT, "warifu-agent");
    set(CURLOPT_ERRORBUFFER, error_text_.data());
    // Debian's libcurl trusts the system's authorities unless both are taken away.
    set(CURLOPT_CAINFO, nullptr);
    set(CURLOPT_CAPATH, nullptr);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_3));
    set(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    if (peer_ == Peer::kJudged)
      have_peer_judged();
    else
      take_any_peer();
    set(CURLOPT_WRITEFUNCTION, &Connection::on_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_HEADERFUNCTION, &Connection::on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &Connection::on_progress);
    set(CURLOPT_XFERINFODATA, this);
  }

  void have_peer_judged() {
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_SSL_CTX_FUNCTION, &Connection::on_new_tls);
    set(CURLOPT_SSL_CTX_DATA, this);
    set(CURLOPT_PREREQFUNCTION, &Connection::on_connected);
    set(CURLOPT_PREREQDATA, this);
  }

  void take_any_peer() {
    set(CURLOPT_SSL_VERIFYPEER, 0L);
    set(CURLOPT_SSL_VERIFYHOST, 0L);
  }

  static void add_headers(HeaderLines& headers, const agent::HttpRequest& request) {
    headers.add("Accept: application/json");
    headers.add("Expect:");  // no 100-continue
    if (!request.body.empty()) headers.add("Content-Type: application/json; charset=utf-8");
    if (!request.authorization.empty()) headers.add("Authorization: " + request.authorization);
    if (!request.if_none_match.empty()) headers.add("If-None-Match: " + request.if_none_match);
  }

  void set_method(const std::string& method, const std::string& body) {
    set(CURLOPT_CUSTOMREQUEST, nullptr);
    if (body.empty()) {
      set(CURLOPT_HTTPGET, 1L);
    } else {
      set(CURLOPT_POST, 1L);
      set(CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
      set(CURLOPT_POSTFIELDS, body.data());
    }
    set(CURLOPT_CUSTOMREQUEST, method.c_str());
  }

  // A new connection: the TCB must judge it before it is used.
  static CURLcode on_new_tls(CURL*, void* context, void* self_pointer) {
    auto& self = *static_cast<Connection*>(self_pointer);
    self.judged_ = false;
    auto nonce = self.client_.check_.begin();
    if (!nonce) {
      self.verdict_ = std::move(nonce).error();
      return CURLE_ABORTED_BY_CALLBACK;
    }
    auto* settings = static_cast<ssl_ctx_st*>(context);
    if (!self.recorder_.attach(settings, self.client_.root_, *std::move(nonce))) return CURLE_SSL_CONNECT_ERROR;
    if (self.certificate_) self.certificate_->attach(settings);
    return CURLE_OK;
  }

  // Connected or reused, and nothing sent yet.
  static int on_connected(void* self_pointer, char*, char*, int, int) {
    auto& self = *static_cast<Connection*>(self_pointer);
    if (self.judged_) return CURL_PREREQFUNC_OK;
    // A server that asked for a certificate was judged before it was shown one.
    if (!self.certificate_ || !self.certificate_->has_judged())
      self.verdict_ = self.client_.check_.judge(self.recorder_.server_half());
    self.recorder_.end();
    self.judged_ = self.verdict_.has_value();
    return self.judged_ ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
  }

  // At least once a second, whatever the server does.
  static int on_progress(void* self_pointer, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto& self = *static_cast<Connection*>(self_pointer);
    if (!self.client_.waiter_.is_told_to_stop()) return 0;
    self.stopped_ = true;
    // The process ends: the resolver's thread, which may wait for a name server, is not waited for.
    self.set(CURLOPT_QUICK_EXIT, 1L);
    return 1;
  }

  static std::size_t on_body(const char* data, std::size_t, std::size_t size, void* self) {
    return static_cast<Connection*>(self)->reply_.add_body({data, size}) ? size : CURL_WRITEFUNC_ERROR;
  }
  static std::size_t on_header(const char* data, std::size_t, std::size_t size, void* self) {
    static_cast<Connection*>(self)->reply_.add_header({data, size});
    return size;
  }

  Error failure(CURLcode code) const {
    if (stopped_) return {ErrorKind::kUnavailable, "agent.stopped", "stopped in the middle of a request"};
    if (!verdict_) return verdict_.error();
    if (certificate_ && !certificate_->verdict()) return certificate_->verdict().error();
    const char* reason = error_text_.front() == '\0' ? curl_easy_strerror(code) : error_text_.data();
    const std::string who = authority(client_.server_);
    const auto unavailable = [&](std::string_view name, std::string_view what) {
      return Error{ErrorKind::kUnavailable, name, fmt::format("{}: {} ({})", who, what, reason)};
    };
    const auto unusable = [&](const std::string& why) {
      return Error{ErrorKind::kRefused, "server.reply", fmt::format("{}: its answer cannot be used: {}", who, why)};
    };
    switch (code) {
      case CURLE_COULDNT_RESOLVE_HOST:
        return unavailable("server.name", "its name was not found");
      case CURLE_COULDNT_CONNECT:
        return unavailable("server.unreachable", "it takes no connection");
      case CURLE_OPERATION_TIMEDOUT:
        return unavailable("server.timeout", "it did not answer in time");
      case CURLE_PEER_FAILED_VERIFICATION:
        return {ErrorKind::kRefused, "server.identity",
                fmt::format("{} is not the server that this device trusts: {}", who, reason)};
      case CURLE_SSL_CONNECT_ERROR:
        return unavailable("server.tls", "no TLS 1.3 connection could be made");
      case CURLE_WRITE_ERROR:
        return unusable(fmt::format("it is larger than {} bytes", reply_size_max_));
      case CURLE_UNSUPPORTED_PROTOCOL:
      case CURLE_WEIRD_SERVER_REPLY:
        return unusable(fmt::format("it is no HTTP ({})", reason));
      default:
        return unavailable("server.unreachable", "the connection broke");
    }
  }

  const HttpsClient& client_;
  const Peer peer_;
  HandshakeRecorder recorder_;                    // outlives the TLS contexts of the handle
  std::optional<ClientCertificate> certificate_;  // so does it
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  ReplyReader reply_;
  std::size_t reply_size_max_ = agent::kReplyBodyMax;
  Status verdict_;
  bool judged_ = false;
  bool stopped_ = false;
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl_;
};

HttpsClient::HttpsClient(Server server, TrustedRoot root, agent::ServerCheck& check, agent::Waiter& waiter,
                         agent::ClientIdentity* identity)
    : server_(std::move(server)), root_(std::move(root)), check_(check), waiter_(waiter), identity_(identity) {
}

HttpsClient::~HttpsClient() = default;

Result<agent::HttpReply> HttpsClient::send(const agent::HttpRequest& request) {
  if (!connection_) {
    use_libcurl();
    connection_ = std::make_unique<Connection>(*this, Connection::Peer::kJudged);
  }
  auto reply = connection_->send(request);
  // What is not understood is not spoken to again.
  if (!reply) connection_.reset();
  return reply;
}

Result<agent::HttpReply> HttpsClient::fetch_from_anybody(const agent::HttpRequest& request) {
  if (!request.authorization.empty() || !request.body.empty())
    return Error{ErrorKind::kInternal, "server.anybody", "nothing is told to a server that nobody judged"};
  use_libcurl();
  return Connection(*this, Connection::Peer::kAnybody).send(request);
}

Status HttpsClient::trust_also(const std::vector<Bytes>& roots) {
  TRY(root_, root_.and_also(roots));
  return {};
}

void HttpsClient::close() {
  connection_.reset();
  ::malloc_trim(0);
}

}  // namespace warifu::http_client
