/* ---- The two symbols of a plugin's library, defined by its author ---- */

#if defined(_WIN32)
#define POLYPLUG_EXPORT __declspec(dllexport)
#else
#define POLYPLUG_EXPORT __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// Returns POLYPLUG_ABI_VERSION.
POLYPLUG_EXPORT uint32_t polyplug_abi_version(void);

/// Registers the bundle's plugins through `host`, which is valid as long as the library is loaded; `context` is during the
/// call. To fail, it writes `out_err`.
POLYPLUG_EXPORT void polyplug_init(const PolyplugHostApi *host, const PolyplugBundleInitContext *context,
        PolyplugAbiError *out_err);

/* ---- Helpers ---- */

/// A view of the text before the byte 0 that ends `text`; of nothing if that is null.
static inline PolyplugStringView polyplug_text(const char *text) {
    PolyplugStringView view = {(const uint8_t *)text, 0};
    while (text && text[view.len]) view.len++;
    return view;
}

/// Writes a failure. `message` must be null or stay valid: a literal, for example. For other texts there are the call's
/// arena and `error_text` of the host's table.
static inline void polyplug_fail(PolyplugAbiError *out_err, uint32_t code, const char *message) {
    if (!out_err) return;
    out_err->code = code;
    out_err->message = polyplug_text(message);
}

/// Whether a handle names nothing.
static inline bool polyplug_handle_is_null(PolyplugGuestContractHandle handle) {
    return handle.index == UINT32_MAX;
}

/// `size` bytes of an arena, aligned to `align`, a power of two. Null when there is no room or no arena; never for size 0.
static inline void *polyplug_arena_alloc(PolyplugCallArena *arena, size_t size, size_t align) {
    uintptr_t start, end;
    if (size == 0) return (void *)(uintptr_t)align;
    if (!arena) return NULL;
    start = ((uintptr_t)arena->cur + (align - 1)) & ~(uintptr_t)(align - 1);
    end = (uintptr_t)arena->end;
    if (start <= end && size <= end - start) {
        arena->cur = (uint8_t *)(start + size);
        return (void *)start;
    }
    return arena->grow ? arena->grow(arena, size, align) : NULL;
}

/// Goes on with `hash` over `len` bytes: FNV-1a with 64 bits, which all ids are made with. A hash begins as
/// POLYPLUG_FNV1A_64.
static inline uint64_t polyplug_fnv1a_64(uint64_t hash, const void *bytes, size_t len) {
    const uint8_t *byte = (const uint8_t *)bytes;
    size_t i;
    for (i = 0; i < len; i++) hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/// The hash of nothing.
#define POLYPLUG_FNV1A_64 UINT64_C(0xcbf29ce484222325)

/// The hash of `<prefix><name>@<major>`. Called by the functions below.
static inline uint64_t polyplug_contract_hash(const char *prefix, const char *name, uint32_t major) {
    uint64_t hash = POLYPLUG_FNV1A_64;
    char digits[10];
    size_t count = 0;
    hash = polyplug_fnv1a_64(hash, prefix, polyplug_text(prefix).len);
    hash = polyplug_fnv1a_64(hash, name, polyplug_text(name).len);
    hash = polyplug_fnv1a_64(hash, "@", 1);
    do {
        digits[sizeof digits - ++count] = (char)('0' + major % 10);
        major /= 10;
    } while (major);
    return polyplug_fnv1a_64(hash, digits + sizeof digits - count, count);
}

/// The id of the bundle called `name`.
static inline PolyplugBundleId polyplug_bundle_id(const char *name) {
    return polyplug_fnv1a_64(POLYPLUG_FNV1A_64, name, polyplug_text(name).len);
}

/// The id of version `major` of the guest contract `name`, the kind that plugins implement.
static inline PolyplugGuestContractId polyplug_guest_contract_id(const char *name, uint32_t major) {
    return polyplug_contract_hash("guest_contract:", name, major);
}

/// The id of version `major` of the host contract `name`, the kind that the host implements for its plugins.
static inline PolyplugHostContractId polyplug_host_contract_id(const char *name, uint32_t major) {
    return polyplug_contract_hash("host_contract:", name, major);
}

#ifdef __cplusplus
}
#define POLYPLUG_ASSERT(condition, text) static_assert(condition, text)
#else
#define POLYPLUG_ASSERT(condition, text) _Static_assert(condition, text)
#endif
