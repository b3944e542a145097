#pragma once

#include <filesystem>
#include <string>

#include "base/bytes.h"
#include "base/file_system.h"
#include "base/result.h"
#include "base/secret.h"

namespace warifu::keystore {

// The files of this machine, through the system's calls.
FileSystem& kernel_files();

// Replaces a file so that after a power cut either the old or the new content is there, whole: a new file, of a name
// that no other writer has, is written and synced, renamed over the old one, and the folder is synced. kUnavailable
// "file.write" naming the file and the system's reason; nothing is left of the new file then.
Status write_file(FileSystem& files, const std::string& path, ByteView content, FileMode mode);
Status write_file(const std::filesystem::path& path, ByteView content, FileMode mode);
// Removes a file for good. Done too when there was none.
Status remove_file(FileSystem& files, const std::string& path);

// At most 1 MiB. kUnavailable "file.read".
Result<std::string> read_file(const std::filesystem::path& path);
Result<SecretBytes> read_secret_file(const std::filesystem::path& path);

// The end of a new file's name until it is renamed. A power cut may leave one.
constexpr const char* kUnfinishedSuffix = ".new";
// Removes those from a folder, so that power cuts do not fill the disk. Only for who has the folder alone (FolderLock):
// to another writer it would take away what he is writing.
Status remove_unfinished(const std::filesystem::path& folder);

// Makes the folder, readable by its owner only, and syncs its parent. One that is there already is closed to others.
Status make_private_folder(const std::filesystem::path& path);

// The same for a folder that somebody names in passing: one that is there already is taken as it is, and only if it is
// a folder of this user that nobody else may enter. A symbolic link is none. kInvalidInput "file.folder".
Status make_or_take_private_folder(const std::filesystem::path& path);

}  // namespace warifu::keystore
