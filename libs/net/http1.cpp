#include "net/http1.h"

#include <algorithm>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <iterator>

#include "net/connection.h"
#include "net/pending_answer.h"
#include "net/response.h"

// The only file that includes Boost.Beast's parser: it takes half a minute to compile.

namespace warifu::net {
namespace {

namespace http = boost::beast::http;
using Buffer = boost::beast::flat_buffer;
using Parser = http::request_parser<http::string_body>;

// Room for the rest of a body's chunk beside a header of the full size.
constexpr std::size_t kBufferSlack = 4 * 1024;

// A request that no handler will see: the answer, and how it is counted.
struct Problem {
  int status;
  Refusal refusal;
  Error error;
};

// nullopt: the connection broke, or the client left; there is nobody to answer.
std::optional<Problem> problem_of(error_code error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return Problem{431, Refusal::kHeaderTooLarge, invalid_input("http.header_too_large", "the header is too large")};
  if (error == http::error::body_limit)
    return Problem{413, Refusal::kBodyTooLarge, invalid_input("http.body_too_large", "the body is too large")};
  const bool is_parse_error = error.category() == make_error_code(http::error::bad_method).category();
  if (!is_parse_error || error == http::error::end_of_stream || error == http::error::partial_message)
    return std::nullopt;
  return Problem{400, Refusal::kMalformedRequest,
                 invalid_input("http.malformed", "the request is not well-formed HTTP/1.1")};
}

std::optional<Problem> problem_of(const Parser::value_type& message, const ConnectionLimits& limits) {
  const auto fields = static_cast<std::size_t>(std::distance(message.begin(), message.end()));
  if (fields > limits.header_fields)
    return Problem{431, Refusal::kHeaderTooLarge,
                   invalid_input("http.header_too_large", "the header has too many fields")};
  // RFC 9112 §6.1: what is not chunked, once, has no end that we know; Beast would read it as no body.
  const std::size_t encodings = message.count(http::field::transfer_encoding);
  if (encodings > 1 || (encodings == 1 && !boost::beast::iequals(message[http::field::transfer_encoding], "chunked")))
    return Problem{400, Refusal::kMalformedRequest,
                   invalid_input("http.malformed", "the only transfer encoding is chunked, once")};
  // The same section: HTTP/1.0 has none, and who passed the request on may have seen another end.
  if (encodings > 0 && message.version() < 11)
    return Problem{400, Refusal::kMalformedRequest,
                   invalid_input("http.malformed", "HTTP/1.0 has no transfer encodings")};
  // RFC 9112 §3.2: more than one Host is a 400, and so is none with HTTP/1.1.
  const std::size_t hosts = message.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && message.version() >= 11))
    return Problem{400, Refusal::kMalformedRequest, invalid_input("http.malformed", "expected one Host field")};
  return std::nullopt;
}

Method method_of(http::verb verb) {
  switch (verb) {
    case http::verb::get:
      return Method::kGet;
    case http::verb::head:
      return Method::kHead;
    case http::verb::post:
      return Method::kPost;
    case http::verb::put:
      return Method::kPut;
    case http::verb::patch:
      return Method::kPatch;
    case http::verb::delete_:
      return Method::kDelete;
    default:
      return Method::kOther;
  }
}

// Taken before the body is read, so that no trailer field can pose as one of the header (RFC 9110 §6.5.1).
HttpRequest header_of(const Parser::value_type& message, const Connection& connection) {
  HttpRequest request;
  request.method = method_of(message.method());
  request.target = std::string(message.target());
  request.headers.reserve(16);
  for (const auto& field : message)
    request.headers.emplace_back(field.name_string(), field.value());
  request.peer_address = connection.peer_address();
  request.peer_chain = connection.stream().peer_chain();
  request.tls_version = connection.stream().version();
  return request;
}

// One of the requests of a listener that handlers may hold at the same time.
class InFlight {
 public:
  explicit InFlight(ListenerContext& listener)
      : listener_(listener), granted_(listener.requests_in_flight.fetch_add(1) < listener.limits.requests_in_flight) {}
  ~InFlight() { listener_.requests_in_flight.fetch_sub(1); }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;
  bool granted() const { return granted_; }

 private:
  ListenerContext& listener_;
  bool granted_;
};

Awaitable<bool> send(Connection& connection, std::string bytes) {
  const error_code error = co_await connection.stream().write(bytes);
  co_return !error;
}

