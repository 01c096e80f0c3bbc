# How a folder becomes a target. One call a folder; sources are taken by name pattern, so that a new
# file needs no list to be edited:
#
#   tally_library(tally_credits DEPS tally_system)       *.cpp of this folder, *_test.cpp apart
#   tally_library(tally_codec PURE DEPS ...)             compiled without floating point (see below)
#   tally_tests(tally_credits DEPS ...)                  *_test.cpp of this folder as one Catch2 program
#   tally_program(tallyd SOURCES main.cpp DEPS ...)      a program in build/bin
#
# PURE is for everything that a state transition is made of. -mgeneral-regs-only makes g++ refuse
# floating point there; clang cannot parse libstdc++ under that flag, so it is for g++ only.

set(TALLY_WARNINGS -Wall -Wextra -Wpedantic -Wno-missing-field-initializers -Wshadow -Wconversion -Wno-sign-conversion
    -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Werror=return-type
    -Werror=unused-result)
option(TALLY_WERROR "Treat warnings as errors" ON)
if(TALLY_WERROR)
  list(APPEND TALLY_WARNINGS -Werror)
endif()

# g++ 12 at -O2 calls the payload of an empty std::optional maybe uninitialised.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND TALLY_WARNINGS -Wno-maybe-uninitialized)
  # What a sanitizer inserts misleads the warnings that follow the flow of values.
  if(TALLY_SANITIZE)
    list(APPEND TALLY_WARNINGS -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds
      -Wno-restrict -Wno-nonnull -Wno-null-dereference -Wno-tsan)
  endif()
endif()

# Seconds that a test may take; with a sanitizer it takes several times as long.
set(TALLY_TIMEOUT 600)
if(TALLY_SANITIZE)
  set(TALLY_TIMEOUT 3600)
endif()

add_library(tally_flags INTERFACE)
target_include_directories(tally_flags INTERFACE ${CMAKE_SOURCE_DIR})
# -Wpedantic would refuse unsigned __int128 and statement expressions, both used on purpose.
target_compile_options(tally_flags INTERFACE ${TALLY_WARNINGS} -Wno-pedantic)

add_library(tally_pure_flags INTERFACE)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT TALLY_SANITIZE)
  target_compile_options(tally_pure_flags INTERFACE -mgeneral-regs-only)
endif()

function(_tally_sources out)
  file(GLOB found CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER found EXCLUDE REGEX "_test\\.cpp$|/main\\.cpp$|/[a-z0-9_]*_main\\.cpp$")
  set(${out} ${found} PARENT_SCOPE)
endfunction()

function(tally_library name)
  cmake_parse_arguments(ARG "PURE" "" "DEPS;PRIVATE_DEPS;SOURCES" ${ARGN})
  if(NOT ARG_SOURCES)
    _tally_sources(ARG_SOURCES)
  endif()
  if(ARG_SOURCES)
    add_library(${name} STATIC ${ARG_SOURCES})
    target_link_libraries(${name} PUBLIC tally_flags ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
    if(ARG_PURE)
      target_link_libraries(${name} PRIVATE tally_pure_flags)
    endif()
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE tally_flags ${ARG_DEPS})
  endif()
endfunction()

# One Catch2 program for the *_test.cpp files of a folder; every test case is a ctest of its own.
function(tally_tests name)
  cmake_parse_arguments(ARG "" "" "DEPS;SOURCES;LABELS" ${ARGN})
  if(NOT ARG_SOURCES)
    file(GLOB ARG_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cpp)
  endif()
  if(NOT ARG_SOURCES)
    return()
  endif()
  set(program ${name}_tests)
  add_executable(${program} ${ARG_SOURCES})
  target_link_libraries(${program} PRIVATE ${ARG_DEPS} tally_flags tally_test_main)
  set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_compile_definitions(${program} PRIVATE
    TALLY_SOURCE_DIR="${CMAKE_SOURCE_DIR}" TALLY_BINARY_DIR="${CMAKE_BINARY_DIR}")
  # -w NoTests: a filter that matches nothing must fail, not pass.
  catch_discover_tests(${program} EXTRA_ARGS -w NoTests TEST_PREFIX "${name}: "
    PROPERTIES TIMEOUT ${TALLY_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()

function(tally_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE tally_flags ${ARG_DEPS})
endfunction()

# For programs that allocate much and live long. The sanitizers bring allocators of their own.
function(tally_use_jemalloc name)
  if(NOT TALLY_SANITIZE AND NOT TALLY_FUZZ)
    target_link_libraries(${name} PRIVATE PkgConfig::JEMALLOC)
  endif()
endfunction()

# Adds the folders, in this order, that hold a CMakeLists.txt.
macro(tally_add_folders)
  foreach(folder ${ARGN})
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt)
      add_subdirectory(${folder})
    endif()
  endforeach()
endmacro()
