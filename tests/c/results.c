/* Answers every method of `test.results` with memory that is no value of the result's type. The methods and their order
 * are those of the trait in tests/bad_results.rs. */
#include "polyplug.h"

#define ANSWER(name) \
    static void name(GuestContractInstance instance, const void *args, void *out, CallArena *arena, AbiError *err)
#define UNUSED (void)instance, (void)args, (void)out, (void)arena, (void)err

static const uint64_t some_words[4] = {1, 2, 3, 4};

ANSWER(truth) { UNUSED; *(uint8_t *)out = 2; }
ANSWER(surrogate) { UNUSED; *(uint32_t *)out = 0xd800; }
ANSWER(beyond_unicode) { UNUSED; *(uint32_t *)out = 0x110000; }
ANSWER(colour) { UNUSED; *(uint32_t *)out = 3; }
ANSWER(shape) { UNUSED; *(uint32_t *)out = 0xffffffff; }
ANSWER(maybe) { UNUSED; *(uint8_t *)out = 7; }
ANSWER(outcome) { UNUSED; *(uint32_t *)out = 2; }
ANSWER(broken_text) { UNUSED; *(StringView *)out = TEXT("caf\xc3"); }
ANSWER(null_text) { UNUSED; *(StringView *)out = (StringView){NULL, 5}; }
ANSWER(endless_text) { UNUSED; *(StringView *)out = (StringView){(const uint8_t *)"x", SIZE_MAX}; }
ANSWER(null_list) { UNUSED; *(StringView *)out = (StringView){NULL, 3}; }
ANSWER(crooked_list) { UNUSED; *(StringView *)out = (StringView){(const uint8_t *)some_words + 1, 2}; }
/* Too long for its elements of eight bytes only. */
ANSWER(endless_list) { UNUSED; *(StringView *)out = (StringView){(const uint8_t *)some_words, (size_t)1 << 60}; }

ANSWER(bad_element) {
    UNUSED;
    static const uint32_t colours[3] = {0, 2, 99};
    *(StringView *)out = (StringView){(const uint8_t *)colours, 3};
}

ANSWER(crooked_box) { UNUSED; *(const uint8_t **)out = (const uint8_t *)some_words + 3; }

/* A tree that is its own child. */
ANSWER(endless_tree) {
    UNUSED;
    static StringView children;
    children = (StringView){(const uint8_t *)&children, 1};
    *(StringView *)out = children;
}

/* Claims success and writes nothing. */
ANSWER(silence) { UNUSED; }

/* Failures, told badly. */
ANSWER(unknown_code) { UNUSED; fail(err, 77, TEXT("nobody knows 77")); }
ANSWER(own_code) { UNUSED; fail(err, 300, TEXT("out of paper")); }
ANSWER(broken_message) { UNUSED; fail(err, CODE_GENERIC, TEXT("caf\xc3")); }
ANSWER(null_message) { UNUSED; fail(err, CODE_GENERIC, (StringView){NULL, 9}); }
ANSWER(endless_message) { UNUSED; fail(err, CODE_GENERIC, (StringView){(const uint8_t *)"x", SIZE_MAX}); }
ANSWER(claimed_panic) { UNUSED; fail(err, CODE_PANIC, TEXT("so it says")); }

static void create(void *loader_data, const HostApi *host, const void *args, GuestContractInstance *out) {
    (void)loader_data, (void)host, (void)args;
    out->data = out;
}

static void destroy(void *loader_data, const HostApi *host, GuestContractInstance instance) {
    (void)loader_data, (void)host, (void)instance;
}

static const Entry functions[] = {
    truth,       surrogate,    beyond_unicode, colour,       shape,        maybe,          outcome,
    broken_text, null_text,    endless_text,   null_list,    crooked_list, endless_list,   bad_element,
    crooked_box, endless_tree, silence,        unknown_code, own_code,     broken_message, null_message,
    endless_message, claimed_panic,
};

EXPORT uint32_t polyplug_abi_version(void) { return ABI_VERSION_1_0; }

EXPORT void polyplug_init(const HostApi *host, const BundleInitContext *context, AbiError *err) {
    (void)context;
    const PluginDescriptor descriptor = {TEXT("Liar"), TEXT("test.results"), {1, 0, 0}};
    const GuestContractInterface interface = {
        .contract_id = fnv1a("guest_contract:test.results@1"),
        .contract_version = {1, 0, 0},
        .dispatch_type = DISPATCH_NATIVE,
        .create_instance = create,
        .destroy_instance = destroy,
        .dispatch.native = {sizeof(functions) / sizeof(functions[0]), functions},
    };
    host->register_guest_contract(host, &descriptor, &interface, err);
}
