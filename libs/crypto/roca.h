#pragma once

#include "base/bytes.h"
#include "crypto/public_key.h"

// ROCA, CVE-2017-15361: primes of Infineon's RSALib are k * M + (65537^a mod M), M the product of the first primes
// (Nemec, Sys, Svenda, Klinec, Matyas: "The Return of Coppersmith's Attack", ACM CCS 2017).
namespace warifu::crypto {

// `modulus` is big-endian. The filter: modulo each odd prime up to 167 it lies in the group that 65537 generates. It
// says yes to one sound key in 240 million.
bool passes_roca_filter(ByteView modulus);

// The exact test: there is one exponent a with modulus = 65537^a modulo the product of all those primes, found by
// discrete logarithms modulo each prime and compared by the Chinese remainder theorem. It says yes to one sound key in
// 2^154. Also true only if the filter is.
bool is_roca_key(ByteView modulus);

// The same of a key; false for what is not RSA.
bool is_roca_key(const PublicKey& key);

}  // namespace warifu::crypto
