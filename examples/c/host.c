/* A host in C: loads a bundle that provides the contract example.greeter, calls it, replaces it by a new version, calls that,
 * and unloads it. README.md says how it is built and run.
 *
 * Usage: host BUNDLE [NEW-VERSION]
 *
 * Both are folders of bundles. Without a new version, the bundle is loaded anew from where it was. */
#include <stdio.h>
#include <string.h>

#include "greeter.h"

/* Says what failed and why; returns what the program ends with. */
static int failed(const char *what, const PolyplugAbiError *error) {
    fprintf(stderr, "host: %s: %.*s (error %u)\n", what, (int)error->message.len, (const char *)error->message.ptr,
            (unsigned)error->code);
    return 1;
}

/* ---- Calls: each returns 0, or what `failed` does ---- */

static int add(const PolyplugHostApi *host, PolyplugGuestContractInstance greeter, int32_t a, int32_t b,
               PolyplugAbiError *error) {
    const GreeterAdd args = {a, b};
    int32_t sum = 0;
    /* Numbers in, a number out: no arena. */
    host->call_guest_method(host, greeter, GREETER_ADD, &args, &sum, NULL, error);
    if (error->code != POLYPLUG_OK) return 1;
    printf("%d + %d = %d\n", (int)a, (int)b, (int)sum);
    return 0;
}

static int greet(const PolyplugHostApi *host, PolyplugGuestContractInstance greeter, const char *name) {
    const GreeterGreet args = {polyplug_text(name)};
    PolyplugStringView greeting = {NULL, 0};
    PolyplugAbiError error = {POLYPLUG_OK, {NULL, 0}};
    int status = 0;
    /* The greeting lies in the arena, and so may an error's text: both go when the arena is left. */
    PolyplugCallArena *arena = host->enter_arena(host);
    host->call_guest_method(host, greeter, GREETER_GREET, &args, &greeting, arena, &error);
    if (error.code == POLYPLUG_OK) {
        printf("%.*s\n", (int)greeting.len, (const char *)greeting.ptr);
    } else {
        status = failed("greet", &error);
    }
    host->leave_arena(host, arena);
    return status;
}

static int greeted(const PolyplugHostApi *host, PolyplugGuestContractInstance greeter) {
    uint64_t count = 0;
    PolyplugAbiError error = {POLYPLUG_OK, {NULL, 0}};
    host->call_guest_method(host, greeter, GREETER_GREETED, NULL, &count, NULL, &error);
    if (error.code != POLYPLUG_OK) return failed("greeted", &error);
    printf("greeted so far: %llu\n", (unsigned long long)count);
    return 0;
}

/* Calls every method, and one of them so that it fails. */
static int call_everything(const PolyplugHostApi *host, PolyplugGuestContractInstance greeter) {
    PolyplugAbiError error = {POLYPLUG_OK, {NULL, 0}};
    if (add(host, greeter, 2, 3, &error) != 0) return failed("add", &error);
    if (greet(host, greeter, "Ada") != 0) return 1;
    if (greet(host, greeter, "Grace") != 0) return 1;
    if (greeted(host, greeter) != 0) return 1;

    if (add(host, greeter, INT32_MAX, 1, &error) == 0) {
        fprintf(stderr, "host: a sum that is too large was not refused\n");
        return 1;
    }
    /* A place in the source may follow on the next line. */
    const char *text = (const char *)error.message.ptr;
    const char *end = error.message.len ? memchr(text, '\n', error.message.len) : NULL;
    printf("refused, with error %u: %.*s\n", (unsigned)error.code, (int)(end ? (size_t)(end - text) : error.message.len),
           text);
    return 0;
}

/* ---- What happens to bundles ---- */