// How many bytes that were; nullopt: the connection broke. The response lives until then.
Awaitable<std::optional<std::size_t>> send(Connection& connection, const HttpResponse& response,
                                           ResponseFraming framing) {
  std::string bytes = serialize(response, framing);
  const std::string_view more = apart(response, framing);
  const std::size_t size = bytes.size() + more.size();
  error_code error = co_await connection.stream().write(bytes);
  if (!error && !more.empty()) error = co_await connection.stream().write(more);
  if (error) co_return std::nullopt;
  co_return size;
}

ResponseFraming framing_of(const Connection& connection, bool keep_alive, bool is_head) {
  return {.keep_alive = keep_alive, .is_head = is_head, .now = connection.listener().server.clock.now()};
}

// What the handler says to a request that it did not get.
HttpResponse refusal_of(Connection& connection, const Problem& why) {
  connection.report(why.refusal);
  HttpResponse response = connection.listener().handler.refuse(why.status, why.error);
  response.status = why.status;
  return response;
}

// The last of the connection.
Awaitable<void> send_last(Connection& connection, HttpResponse response, bool is_head) {
  connection.enter(Stage::kWrite);
  co_await send(connection, response, framing_of(connection, /*keep_alive=*/false, is_head));
}

Awaitable<void> refuse(Connection& connection, Problem why) {
  co_await send_last(connection, refusal_of(connection, why), /*is_head=*/false);
}

// Between requests a connection holds no buffer: it waits for one byte, which is then the first of the request. A
// client that keeps its connection has just read our response: it is waited for before OpenSSL is asked in vain.
Awaitable<bool> wait_for_first_byte(Connection& connection, Buffer& buffer) {
  connection.enter(Stage::kIdle);
  const error_code error = co_await connection.stream().wait_for_input();
  if (error) co_return false;
  char first = 0;
  const auto received = co_await connection.stream().read_some({&first, 1});
  if (received.error) co_return false;
  asio::buffer_copy(buffer.prepare(1), asio::buffer(&first, 1));
  buffer.commit(1);
  co_return true;
}

Awaitable<error_code> fill(Connection& connection, Buffer& buffer) {
  const std::size_t room = std::min(kBufferSlack, buffer.max_size() - buffer.size());
  if (room == 0) co_return make_error_code(http::error::buffer_overflow);
  const auto space = buffer.prepare(room);
  const auto received = co_await connection.stream().read_some({static_cast<char*>(space.data()), space.size()});
  buffer.commit(received.size);
  co_return received.error;
}

// Beast's own loop compares header_limit with what it has not parsed yet: here all bytes of the header count.
Awaitable<error_code> read_header(Connection& connection, Buffer& buffer, Parser& parser) {
  const std::size_t limit = connection.listener().server.connection_limits.header_bytes;
  std::size_t parsed = 0;
  for (;;) {
    error_code error;
    const std::size_t used = buffer.size() > 0 ? parser.put(buffer.data(), error) : 0;
    buffer.consume(used);
    parsed += used;
    if (parser.is_header_done()) co_return error_code{};
    if (error && error != http::error::need_more) co_return error;
    if (parsed + buffer.size() > limit) co_return make_error_code(http::error::header_limit);
    error = co_await fill(connection, buffer);
    if (error) co_return error;
  }
}

Awaitable<error_code> read_body(Connection& connection, Buffer& buffer, Parser& parser) {
  parser.eager(true);  // as much as there is in each call
  for (;;) {
    error_code error;
    const std::size_t used = buffer.size() > 0 ? parser.put(buffer.data(), error) : 0;
    buffer.consume(used);
    if (parser.is_done()) co_return error_code{};
    if (error && error != http::error::need_more) co_return error;
    error = co_await fill(connection, buffer);
    if (error) co_return error;
  }
}

// What the handler says to a body that is too large for anybody to send. Of a chunked one that is not known yet: its
// refusal waits until so much has come.
std::optional<HttpResponse> refusal_of_body(Connection& connection, const HttpRequest& request, Parser& parser) {
  ListenerContext& listener = connection.listener();
  const auto size = parser.content_length();
  if (listener.body_bytes_max <= listener.body_bytes_of_anybody_max) return std::nullopt;
  if (size && *size <= listener.body_bytes_of_anybody_max) return std::nullopt;
  auto refused = listener.handler.refuse_body(request);
  if (refused && !size) parser.body_limit(listener.body_bytes_of_anybody_max);
  return refused;
}

