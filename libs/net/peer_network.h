#pragma once

#include <string>
#include <string_view>

namespace warifu::net {

// What counts as one client when there is only its address: an IPv4 address as its 4 bytes, the /64 of an IPv6 address
// as its 8 bytes (the smallest network that is given out, in which a host takes any address it likes). IPv4 inside IPv6
// (::ffff:a.b.c.d, and 64:ff9b::/96 of RFC 6052) counts as IPv4: else all of it would be one network. A text that is no
// address stands for itself, behind a zero byte.
std::string peer_network(std::string_view numeric_address);

// The same, coarser, where it matters how many networks one person can have: the /24 of an IPv4 address as 3 bytes, the
// /48 of an IPv6 address as 6 bytes (what a site is given: RFC 6177).
std::string peer_site(std::string_view numeric_address);

}  // namespace warifu::net