/* Told about each step in a bundle's life, on the thread that takes it. */
static void on_reload(void *user_data, const PolyplugReloadPhase *phase) {
    static const char *const names[] = {"preparing", "reloaded", "failed", "unloading"};
    FILE *to = user_data;
    /* What comes after these, POLYPLUG_RELOAD_PHASE_TYPE_QUIESCED, may come at any time and on a thread of the runtime's. */
    if (phase->phase_type >= sizeof names / sizeof *names) return;
    fprintf(to, "[%s: %.*s]\n", names[phase->phase_type], (int)phase->bundle_name.len,
            (const char *)phase->bundle_name.ptr);
}

/* From loading to unloading. */
static int run(const PolyplugHostApi *host, const char *bundle, const char *new_version) {
    PolyplugAbiError error = {POLYPLUG_OK, {NULL, 0}};
    host->load_bundle(host, (const uint8_t *)bundle, strlen(bundle), &error);
    if (error.code != POLYPLUG_OK) return failed("cannot load the bundle", &error);

    /* The one bundle that is loaded. Arrays are given back. */
    const PolyplugArrayBundleId bundles = host->list_bundles(host);
    const PolyplugBundleId id = bundles.len ? bundles.items[0] : 0;
    host->free(host, (uint8_t *)bundles.items, bundles.len * sizeof *bundles.items, bundles.align);

    const PolyplugGuestContractId contract = polyplug_guest_contract_id(GREETER_NAME, GREETER_MAJOR);
    const PolyplugGuestContractHandle handle = host->find_guest_contract(host, contract, GREETER_MINOR);
    if (polyplug_handle_is_null(handle)) {
        fprintf(stderr, "host: the bundle does not provide %s@%d.%d\n", GREETER_NAME, GREETER_MAJOR, GREETER_MINOR);
        return 1;
    }

    PolyplugGuestContractInstance greeter = {NULL, 0};
    host->create_guest_instance(host, handle, NULL, &greeter, &error);
    if (error.code != POLYPLUG_OK) return failed("cannot make a greeter", &error);
    if (call_everything(host, greeter) != 0) return 1;

    /* The handle and the instance stay what they are. What answers is the new version, which begins to count anew. */
    host->reload_bundle(host, (const uint8_t *)new_version, strlen(new_version), &error);
    if (error.code != POLYPLUG_OK) return failed("cannot load the new version", &error);
    if (call_everything(host, greeter) != 0) return 1;
    host->destroy_guest_instance(host, greeter);
    host->create_guest_instance(host, handle, NULL, &greeter, &error);
    if (error.code != POLYPLUG_OK) return failed("cannot make another greeter", &error);
    if (greeted(host, greeter) != 0) return 1;
    host->destroy_guest_instance(host, greeter);

    host->unload_bundle(host, id, &error);
    if (error.code != POLYPLUG_OK) return failed("cannot unload the bundle", &error);
    host->create_guest_instance(host, handle, NULL, &greeter, &error);
    if (error.code != POLYPLUG_ERROR_STALE_HANDLE) {
        fprintf(stderr, "host: the handle of an unloaded bundle should be stale\n");
        return 1;
    }
    printf("unloaded: %.*s\n", (int)error.message.len, (const char *)error.message.ptr);
    /* Nobody holds the code any more. It goes at once, or as soon as a thread that was looking something up is done. */
    printf("versions whose code is still there: %llu\n", (unsigned long long)host->quiesce(host, 10000));
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: %s BUNDLE [NEW-VERSION]\n", argc ? argv[0] : "host");
        return 2;
    }
    const PolyplugRuntimeConfig config = {
        .struct_size = sizeof config,
        .hot_reload_enabled = true,
        .on_reload = on_reload,
        .on_reload_user_data = stdout,
    };
    const PolyplugHostApi *host = polyplug_runtime_create(&config);
    if (!host) {
        fprintf(stderr, "host: no runtime can be made\n");
        return 1;
    }
    int status = 1;
    if (host->struct_size < sizeof *host) {
        fprintf(stderr, "host: polyplug's library is older than the header that this was compiled with\n");
    } else {
        status = run(host, argv[1], argv[argc - 1]);
    }
    /* Unloads what is still loaded. */
    polyplug_runtime_destroy(host);
    return status;
}
