/* A plugin in C for the contract example.greeter: README.md says how it is built and run. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "greeter.h"

/* What it greets with: another text makes another version. */
#ifndef GREETING
#define GREETING "Good morning"
#endif

/* A plugin's own codes begin at 256. */
enum { TOO_LARGE = 256 };

/* ---- Instances ---- */

/* Several threads may call the methods of one instance at once. */
typedef struct Greeter {
    atomic_ullong greeted;
} Greeter;

static void create(PolyplugVmLoaderData loader_data, const PolyplugHostApi *host, const void *args,
                   PolyplugGuestContractInstance *out) {
    (void)loader_data, (void)host, (void)args;
    Greeter *greeter = malloc(sizeof *greeter);
    if (greeter) atomic_init(&greeter->greeted, 0);
    out->data = greeter;
    out->contract_id = polyplug_guest_contract_id(GREETER_NAME, GREETER_MAJOR);
}

static void destroy(PolyplugVmLoaderData loader_data, const PolyplugHostApi *host,
                    PolyplugGuestContractInstance instance) {
    (void)loader_data, (void)host;
    free(instance.data);
}

/* ---- Methods: nothing that comes from the host is trusted ---- */

static void add(PolyplugGuestContractInstance instance, const void *args, void *out, PolyplugCallArena *arena,
                PolyplugAbiError *out_err) {
    (void)instance, (void)arena;
    const GreeterAdd *in = args;
    if (!in || !out) {
        polyplug_fail(out_err, POLYPLUG_ERROR_INVALID_POINTER, "add: a pointer is null");
        return;
    }
    int64_t sum = (int64_t)in->a + in->b;
    if (sum < INT32_MIN || sum > INT32_MAX) {
        polyplug_fail(out_err, TOO_LARGE, "the sum is too large");
        return;
    }
    *(int32_t *)out = (int32_t)sum;
}

static void greet(PolyplugGuestContractInstance instance, const void *args, void *out, PolyplugCallArena *arena,
                  PolyplugAbiError *out_err) {
    static const char before[] = GREETING ", ", after[] = ".";
    Greeter *greeter = instance.data;
    const GreeterGreet *in = args;
    if (!greeter || !in || !out || (!in->name.ptr && in->name.len)) {
        polyplug_fail(out_err, POLYPLUG_ERROR_INVALID_POINTER, "greet: a pointer is null");
        return;
    }
    size_t around = sizeof before - 1 + sizeof after - 1;
    /* The result lies in the caller's arena, and is the caller's to forget. */
    uint8_t *text = in->name.len <= SIZE_MAX - around ? polyplug_arena_alloc(arena, in->name.len + around, 1) : NULL;
    if (!text) {
        polyplug_fail(out_err, POLYPLUG_ERROR_BUFFER_TOO_SMALL, "greet: no room for the greeting");
        return;
    }
    uint8_t *end = text;
    memcpy(end, before, sizeof before - 1);
    end += sizeof before - 1;
    if (in->name.len) memcpy(end, in->name.ptr, in->name.len);
    end += in->name.len;
    memcpy(end, after, sizeof after - 1);
    *(PolyplugStringView *)out = (PolyplugStringView){text, in->name.len + around};
    atomic_fetch_add(&greeter->greeted, 1);
}

static void greeted(PolyplugGuestContractInstance instance, const void *args, void *out, PolyplugCallArena *arena,
                    PolyplugAbiError *out_err) {
    (void)args, (void)arena;
    Greeter *greeter = instance.data;
    if (!greeter || !out) {
        polyplug_fail(out_err, POLYPLUG_ERROR_INVALID_POINTER, "greeted: a pointer is null");
        return;
    }
    *(uint64_t *)out = atomic_load(&greeter->greeted);
}

/* ---- The two symbols ---- */

uint32_t polyplug_abi_version(void) {
    return POLYPLUG_ABI_VERSION;
}

void polyplug_init(const PolyplugHostApi *host, const PolyplugBundleInitContext *context, PolyplugAbiError *out_err) {
    (void)context;
    static const PolyplugEntry methods[GREETER_METHODS] = {
        [GREETER_ADD] = add,
        [GREETER_GREET] = greet,
        [GREETER_GREETED] = greeted,
    };
    const PolyplugPluginDescriptor descriptor = {
        .name = polyplug_text("greeter in C"),
        .contract_name = polyplug_text(GREETER_NAME),
        .version = {1, 0, 0},
    };
    /* The host copies the interface. What it points at, `methods`, has to stay. */
    const PolyplugGuestContractInterface interface = {
        .contract_id = polyplug_guest_contract_id(GREETER_NAME, GREETER_MAJOR),
        .contract_version = {GREETER_MAJOR, GREETER_MINOR, 0},
        .dispatch_type = POLYPLUG_DISPATCH_TYPE_NATIVE,
        .create_instance = create,
        .destroy_instance = destroy,
        .dispatch = {.native = {GREETER_METHODS, methods}},
    };
    host->register_guest_contract(host, &descriptor, &interface, out_err);
}
