/* A counter that does more than it is told to. TRICK is one of the names below. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../loaders/all/include/polyplug.h"

/* Not an enum, which the preprocessor does not know. */
#define WRITES_ARGUMENTS 1
#define LIES_IN_LOGS 2
#define REGISTERS_LATE 3
#define CALLS_AFTER_THE_END 4
#define RELEASES_TOO_MUCH 5
#define UNLOADS_ALL 6

#define TEXT(literal) ((PolyplugStringView){(const uint8_t *)(literal), sizeof(literal) - 1})
#define EXPORT __attribute__((visibility("default")))

static const PolyplugHostApi *table;
static uint64_t sum;

static uint64_t hash(const char *text) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++) hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
    return hash;
}

static void create(PolyplugVmLoaderData loader_data, const PolyplugHostApi *host, const void *args,
                   PolyplugGuestContractInstance *out) {
    (void)loader_data, (void)host, (void)args;
    *out = (PolyplugGuestContractInstance){.data = &sum, .contract_id = hash("guest_contract:test.counter@1")};
}

static void destroy(PolyplugVmLoaderData loader_data, const PolyplugHostApi *host,
                    PolyplugGuestContractInstance instance) {
    (void)loader_data, (void)host, (void)instance;
}

static void register_counter(PolyplugAbiError *err);

#if TRICK == CALLS_AFTER_THE_END
/* Calls the host for as long as the file UNTIL exists, and then writes how often, and the last codes, to the file DONE. */
static void *call_for_ever(void *unused) {
    unsigned long rounds = 0;
    PolyplugAbiError err = {0};
    (void)unused;
    while (access(UNTIL, F_OK) == 0) {
        PolyplugGuestContractHandle handle = table->find_guest_contract(table, hash("guest_contract:test.counter@1"), 0);
        PolyplugGuestContractInstance instance = {0};
        PolyplugAbiError made = {0};
        table->create_guest_instance(table, handle, NULL, &instance, &made);
        if (made.code == 0) table->destroy_guest_instance(table, instance);
        err = (PolyplugAbiError){0};
        table->load_bundle(table, (const uint8_t *)"/nowhere", 8, &err);
        table->log(table, 3, TEXT("hostile"), TEXT("still here"));
        uint8_t text[64];
        table->get_last_error(table, text, sizeof text);
        table->get_host_contract(table, hash("host_contract:test.logger@1"), 0);
        rounds++;
    }
    FILE *done = fopen(DONE ".part", "w");
    if (done) {
        fprintf(done, "%lu %u", rounds, err.code);
        fclose(done);
        rename(DONE ".part", DONE);
    }
    table->release_host(table);
    return NULL;
}
#endif

static void add(PolyplugGuestContractInstance instance, const void *args, void *out, PolyplugCallArena *arena,
                PolyplugAbiError *err) {
    (void)instance, (void)arena, (void)err;
    uint64_t by = *(const uint64_t *)args;
    *(uint64_t *)out = __atomic_add_fetch(&sum, by, __ATOMIC_RELAXED);
#if TRICK == WRITES_ARGUMENTS
    memset((void *)args, 0xff, sizeof by);
#elif TRICK == LIES_IN_LOGS
    static const uint8_t bad[] = {0xff, 0xfe, 'x'};
    const PolyplugStringView lies[] = {{bad, sizeof bad}, {bad, SIZE_MAX}, {NULL, 1}, {NULL, SIZE_MAX}};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        table->log(table, 1, lies[i], lies[i]);
        table->log(table, UINT32_MAX, TEXT("scope"), lies[i]);
        PolyplugAbiError error = {0};
        table->load_bundle(table, lies[i].ptr, lies[i].len, &error);
        if (error.code == 0) *err = (PolyplugAbiError){77, TEXT("a lie was believed")};
        table->get_last_error(table, NULL, lies[i].len);
    }
#elif TRICK == REGISTERS_LATE
    PolyplugAbiError error = {0};
    register_counter(&error);
    if (error.code == 0) *err = (PolyplugAbiError){77, TEXT("it was registered")};
#elif TRICK == RELEASES_TOO_MUCH
    for (int i = 0; i < 1000; i++) table->release_host(table);
    for (int i = 0; i < 1000; i++) table->leave_arena(table, arena);
#elif TRICK == UNLOADS_ALL
    PolyplugArrayBundleId bundles = table->list_bundles(table);
    for (size_t i = 0; i < bundles.len; i++) {
        PolyplugAbiError error = {0};
        table->unload_bundle(table, bundles.items[i], &error);
    }
    table->free(table, (uint8_t *)bundles.items, bundles.len * sizeof *bundles.items, bundles.align);
    table->quiesce(table, 10);
#elif TRICK == CALLS_AFTER_THE_END
    static int started;
    if (!__atomic_exchange_n(&started, 1, __ATOMIC_SEQ_CST)) {
        /* Stays mapped, whatever the host closes: a library that does not is gone under its thread. */
        Dl_info info;
        if (!dladdr((void *)&sum, &info) || !dlopen(info.dli_fname, RTLD_NOW | RTLD_NODELETE)) {
            *err = (PolyplugAbiError){77, TEXT("it cannot stay")};
            return;
        }
        table->retain_host(table);
        pthread_t thread;
        if (pthread_create(&thread, NULL, call_for_ever, NULL)) *err = (PolyplugAbiError){77, TEXT("no thread")};
        else pthread_detach(thread);
    }
#endif
}

static void register_counter(PolyplugAbiError *err) {
    static PolyplugEntry functions[1];
    functions[0] = add;
    static PolyplugGuestContractInterface interface;
    memset(&interface, 0, sizeof interface);
    interface.contract_id = hash("guest_contract:test.counter@1");
    interface.contract_version = (PolyplugVersion){1, 0, 0};
    interface.dispatch_type = POLYPLUG_DISPATCH_TYPE_NATIVE;
    interface.create_instance = create;
    interface.destroy_instance = destroy;
    interface.dispatch.native.function_count = 1;
    interface.dispatch.native.functions = functions;
    static PolyplugPluginDescriptor descriptor;
    descriptor.name = TEXT("Hostile");
    descriptor.contract_name = TEXT("test.counter");
    descriptor.version = (PolyplugVersion){1, 0, 0};
    table->register_guest_contract(table, &descriptor, &interface, err);
}

EXPORT uint32_t polyplug_abi_version(void) { return 1u << 16; }

EXPORT void polyplug_init(const PolyplugHostApi *host, const PolyplugBundleInitContext *context, PolyplugAbiError *err) {
    (void)context;
    table = host;
    register_counter(err);
}
