/* A counter, which adds STEP times what it is told to.
 *
 * With STARTED and GATE, paths of files, its start makes the first and then waits until somebody writes to the second,
 * which is a pipe. */
#include <stdio.h>

#include "polyplug.h"

#ifndef STEP
#define STEP 1
#endif

static uint64_t sum;

static void create(void *loader_data, const HostApi *host, const void *args, GuestContractInstance *out) {
    (void)loader_data, (void)host, (void)args;
    *out = (GuestContractInstance){&sum, fnv1a("guest_contract:test.counter@1")};
}

static void destroy(void *loader_data, const HostApi *host, GuestContractInstance instance) {
    (void)loader_data, (void)host, (void)instance;
}

static void add(GuestContractInstance instance, const void *args, void *out, CallArena *arena, AbiError *err) {
    (void)instance, (void)arena, (void)err;
    uint64_t by = *(const uint64_t *)args * STEP;
    *(uint64_t *)out = __atomic_add_fetch(&sum, by, __ATOMIC_RELAXED);
}

EXPORT uint32_t polyplug_abi_version(void) { return ABI_VERSION_1_0; }

EXPORT void polyplug_init(const HostApi *host, const BundleInitContext *context, AbiError *err) {
    (void)context;
#ifdef GATE
    FILE *started = fopen(STARTED, "w");
    if (started) fclose(started);
    FILE *gate = fopen(GATE, "r");
    if (!gate) return fail(err, CODE_GENERIC, TEXT("there is no gate"));
    fgetc(gate);
    fclose(gate);
#endif
    static Entry functions[1];
    functions[0] = add;
    static GuestContractInterface interface;
    interface = (GuestContractInterface){
        .contract_id = fnv1a("guest_contract:test.counter@1"),
        .contract_version = {1, 0, 0},
        .dispatch_type = DISPATCH_NATIVE,
        .create_instance = create,
        .destroy_instance = destroy,
        .dispatch.native = {1, functions},
    };
    static PluginDescriptor descriptor;
    descriptor = (PluginDescriptor){TEXT("Counting"), TEXT("test.counter"), {1, 0, 0}};
    host->register_guest_contract(host, &descriptor, &interface, err);
}
