#pragma once

// A key for tests that is weak as those of CVE-2017-15361 are: two primes k * M + (65537^a mod M), made for this and
// used for nothing else. 2048 bits.
namespace warifu::crypto {

inline constexpr const char* kRocaKeyPem = R"(-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr9E6cnnzYJ+Hd10FkleW
oKobnVu2WVoDfNbwFfXRSSMATavZevoKVS2BDgj0e5Ac04JwOKSNbT2XjEDNfzgZ
sCisgHvu39BuC0O5+jqYWkD80VBeKC9wv0sorV6i4zLptYV1XNaCmGxI98OYkl1n
27gH4VIEe6lBhf5wu+EOYJNgchCLZAgBiYnEU3kOg1q6zkWESQXCcmHmpqbEisDR
vLb64PkH1WdzYpxOwovuhNvtEKxgrHuQBZ3ZAIFoB6hQdGszUxefgNVKbJhGiTLc
0OKXHAG9V7s6sb4awklQVhhGAUp3Xo21J6aoMG1VmjHWXF0yj4Num2TY0JseQRop
YwIDAQAB
-----END PUBLIC KEY-----
)";

}  // namespace warifu::crypto
