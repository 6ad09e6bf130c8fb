/* A plugin for test.store-room@2, by the header of `polyplug stubs`. */
#include <string.h>

#include "test_store_room_2.h"

static void add(PolyplugGuestContractInstance instance, const void *args, void *out, PolyplugCallArena *arena,
                PolyplugAbiError *out_err) {
    (void)instance, (void)arena, (void)out_err;
    const TestStoreRoom2_add_args *in = args;
    *(int32_t *)out = in->a + in->b;
}

static void find(PolyplugGuestContractInstance instance, const void *args, void *out, PolyplugCallArena *arena,
                 PolyplugAbiError *out_err) {
    (void)instance, (void)arena, (void)out_err;
    const TestStoreRoom2_find_args *in = args;
    TestStoreRoom2_result_Point_Refusal *answer = out;
    if (in->name.len == 4 && memcmp(in->name.ptr, "here", 4) == 0) {
        answer->tag = 0;
        answer->of.ok = (TestStoreRoom2_Point){1, 2};
        return;
    }
    answer->tag = 1;
    answer->of.err.tag = TEST_STORE_ROOM_2_REFUSAL_FULL;
    answer->of.err.of.full.capacity = (uint32_t)in->name.len;
}

static void create(PolyplugVmLoaderData loader_data, const PolyplugHostApi *host, const void *args,
                   PolyplugGuestContractInstance *out) {
    (void)loader_data, (void)host, (void)args;
    out->data = NULL;
    out->contract_id = TEST_STORE_ROOM_2_ID;
}

static void destroy(PolyplugVmLoaderData loader_data, const PolyplugHostApi *host,
                    PolyplugGuestContractInstance instance) {
    (void)loader_data, (void)host, (void)instance;
}

uint32_t polyplug_abi_version(void) {
    return POLYPLUG_ABI_VERSION;
}

void polyplug_init(const PolyplugHostApi *host, const PolyplugBundleInitContext *context, PolyplugAbiError *out_err) {
    (void)context;
    static const PolyplugEntry methods[TEST_STORE_ROOM_2_METHODS] = {
        [TEST_STORE_ROOM_2_METHOD_ADD] = add,
        [TEST_STORE_ROOM_2_METHOD_FIND] = find,
    };
    const PolyplugPluginDescriptor descriptor = {
        .name = polyplug_text("store"),
        .contract_name = polyplug_text(TEST_STORE_ROOM_2_NAME),
        .version = {1, 0, 0},
    };
    const PolyplugGuestContractInterface interface = {
        .contract_id = TEST_STORE_ROOM_2_ID,
        .contract_version = {TEST_STORE_ROOM_2_MAJOR, TEST_STORE_ROOM_2_MINOR, 0},
        .dispatch_type = POLYPLUG_DISPATCH_TYPE_NATIVE,
        .create_instance = create,
        .destroy_instance = destroy,
        .dispatch = {.native = {TEST_STORE_ROOM_2_METHODS, methods}},
    };
    host->register_guest_contract(host, &descriptor, &interface, out_err);
}
