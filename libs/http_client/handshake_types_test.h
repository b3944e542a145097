#pragma once

#include <cstdint>

// Handshake messages that the tests name (RFC 8446 §4).
namespace warifu::http_client {

inline constexpr std::uint8_t kClientHello = 1;
inline constexpr std::uint8_t kServerHello = 2;
inline constexpr std::uint8_t kCertificate = 11;
inline constexpr std::uint8_t kCertificateVerify = 15;
inline constexpr std::uint8_t kFinished = 20;

}  // namespace warifu::http_client
