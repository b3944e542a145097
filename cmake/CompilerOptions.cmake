# Warnings are errors; the hardening flags are those that Debian ships, plus what its default leaves out.
add_library(warifu_options INTERFACE)

target_compile_options(warifu_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Wcast-align -Woverloaded-virtual -Wnull-dereference -Wformat=2 -Wimplicit-fallthrough
  -fstack-protector-strong -fno-strict-overflow
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
  target_compile_options(warifu_options INTERFACE -mbranch-protection=standard)
else()
  target_compile_options(warifu_options INTERFACE -fcf-protection)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(warifu_options INTERFACE -fstack-clash-protection)
  # GCC 12 reports both from inside coroutine frames and std::variant at -O2; neither has a true finding here.
  target_compile_options(warifu_options INTERFACE -Wno-null-dereference -Wno-maybe-uninitialized)
  if(CMAKE_UNITY_BUILD)
    # A .cpp file that another one includes is no header.
    target_compile_options(warifu_options INTERFACE -Wno-subobject-linkage)
  endif()
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_UNITY_BUILD)
  # A member in a header that a later file includes has the name of a helper in an earlier one.
  target_compile_options(warifu_options INTERFACE -Wno-shadow)
endif()
target_link_options(warifu_options INTERFACE -Wl,-z,relro,-z,now -Wl,-z,noexecstack)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXE_LINKER_FLAGS "${CMAKE_EXE_LINKER_FLAGS} -pie")

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_definitions(warifu_options INTERFACE _FORTIFY_SOURCE=2 _GLIBCXX_ASSERTIONS)
endif()

if(WARIFU_SANITIZE)
  add_compile_options(-fsanitize=${WARIFU_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${WARIFU_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND WARIFU_SANITIZE MATCHES "thread")
    add_compile_options(-Wno-tsan)
  endif()
endif()
if(WARIFU_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()

find_program(WARIFU_MOLD mold)
if(WARIFU_MOLD AND NOT WARIFU_FUZZ AND NOT CMAKE_CROSSCOMPILING)
  add_link_options(-fuse-ld=mold)
endif()
find_program(WARIFU_CCACHE ccache)
if(WARIFU_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${WARIFU_CCACHE})
endif()
