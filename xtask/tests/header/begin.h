/* The C ABI of polyplug, for hosts and plugins in C11 and C++17.
 *
 * A host links polyplug's C library, makes a runtime with polyplug_runtime_create, and calls the functions of the table that
 * it gets. A plugin defines polyplug_abi_version and polyplug_init, and is given a table of its own. What the functions do,
 * and how values cross, is described in docs/src/abi.md; examples/c has a host and a plugin.
 *
 * Written by `cargo xtask header`. Do not edit: change the sources, and run it again. */
#ifndef POLYPLUG_H
#define POLYPLUG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if UINTPTR_MAX != UINT64_MAX
#error "polyplug's ABI is defined for 64-bit targets only"
#endif

/// The version of this ABI: major * 65536 + minor. Host and plugin understand each other when their majors are equal.
#define POLYPLUG_ABI_VERSION @VERSION@

