#pragma once

#include "warifu/command_line.h"

// The options that enrollments and groups share.
namespace warifu::cli {

enum class StatementKind { kEnrollment, kGroup };

// --tpm-ek (or --tpm and --naming for a group), --symmetric and --x509, of which one may be given, and what belongs to
// them. Gives the option group of the three.
CLI::App* add_credential_options(CLI::App* verb, CredentialOptions& options, StatementKind kind);
void add_terms_options(CLI::App* verb, TermsOptions& options);

}  // namespace warifu::cli
