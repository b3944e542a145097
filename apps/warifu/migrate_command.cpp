#include <fmt/format.h>

#include "base/bytes.h"
#include "declarations/azure_dps.h"
#include "keystore/files.h"
#include "warifu/declaration_commands.h"
#include "warifu/declaration_files.h"
#include "warifu/declaration_output.h"

namespace warifu::cli {
namespace {

constexpr std::size_t kExportSizeMax = 512 * 1024 * 1024;

std::string text_of(const std::vector<declarations::MigrationNote>& notes) {
  std::string text;
  for (const auto& note : notes)
    text += fmt::format("{} {}: {}\n", note.kind == declarations::MigrationNote::Kind::kLost ? "NOT CONVERTED" : "note",
                        note.id, note.text);
  return text;
}

Status write_notes(const MigrateOptions& options, const std::string& text) {
  if (options.out_folder.empty()) {
    fmt::print(stderr, "{}", text);
    return {};
  }
  return keystore::write_file(std::filesystem::path(options.out_folder) / "notes.txt", as_bytes(text),
                              FileMode::kPrivate);
}

Result<std::string> output_path(const MigrateOptions& options) {
  if (options.out_folder.empty()) return std::string();
  TRY_STATUS(keystore::make_private_folder(options.out_folder));
  return fmt::format("{}/fleet.{}", options.out_folder, options.format);
}

}  // namespace

Status migrate_azure_dps(const Context&, const MigrateOptions& options) {
  declarations::AzureExport azure;
  for (const auto& file : options.in_files) {
    TRY(const auto text, read_whole(file, kExportSizeMax));
    TRY_STATUS(azure.add(text, file));
  }
  const auto migration = azure.convert();
  TRY(const auto path, output_path(options));
  TRY(auto output, DeclarationOutput::open(path, options.format));
  for (const auto& declaration : migration.declarations) {
    TRY_STATUS(output.write(declaration));
  }
  TRY_STATUS(output.finish());
  TRY_STATUS(write_notes(options, text_of(migration.notes)));
  std::size_t lost = 0;
  for (const auto& note : migration.notes)
    if (note.kind == declarations::MigrationNote::Kind::kLost) ++lost;
  fmt::print(stderr, "{} converted, {} not, {} notes{}\n", migration.declarations.size(), lost,
             migration.notes.size() - lost,
             options.out_folder.empty() ? "" : fmt::format(" in {}/notes.txt", options.out_folder));
  if (lost == 0) return {};
  return Error{ErrorKind::kRefused, "migrate.lost", fmt::format("{} do not carry over as they are", lost)};
}

}  // namespace warifu::cli
