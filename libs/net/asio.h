#pragma once

// Boost.Asio as this library uses it: every connection and listener runs on its own strand, coroutines return errors as
// values. Types carry the strand itself, which is cheaper than any_io_executor.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

namespace warifu::net {

namespace asio = boost::asio;

using boost::system::error_code;
using Strand = asio::strand<asio::io_context::executor_type>;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Strand>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Strand>;
using SteadyClock = std::chrono::steady_clock;
using Timer = asio::basic_waitable_timer<SteadyClock, asio::wait_traits<SteadyClock>, Strand>;

template <class T>
using Awaitable = asio::awaitable<T, Strand>;
// auto [error, n] = co_await stream.async_read_some(buffer, kAwait);
inline constexpr asio::as_tuple_t<asio::use_awaitable_t<Strand>> kAwait;

}  // namespace warifu::net
