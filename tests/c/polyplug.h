/* What the tests' plugins in C need of polyplug's ABI, written by hand so that it checks polyplug-abi's layouts rather
 * than copying them: the header for users, loaders/all/include/polyplug.h, is made from that crate and follows it into
 * any mistake. The whole of the ABI is described in docs/src/abi.md. */
#ifndef POLYPLUG_TESTS_H
#define POLYPLUG_TESTS_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#define ABI_VERSION_1_0 (1u << 16)

enum { CODE_OK = 0, CODE_GENERIC = 1, CODE_PANIC = 3 };
enum { DISPATCH_NATIVE = 0, DISPATCH_VM = 1 };

typedef struct {
    const uint8_t *ptr;
    size_t len;
} StringView;

typedef struct {
    uint32_t code;
    StringView message;
} AbiError;

typedef struct {
    uint32_t major, minor, patch;
} Version;

typedef struct {
    StringView name;
    StringView contract_name;
    Version version;
} PluginDescriptor;

typedef struct {
    uint64_t bundle_id;
    StringView bundle_path;
} BundleInitContext;

typedef struct {
    void *data;
    uint64_t contract_id;
} GuestContractInstance;

typedef struct {
    uint8_t *cur, *end;
    void *grow, *ctx;
} CallArena;

typedef struct HostApi HostApi;

typedef void (*CreateInstance)(void *loader_data, const HostApi *host, const void *args, GuestContractInstance *out);
typedef void (*DestroyInstance)(void *loader_data, const HostApi *host, GuestContractInstance instance);
typedef void (*Entry)(GuestContractInstance instance, const void *args, void *out, CallArena *arena, AbiError *err);

typedef struct {
    uint64_t contract_id;
    Version contract_version;
    uint32_t dispatch_type;
    CreateInstance create_instance;
    DestroyInstance destroy_instance;
    union {
        struct {
            uint32_t function_count;
            const Entry *functions;
        } native;
        struct {
            void (*call)(void);
            void *loader_data;
        } vm;
    } dispatch;
} GuestContractInterface;

/* The beginning of the host's table: as much of it as the tests' plugins use. */
struct HostApi {
    void *runtime;
    void (*register_guest_contract)(const HostApi *, const PluginDescriptor *, const GuestContractInterface *,
                                    AbiError *);
};

_Static_assert(sizeof(StringView) == 16, "StringView");
_Static_assert(sizeof(AbiError) == 24, "AbiError");
_Static_assert(sizeof(Version) == 12, "Version");
_Static_assert(sizeof(PluginDescriptor) == 48, "PluginDescriptor");
_Static_assert(sizeof(BundleInitContext) == 24, "BundleInitContext");
_Static_assert(sizeof(GuestContractInstance) == 16, "GuestContractInstance");
_Static_assert(sizeof(CallArena) == 32, "CallArena");
_Static_assert(sizeof(GuestContractInterface) == 56, "GuestContractInterface");
_Static_assert(offsetof(GuestContractInterface, dispatch) == 40, "GuestContractInterface.dispatch");
_Static_assert(offsetof(HostApi, register_guest_contract) == 8, "HostApi.register_guest_contract");

/* The view of a string literal. */
#define TEXT(literal) ((StringView){(const uint8_t *)(literal), sizeof(literal) - 1})

/* FNV-1a with 64 bits, the hash that all ids use. */
static inline uint64_t fnv1a(const char *text) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++) hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
    return hash;
}

static inline void fail(AbiError *err, uint32_t code, StringView message) {
    err->code = code;
    err->message = message;
}

#endif
