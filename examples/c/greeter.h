/* The contract example.greeter, version 1.0, which host.c calls and plugin.c implements. In Rust it is
 *
 *     #[polyplug::contract(name = "example.greeter", version = "1.0")]
 *     pub trait Greeter {
 *         fn add(&self, a: i32, b: i32) -> i32;
 *         fn greet(&self, name: &str) -> String;
 *         fn greeted(&self) -> u64;
 *     }
 *
 * How types cross is in docs/src/abi.md, under "Canonical memory". */
#ifndef GREETER_H
#define GREETER_H

#include "polyplug.h"

#define GREETER_NAME "example.greeter"

enum { GREETER_MAJOR = 1, GREETER_MINOR = 0 };

/* The methods' numbers: their places in the contract. */
enum { GREETER_ADD, GREETER_GREET, GREETER_GREETED, GREETER_METHODS };

/* The arguments of `add`. Its result is an int32_t. */
typedef struct GreeterAdd {
    int32_t a;
    int32_t b;
} GreeterAdd;

/* The arguments of `greet`. Its result is a PolyplugStringView, and that of `greeted`, which takes none, a uint64_t. */
typedef struct GreeterGreet {
    PolyplugStringView name;
} GreeterGreet;

#endif
