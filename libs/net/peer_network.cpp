#include "net/peer_network.h"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstdint>

namespace warifu::net {
namespace {

template <class Iterator>
std::string text_of(Iterator begin, Iterator end) {
  return {begin, end};
}

bool holds_ipv4(const boost::asio::ip::address_v6& address) {
  constexpr std::array<std::uint8_t, 12> kTranslated = {0x00, 0x64, 0xFF, 0x9B};
  const auto bytes = address.to_bytes();
  return address.is_v4_mapped() || std::equal(kTranslated.begin(), kTranslated.end(), bytes.begin());
}

}  // namespace

std::string peer_network(std::string_view numeric_address) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(std::string(numeric_address), error);
  if (error) return std::string(1, '\0') + std::string(numeric_address);
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    return text_of(bytes.begin(), bytes.end());
  }
  const auto bytes = address.to_v6().to_bytes();
  if (holds_ipv4(address.to_v6())) return text_of(bytes.end() - 4, bytes.end());
  return text_of(bytes.begin(), bytes.begin() + 8);
}

std::string peer_site(std::string_view numeric_address) {
  std::string network = peer_network(numeric_address);
  if (network.size() == 4) network.resize(3);
  if (network.size() == 8 && network.front() != '\0') network.resize(6);
  return network;
}

}  // namespace warifu::net
