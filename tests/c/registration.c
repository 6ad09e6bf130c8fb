/* A good calculator, each part of whose registration can be replaced by a define of the same name, to see whether the
 * host notices. */
#include "polyplug.h"

#ifndef NAME
#define NAME TEXT("Basic")
#endif
#ifndef CONTRACT_NAME
#define CONTRACT_NAME TEXT("demo.calculator")
#endif
#ifndef DISPATCH
#define DISPATCH DISPATCH_NATIVE
#endif
#ifndef CREATE
#define CREATE create
#endif
#ifndef DESTROY
#define DESTROY destroy
#endif
#ifndef FUNCTION_COUNT
#define FUNCTION_COUNT 4
#endif
#ifndef FUNCTIONS
#define FUNCTIONS functions
#endif
#ifndef DIVIDE
#define DIVIDE divide
#endif
#ifndef DESCRIPTOR
#define DESCRIPTOR &descriptor
#endif
#ifndef INTERFACE
#define INTERFACE &interface
#endif
/* How many times the plugin is registered. */
#ifndef TIMES
#define TIMES 1
#endif

struct add_args {
    int32_t a, b;
};

static const HostApi *its_host;
static int made, ended;

void create(void *loader_data, const HostApi *host, const void *args, GuestContractInstance *out) {
    (void)loader_data, (void)host, (void)args;
    *out = (GuestContractInstance){&made, fnv1a("guest_contract:demo.calculator@1")};
    made++;
}

/* Leaves no instance. */
void create_nothing(void *loader_data, const HostApi *host, const void *args, GuestContractInstance *out) {
    (void)loader_data, (void)host, (void)args, (void)out;
}

void destroy(void *loader_data, const HostApi *host, GuestContractInstance instance) {
    (void)loader_data, (void)host, (void)instance;
    ended++;
}

static void add(GuestContractInstance instance, const void *args, void *out, CallArena *arena, AbiError *err) {
    (void)instance, (void)arena, (void)err;
    const struct add_args *given = args;
    *(int32_t *)out = given->a + given->b;
}

/* Divides nothing: answers with code 300. */
void divide(GuestContractInstance instance, const void *args, void *out, CallArena *arena, AbiError *err) {
    (void)instance, (void)args, (void)out, (void)arena;
    fail(err, 300, TEXT("this calculator cannot divide"));
}

static void greet(GuestContractInstance instance, const void *args, void *out, CallArena *arena, AbiError *err) {
    (void)instance, (void)args, (void)arena, (void)err;
    *(StringView *)out = TEXT("Hello\xff");
}

static GuestContractInterface interface;
static PluginDescriptor descriptor;

/* Registers the plugin a second time, long after its start; gives the code of the failure. */
static void sum(GuestContractInstance instance, const void *args, void *out, CallArena *arena, AbiError *err) {
    (void)instance, (void)args, (void)arena, (void)err;
    AbiError refused = {0};
    its_host->register_guest_contract(its_host, &descriptor, &interface, &refused);
    *(uint64_t *)out = refused.code;
}

EXPORT uint32_t polyplug_abi_version(void) { return ABI_VERSION_1_0; }

EXPORT void polyplug_init(const HostApi *host, const BundleInitContext *context, AbiError *err) {
    (void)context;
    static Entry functions[4];
    (void)functions;
    functions[0] = add;
    functions[1] = DIVIDE;
    functions[2] = greet;
    functions[3] = sum;
    descriptor = (PluginDescriptor){NAME, CONTRACT_NAME, {1, 0, 0}};
    interface = (GuestContractInterface){
        .contract_id = fnv1a("guest_contract:demo.calculator@1"),
        .contract_version = {1, 2, 0},
        .dispatch_type = DISPATCH,
        .create_instance = CREATE,
        .destroy_instance = DESTROY,
        .dispatch.native = {FUNCTION_COUNT, FUNCTIONS},
    };
    its_host = host;
    for (int i = 0; i < TIMES; i++) {
#ifdef IGNORE_ERRORS
        AbiError ignored = {0};
        host->register_guest_contract(host, DESCRIPTOR, INTERFACE, &ignored);
        (void)err;
#else
        host->register_guest_contract(host, DESCRIPTOR, INTERFACE, err);
#endif
    }
}
