/* A plugin in C for version 1.MINOR of a contract that grows, of the name CONTRACT. */
#include <stdio.h>
#include <string.h>

#include <polyplug.h>

typedef PolyplugStringView Text;

typedef struct OptionalText {
    uint8_t is_some;
    Text value;
} OptionalText;

typedef struct Item {
    uint64_t id;
    Text name;
#if MINOR >= 1
    OptionalText note;
#endif
#if MINOR >= 2
    uint32_t count;
    struct {
        const Text *ptr;
        size_t len;
    } tags;
#endif
#if MINOR >= 3
    struct {
        int32_t x, y;
        OptionalText label;
    } place;
#endif
} Item;

typedef struct Items {
    const Item *ptr;
    size_t len;
} Items;

/* Copies memory into the caller's arena, in which a result lies. */
static const void *keep(PolyplugCallArena *arena, const void *from, size_t size, size_t align) {
    if (!size) return NULL;
    void *to = polyplug_arena_alloc(arena, size, align);
    return to ? memcpy(to, from, size) : NULL;
}

static Text text(PolyplugCallArena *arena, Text from) {
    const uint8_t *ptr = keep(arena, from.ptr, from.len, 1);
    return (Text){ptr, ptr ? from.len : 0};
}

static Item copy(PolyplugCallArena *arena, const Item *from) {
    Item to = *from;
    to.name = text(arena, from->name);
#if MINOR >= 1
    if (from->note.is_some) to.note.value = text(arena, from->note.value);
#endif
#if MINOR >= 2
    Text *tags = (Text *)keep(arena, from->tags.ptr, from->tags.len * sizeof(Text), _Alignof(Text));
    for (size_t i = 0; tags && i < from->tags.len; i++) tags[i] = text(arena, tags[i]);
    to.tags.ptr = tags;
#endif
#if MINOR >= 3
    if (from->place.label.is_some) to.place.label.value = text(arena, from->place.label.value);
#endif
    return to;
}

static void echo(PolyplugGuestContractInstance instance, const void *args, void *out, PolyplugCallArena *arena,
                 PolyplugAbiError *out_err) {
    (void)instance, (void)out_err;
    *(Item *)out = copy(arena, args);
}

static void make(PolyplugGuestContractInstance instance, const void *args, void *out, PolyplugCallArena *arena,
                 PolyplugAbiError *out_err) {
    (void)instance, (void)out_err;
    char name[32];
    uint64_t id = *(const uint64_t *)args;
    int len = snprintf(name, sizeof name, "item %llu", (unsigned long long)id);
    Item item = {.id = id, .name = {(const uint8_t *)name, (size_t)len}};
#if MINOR == 1
    item.note = (OptionalText){1, polyplug_text("one")};
#elif MINOR == 2
    static const Text tags[] = {{(const uint8_t *)"a", 1}, {(const uint8_t *)"b", 1}};
    item.note = (OptionalText){1, polyplug_text("two")};
    item.count = 2;
    item.tags.ptr = tags;
    item.tags.len = 2;
#elif MINOR == 3
    item.note = (OptionalText){1, polyplug_text("three")};
    item.count = 3;
    item.place.x = 5;
    item.place.y = 6;
#endif
    *(Item *)out = copy(arena, &item);
}

static void turn(PolyplugGuestContractInstance instance, const void *args, void *out, PolyplugCallArena *arena,
                 PolyplugAbiError *out_err) {
    (void)instance;
    const Items *in = args;
    Item *items = in->len ? polyplug_arena_alloc(arena, in->len * sizeof(Item), _Alignof(Item)) : NULL;
    if (in->len && !items) {
        polyplug_fail(out_err, POLYPLUG_ERROR_BUFFER_TOO_SMALL, "turn: no room for the items");
        return;
    }
    for (size_t i = 0; i < in->len; i++) items[i] = copy(arena, &in->ptr[in->len - 1 - i]);
    *(Items *)out = (Items){items, in->len};
}

/* Calm, Strange, Wild since 1.1, Tired since 1.3. */
static void mood(PolyplugGuestContractInstance instance, const void *args, void *out, PolyplugCallArena *arena,
                 PolyplugAbiError *out_err) {
    (void)instance, (void)args, (void)arena, (void)out_err;
    *(uint32_t *)out = MINOR == 0 ? 1 : MINOR < 3 ? 2 : 3;
}

/* Red, Green, Blue since 1.1, Violet since 1.3. */
static void colour(PolyplugGuestContractInstance instance, const void *args, void *out, PolyplugCallArena *arena,
                   PolyplugAbiError *out_err) {
    (void)instance, (void)args, (void)arena, (void)out_err;
    *(uint32_t *)out = MINOR == 0 ? 1 : MINOR < 3 ? 2 : 3;
}

static void create(PolyplugVmLoaderData loader_data, const PolyplugHostApi *host, const void *args,
                   PolyplugGuestContractInstance *out) {
    (void)loader_data, (void)host, (void)args;
    static char the_instance;
    out->data = &the_instance;
    out->contract_id = polyplug_guest_contract_id(CONTRACT, 1);
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
    static const PolyplugEntry methods[] = {echo, make, turn, mood, colour};
    const PolyplugPluginDescriptor descriptor = {
        .name = polyplug_text("growing in C"),
        .contract_name = polyplug_text(CONTRACT),
        .version = {1, 0, 0},
    };
    const PolyplugGuestContractInterface interface = {
        .contract_id = polyplug_guest_contract_id(CONTRACT, 1),
        .contract_version = {1, MINOR, 0},
        .dispatch_type = POLYPLUG_DISPATCH_TYPE_NATIVE,
        .create_instance = create,
        .destroy_instance = destroy,
        .dispatch = {.native = {sizeof methods / sizeof *methods, methods}},
    };
    host->register_guest_contract(host, &descriptor, &interface, out_err);
}
