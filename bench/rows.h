#pragma once

#include <vector>

#include "harness.h"

namespace warifu::bench {

// Each *_bench.cpp has one function like these, and main.cpp calls it. The rows are those of docs/performance.md.
std::vector<Row> credential_rows(Sabotage sabotage);    // P1, P2
std::vector<Row> certificate_rows(Sabotage sabotage);   // C1, R1, R2
std::vector<Row> revocation_rows(Sabotage sabotage);    // K1, K2
std::vector<Row> sas_rows(Sabotage sabotage);           // P3
std::vector<Row> connection_rows(Sabotage sabotage);    // T1, T2, H1-net
std::vector<Row> registration_rows(Sabotage sabotage);  // P4, H1
std::vector<Row> store_rows(Sabotage sabotage);         // S1, S2
std::vector<Row> tcb_rows(Sabotage sabotage);           // D1
std::vector<Row> boot_log_rows(Sabotage sabotage);      // A1, its log half
std::vector<Row> ima_rows(Sabotage sabotage);           // A4, A5, A6
std::vector<Row> quote_rows(Sabotage sabotage);         // A1 to A3
std::vector<Row> attestation_rows(Sabotage sabotage);   // A7, H2
std::vector<Row> hostile_rows(Sabotage sabotage);       // L, I, U: time by size

}  // namespace warifu::bench