// nullopt: the connection is of no more use, and the client was told why if it can still be told.
Awaitable<std::optional<HttpRequest>> receive(Connection& connection, Buffer& buffer, Parser& parser) {
  connection.enter(Stage::kHeader);
  const error_code header_error = co_await read_header(connection, buffer, parser);
  auto why = header_error ? problem_of(header_error)
                          : problem_of(parser.get(), connection.listener().server.connection_limits);
  if (why) co_await refuse(connection, *why);
  if (header_error || why) co_return std::nullopt;
  HttpRequest request = header_of(parser.get(), connection);
  if (parser.is_done()) co_return request;
  auto refused = refusal_of_body(connection, request, parser);
  const bool is_head = request.method == Method::kHead;
  if (refused && parser.content_length()) {
    co_await send_last(connection, *std::move(refused), is_head);
    co_return std::nullopt;
  }

  connection.enter(Stage::kBody);
  const bool knows_continue = parser.get().version() >= 11;  // RFC 9110 §10.1.1
  if (knows_continue && boost::beast::iequals(parser.get()[http::field::expect], "100-continue"))
    co_await send(connection, "HTTP/1.1 100 Continue\r\n\r\n");
  const error_code body_error = co_await read_body(connection, buffer, parser);
  if (refused && body_error == http::error::body_limit) {
    co_await send_last(connection, *std::move(refused), is_head);
    co_return std::nullopt;
  }
  why = body_error ? problem_of(body_error) : std::nullopt;
  if (why) co_await refuse(connection, *why);
  if (body_error) co_return std::nullopt;
  request.body = std::move(parser.get().body());
  co_return request;
}

// nullopt: aborted.
Awaitable<std::optional<HttpResponse>> answer(Connection& connection, HttpRequest request) {
  connection.enter(Stage::kHandler);
  ListenerContext& listener = connection.listener();
  const InFlight in_flight(listener);
  if (!in_flight.granted()) {
    co_return refusal_of(connection,
                         {503,
                          Refusal::kTooManyRequests,
                          {ErrorKind::kUnavailable, "http.too_many_requests", "too many requests at once"}});
  }
  const auto pending = std::make_shared<PendingAnswer>();
  try {
    listener.handler.handle(std::move(request), pending->respond_function());
  } catch (const std::exception& exception) {
    listener.server.observer.on_handler_exception(listener.name, exception.what());
    pending->fail();
  }
  auto response = co_await connection.wait_for(pending);
  co_return response;
}

// False when the connection ends with this request.
Awaitable<bool> serve_one(Connection& connection, Buffer& buffer) {
  const ListenerContext& listener = connection.listener();
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(listener.server.connection_limits.header_bytes));
  parser.body_limit(listener.body_bytes_max);
  auto request = co_await receive(connection, buffer, parser);
  if (!request) co_return false;

  const auto begin = SteadyClock::now();
  RequestSummary summary{.method = request->method,
                         .status = 0,
                         .duration = {},
                         .request_bytes = request->body.size(),
                         .response_bytes = 0};
  const auto response = co_await answer(connection, std::move(*request));
  if (!response) co_return false;
  connection.enter(Stage::kWrite);
  const bool keep_alive = parser.keep_alive() && !listener.server.draining;
  const bool is_head = summary.method == Method::kHead;
  const auto sent = co_await send(connection, *response, framing_of(connection, keep_alive, is_head));
  summary.status = response->status;
  summary.response_bytes = sent.value_or(0);
  summary.duration = SteadyClock::now() - begin;
  listener.server.observer.on_request(listener.name, summary);
  co_return (sent && keep_alive);
}

}  // namespace

Awaitable<void> serve_http1(Connection& connection) {
  Buffer buffer(connection.listener().server.connection_limits.header_bytes + kBufferSlack);
  bool usable = true;
  while (usable && !connection.listener().server.draining) {
    usable = buffer.size() > 0;
    if (!usable) usable = co_await wait_for_first_byte(connection, buffer);
    if (usable) usable = co_await serve_one(connection, buffer);
    if (buffer.size() == 0) buffer.shrink_to_fit();
  }
}

}  // namespace warifu::net
