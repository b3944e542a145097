# A folder is a library. Beside x.cpp may stand x_test.cpp (unit test) and x_fuzz.cpp (libFuzzer target).

# warifu_apart(GLOB...): these files are compiled by themselves.
function(warifu_apart)
  if(ARGN)
    file(GLOB apart CONFIGURE_DEPENDS ${ARGN})
    set_source_files_properties(${apart} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()

# What `ctest --label-regex unit` runs, without the programs and the tests of the whole.
add_custom_target(unit_tests)

# warifu_library(NAME [DEPENDS lib...] [LINK external...] [APART file...]): the .cpp files of this folder as warifu_NAME.
# DEPENDS names our own libraries, without the prefix, and must agree with module.txt (scripts/check-layering).
# All presets but debug compile several files as one (CMAKE_UNITY_BUILD in CMakePresets.json; libs/CMakeLists.txt says
# which libraries not), which takes half the time: names in the unnamed namespaces of a library or program differ, but
# for the files (globs) in APART.
function(warifu_library NAME)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK;TEST_DEPENDS;TEST_LINK;APART" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cpp)
  set(tests ${sources})
  set(fuzzers ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz)\\.cpp$")
  list(TRANSFORM ARG_DEPENDS PREPEND warifu_)
  list(TRANSFORM ARG_TEST_DEPENDS PREPEND warifu_)
  warifu_apart(${ARG_APART})

  if(sources)
    add_library(warifu_${NAME} STATIC ${sources})
    set(visibility PUBLIC)
    target_link_libraries(warifu_${NAME} PRIVATE warifu_options)
  else()
    add_library(warifu_${NAME} INTERFACE)
    set(visibility INTERFACE)
  endif()
  target_include_directories(warifu_${NAME} ${visibility} ${PROJECT_SOURCE_DIR}/libs)
  target_link_libraries(warifu_${NAME} ${visibility} ${ARG_DEPENDS} ${ARG_LINK})

  if(WARIFU_TESTS AND tests AND NOT WARIFU_FUZZ)
    add_executable(${NAME}_test ${tests})
    set_target_properties(${NAME}_test PROPERTIES UNITY_BUILD "${WARIFU_UNITY_TESTS}")
    target_link_libraries(${NAME}_test PRIVATE warifu_${NAME} ${ARG_TEST_DEPENDS} ${ARG_TEST_LINK} warifu_options
                                               GTest::gmock_main)
    target_compile_definitions(${NAME}_test PRIVATE WARIFU_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    # A test is compiled as often as it is run, and optimising it takes twice as long as it saves. What it tests is
    # optimised as ever.
    target_compile_options(${NAME}_test PRIVATE $<IF:$<CONFIG:Debug>,-O0,-O1>)
    add_test(NAME ${NAME} COMMAND ${NAME}_test)
    add_dependencies(unit_tests ${NAME}_test)
    # For what hangs. The store's tests have a PostgreSQL server of their own, and a sanitizer makes them several times
    # slower; an emulator makes RSA keys slowly; and others may want the machine too.
    set_tests_properties(${NAME} PROPERTIES LABELS unit TIMEOUT 1200)
  endif()
  if(WARIFU_FUZZ)
    foreach(fuzzer ${fuzzers})
      get_filename_component(target ${fuzzer} NAME_WE)
      add_executable(${target} ${fuzzer})
      target_link_libraries(${target} PRIVATE warifu_${NAME} warifu_options)
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    endforeach()
  endif()
endfunction()

# warifu_built_on(FILE): FILE is told the day on which it is built, WARIFU_BUILT_ON_DAY (days since 1970). No clock before this day is
# right. SOURCE_DATE_EPOCH makes it reproducible.
function(warifu_built_on FILE)
  string(TIMESTAMP built_on "%s" UTC)
  math(EXPR built_on "${built_on} / 86400")
  set_source_files_properties(${FILE} PROPERTIES COMPILE_DEFINITIONS "WARIFU_BUILT_ON_DAY=${built_on}")
endfunction()

# warifu_app(NAME DEPENDS lib... [LINK external...] [APART file...]): the program NAME from the .cpp files of this folder.
function(warifu_app NAME)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK;APART" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  warifu_apart(${ARG_APART})
  list(TRANSFORM ARG_DEPENDS PREPEND warifu_)
  add_executable(${NAME} ${sources})
  target_include_directories(${NAME} PRIVATE ${PROJECT_SOURCE_DIR}/apps)
  target_compile_definitions(${NAME} PRIVATE WARIFU_VERSION="${PROJECT_VERSION}")
  target_link_libraries(${NAME} PRIVATE ${ARG_DEPENDS} ${ARG_LINK} warifu_options)
endfunction()
