#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace warifu::net {

enum class TlsVersion { k12, k13 };
// As it stands in metrics: "1.2".
std::string_view to_string(TlsVersion version);

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOther };
std::string_view to_string(Method method);

// Header fields in the order of the wire. Few enough that a linear search is the fastest.
using Headers = std::vector<std::pair<std::string, std::string>>;
// The value of the first field of that name (compared without case); nullopt if there is none.
std::optional<std::string_view> find_header(const Headers& headers, std::string_view name);

// What came over the wire, complete and within the listener's limits. Nothing in it is decoded or believed yet.
struct HttpRequest {
  Method method = Method::kOther;
  std::string target;  // path and query as sent, percent-encoded
  Headers headers;
  std::string body;
  std::string peer_address;  // numeric, without port
  // The certificates that the client presented, in DER, leaf first, as it ordered them; also when the session was
  // resumed. Null if it presented none, never empty, at most 16 KiB in all. The handshake proved possession of the
  // leaf's key and nothing else: the route and the enrollment judge leaf and path.
  std::shared_ptr<const std::vector<Bytes>> peer_chain;
  std::optional<TlsVersion> tls_version = TlsVersion::k13;  // none: it came over plain HTTP

  std::optional<std::string_view> header(std::string_view name) const { return find_header(headers, name); }
};

struct HttpResponse {
  int status = 200;
  Headers headers;  // without Content-Length, Content-Type, Date and Connection: the listener writes them
  std::string content_type;
  std::string body;
  // Instead of `body`, what many answers have in common: it is sent as it lies there, however large, and not copied.
  std::shared_ptr<const std::string> shared_body = {};

  std::string_view content() const { return shared_body ? *shared_body : body; }
};

// Takes the one answer to a request. May be called from any thread and at most once; dropped unused, the client gets a
// 500. A client that has gone by then is not an error.
using Respond = std::function<void(HttpResponse)>;

// What stands behind a listener. Called on an I/O thread, for several requests at once; must not block.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  virtual void handle(HttpRequest request, Respond respond) = 0;
  // Words the answer to a request that handle() never sees. The codes are http.malformed (400), http.body_too_large
  // (413), http.header_too_large (431) and http.too_many_requests (503); `status` is sent whatever the answer's own
  // says. Called on an I/O thread. By default an RFC 9457 problem.
  virtual HttpResponse refuse(int status, const Error& error);
  // Asked before a body is read that is larger than the listener reads for anybody, or of unknown size: nothing, to
  // have it read, or the answer, after which the connection is closed. `request` has no body. Called on an I/O thread,
  // must not block for long. By default nothing.
  virtual std::optional<HttpResponse> refuse_body(const HttpRequest& request);
};

}  // namespace warifu::net
