/* Gives the address of its own host table away, and uses arenas wrongly. The methods and their order are those of the
 * trait in tests/c_abi_bundle.rs. */
#include "polyplug.h"

typedef CallArena *(*EnterArena)(const HostApi *host);
typedef void (*LeaveArena)(const HostApi *host, CallArena *arena);

/* The offsets of `enter_arena` and `leave_arena`, by docs/src/abi.md. */
static EnterArena enter_of(const HostApi *table) { return *(const EnterArena *)((const char *)table + 200); }
static LeaveArena leave_of(const HostApi *table) { return *(const LeaveArena *)((const char *)table + 208); }

/* Uses arenas in one of these ways. */
static void misuse(const HostApi *host, CallArena *arena, uint32_t way) {
    const EnterArena enter_arena = enter_of(host);
    const LeaveArena leave_arena = leave_of(host);
    switch (way) {
    case 0: enter_arena(host); break;
    case 1: for (int i = 0; i < 100; i++) enter_arena(host); break;
    case 2: leave_arena(host, NULL); break;
    case 3: leave_arena(host, arena); break;
    case 4: leave_arena(host, arena); leave_arena(host, arena); leave_arena(NULL, arena); break;
    case 5: leave_arena(host, (CallArena *)16); break;
    case 6: {
        CallArena *own = enter_arena(host);
        leave_arena(host, own);
        leave_arena(host, own);
        break;
    }
    case 7: {
        CallArena *outer = enter_arena(host);
        enter_arena(host);
        leave_arena(host, outer);
        break;
    }
    case 8: leave_arena(NULL, enter_arena(NULL)); enter_arena(NULL); break;
    }
}

static void table(GuestContractInstance instance, const void *args, void *out, CallArena *arena, AbiError *err) {
    (void)args, (void)arena, (void)err;
    *(uint64_t *)out = (uint64_t)(uintptr_t)instance.data;
}

static void number(GuestContractInstance instance, const void *args, void *out, CallArena *arena, AbiError *err) {
    (void)err;
    uint32_t way = *(const uint32_t *)args;
    misuse(instance.data, arena, way);
    *(uint32_t *)out = way;
}

static void text(GuestContractInstance instance, const void *args, void *out, CallArena *arena, AbiError *err) {
    (void)err;
    misuse(instance.data, arena, *(const uint32_t *)args);
    *(StringView *)out = TEXT("text");
}

static void create(void *loader_data, const HostApi *host, const void *args, GuestContractInstance *out) {
    (void)loader_data, (void)args;
    out->data = (void *)host;
}

static void destroy(void *loader_data, const HostApi *host, GuestContractInstance instance) {
    (void)loader_data, (void)host, (void)instance;
}

static const Entry functions[] = {table, number, text};

EXPORT uint32_t polyplug_abi_version(void) { return ABI_VERSION_1_0; }

EXPORT void polyplug_init(const HostApi *host, const BundleInitContext *context, AbiError *err) {
    (void)context;
    misuse(host, NULL, 1);
    misuse(host, NULL, 2);
    const PluginDescriptor descriptor = {TEXT("Table"), TEXT("test.table"), {1, 0, 0}};
    const GuestContractInterface interface = {
        .contract_id = fnv1a("guest_contract:test.table@1"),
        .contract_version = {1, 0, 0},
        .dispatch_type = DISPATCH_NATIVE,
        .create_instance = create,
        .destroy_instance = destroy,
        .dispatch.native = {sizeof(functions) / sizeof(functions[0]), functions},
    };
    host->register_guest_contract(host, &descriptor, &interface, err);
}
