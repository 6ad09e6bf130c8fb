/* The C ABI of polyplug, for hosts and plugins in C11 and C++17.
 *
 * A host links polyplug's C library, makes a runtime with polyplug_runtime_create, and calls the functions of the table that
 * it gets. A plugin defines polyplug_abi_version and polyplug_init, and is given a table of its own. What the functions do,
 * and how values cross, is described in docs/src/abi.md; examples/c has a host and a plugin.
 *
 * Written by `cargo xtask header`. Do not edit: change the sources, and run it again. */
#ifndef POLYPLUG_H
#define POLYPLUG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if UINTPTR_MAX != UINT64_MAX
#error "polyplug's ABI is defined for 64-bit targets only"
#endif

/// The version of this ABI: major * 65536 + minor. Host and plugin understand each other when their majors are equal.
#define POLYPLUG_ABI_VERSION ((UINT32_C(1) << 16) | 0)

typedef struct PolyplugStringView PolyplugStringView;
typedef struct PolyplugVersion PolyplugVersion;
typedef struct PolyplugPluginDescriptor PolyplugPluginDescriptor;
typedef struct PolyplugVmLoaderData PolyplugVmLoaderData;
typedef struct PolyplugGuestContractInstance PolyplugGuestContractInstance;
typedef struct PolyplugCallArena PolyplugCallArena;
typedef struct PolyplugAbiError PolyplugAbiError;
typedef struct PolyplugNativeDispatch PolyplugNativeDispatch;
typedef struct PolyplugVmDispatch PolyplugVmDispatch;
typedef union PolyplugDispatchMechanisms PolyplugDispatchMechanisms;
typedef struct PolyplugGuestContractInterface PolyplugGuestContractInterface;
typedef struct PolyplugGuestContractHandle PolyplugGuestContractHandle;
typedef struct PolyplugArrayGuestContractHandle PolyplugArrayGuestContractHandle;
typedef struct PolyplugHostContractInstance PolyplugHostContractInstance;
typedef struct PolyplugHostContractInterface PolyplugHostContractInterface;
typedef struct PolyplugArrayBundleId PolyplugArrayBundleId;
typedef struct PolyplugDependencyInfo PolyplugDependencyInfo;
typedef struct PolyplugArrayDependencyInfo PolyplugArrayDependencyInfo;
typedef struct PolyplugPluginRegistration PolyplugPluginRegistration;
typedef struct PolyplugProxyRequest PolyplugProxyRequest;
typedef struct PolyplugObjectOffer PolyplugObjectOffer;
typedef struct PolyplugHostApi PolyplugHostApi;
typedef struct PolyplugReloadPhase PolyplugReloadPhase;
typedef struct PolyplugRuntimeConfig PolyplugRuntimeConfig;
typedef struct PolyplugBundleInitContext PolyplugBundleInitContext;

/// The kinds of failure that both sides know.
///
/// Codes cross as plain numbers (`PolyplugAbiError.code`); this enum is for writing and comparing them.
enum PolyplugAbiErrorCode
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /// The call succeeded.
    POLYPLUG_OK = 0,
    /// A failure that no other code describes.
    POLYPLUG_ERROR_GENERIC = 1,
    /// The result did not fit into the memory that the caller offered.
    POLYPLUG_ERROR_BUFFER_TOO_SMALL = 2,
    /// Rust code panicked.
    POLYPLUG_ERROR_PANIC = 3,
    /// The requested item does not exist.
    POLYPLUG_ERROR_NOT_FOUND = 4,
    /// The handle or instance token refers to an item that does not exist any more.
    POLYPLUG_ERROR_STALE_HANDLE = 5,
    /// The provider has no function with this number.
    POLYPLUG_ERROR_FUNCTION_NOT_AVAILABLE = 6,
    /// The bundle registers the contract a second time.
    POLYPLUG_ERROR_DUPLICATE_PROVIDER = 7,
    /// A pointer that must not be null is null, or is not aligned.
    POLYPLUG_ERROR_INVALID_POINTER = 8,
    /// The call may not be made from inside the call that is running.
    POLYPLUG_ERROR_REENTRANT_CALL = 9,
    /// The callee found an argument that is not a value of its type.
    POLYPLUG_ERROR_INVALID_ARGUMENT = 10,
    /// The bundle that contained the code is unloaded.
    POLYPLUG_ERROR_UNLOADED = 11,
    /// Waiting would close a cycle of engine locks.
    POLYPLUG_ERROR_DEADLOCK = 12,
    /// A guest's language raised an exception.
    POLYPLUG_ERROR_EXCEPTION = 13,
    /// The plugin's factory could not make an instance.
    POLYPLUG_ERROR_FACTORY_FAILED = 14,
    /// A value is nested deeper than the limit.
    POLYPLUG_ERROR_TOO_DEEP = 15,
    /// A table that was passed to the host is malformed.
    POLYPLUG_ERROR_INVALID_INTERFACE = 16,
    /// The operation is not allowed for the caller.
    POLYPLUG_ERROR_NOT_ALLOWED = 17,
    /// Host and plugin have different contracts of the same name and version.
    POLYPLUG_ERROR_INCOMPATIBLE_CONTRACT = 18,
    /// The callee's code returned something that is not a value of the result's type.
    POLYPLUG_ERROR_INVALID_RESULT = 19,
    /// The call took more time or memory than the callee may use.
    POLYPLUG_ERROR_LIMIT_REACHED = 20,
    /// The host does not provide this host contract.
    POLYPLUG_ERROR_HOST_CONTRACT_NOT_FOUND = 100,
    /// The host provides another version of this host contract.
    POLYPLUG_ERROR_HOST_CONTRACT_VERSION_MISMATCH = 101,
    /// The host's implementation failed.
    POLYPLUG_ERROR_HOST_CONTRACT_CALL_FAILED = 102,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum PolyplugAbiErrorCode PolyplugAbiErrorCode;
#else
typedef uint32_t PolyplugAbiErrorCode;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/// A borrowed sequence of bytes, usually UTF-8 text. `{null, 0}` is empty.
///
/// The structure or function that contains the view documents the owner of the bytes and how long they are valid. The
/// receiver checks that text is UTF-8.
struct PolyplugStringView {
    /// The first byte; may be null or dangling if `len` is 0.
    const uint8_t *ptr;
    /// The number of bytes.
    size_t len;
};

/// The version of a contract, a plugin or a bundle.
struct PolyplugVersion {
    /// The major number, which incompatible changes increase.
    uint32_t major;
    /// The minor number, which additions increase.
    uint32_t minor;
    /// The patch number, which corrections increase.
    uint32_t patch;
};

/// The names and the version of a plugin.
struct PolyplugPluginDescriptor {
    /// The plugin's name, for people.
    PolyplugStringView name;
    /// The name of the contract that the plugin implements.
    PolyplugStringView contract_name;
    /// The plugin's own version.
    PolyplugVersion version;
};

/// The id of one major version of a guest contract, the kind that plugins implement.
typedef uint64_t PolyplugGuestContractId;

/// The member of `PolyplugDispatchMechanisms` that an interface uses.
///
/// The type is a transparent integer, because a foreign table may hold any number.
typedef uint32_t PolyplugDispatchType;
/// A table of `PolyplugEntry` functions.
#define POLYPLUG_DISPATCH_TYPE_NATIVE 0
/// One `PolyplugVmCall` for all methods.
#define POLYPLUG_DISPATCH_TYPE_VIRTUAL_MACHINE 1

/// The data that a loader attached to an interface. Each function of the interface receives it.
struct PolyplugVmLoaderData {
    /// The loader's pointer.
    void *data;
};

/// An object that a plugin's factory made.
///
/// For a `PolyplugEntry`, `data` is the plugin's own pointer. For the functions of `PolyplugHostApi`, `data` is a
/// token that only the host can interpret.
struct PolyplugGuestContractInstance {
    /// The object, or the host's token for it.
    void *data;
    /// The contract that the object implements.
    PolyplugGuestContractId contract_id;
};

/// Makes an instance. The function cannot report an error: a plugin whose factory can fail registers a
/// `PolyplugCreateWithError` with `PolyplugHostApi.register_plugin`. A null `data` is a valid instance, for plugins that need no data.
typedef void (*PolyplugCreateInstance)(PolyplugVmLoaderData loader_data, const PolyplugHostApi *host, const void *args,
        PolyplugGuestContractInstance *out_instance);

/// Destroys an instance.
typedef void (*PolyplugDestroyInstance)(PolyplugVmLoaderData loader_data, const PolyplugHostApi *host,
        PolyplugGuestContractInstance instance);

/// The function by which an arena asks its owner for memory. If the region is too small for an allocation, the function
/// returns `size` bytes or null. With `size` 0 it rewinds the arena to its start.
typedef uint8_t *(*PolyplugGrowFn)(PolyplugCallArena *arena, size_t size, size_t align);

/// A bump allocator in a region that the caller of a method owns.
///
/// The results of calls are valid until the caller resets the arena, which frees all of them at once. An arena without
/// a `grow` function has a fixed size; an arena with a `grow` function asks its owner for more memory.
struct PolyplugCallArena {
    /// The next free byte.
    uint8_t *cur;
    /// The end of the region.
    uint8_t *end;
    /// The function that asks the owner for memory, or to rewind.
    PolyplugGrowFn grow;
    /// The owner's data; without `grow`, the start of the region.
    void *ctx;
};

/// The outcome of a call: a code, and a text for people if the code is not Ok.
///
/// The caller sets `code` to 0 before the call; the callee writes only on failure. The text is in the call's arena or,
/// for a call without an arena, in a buffer that the host keeps for the thread until that thread's next call.
struct PolyplugAbiError {
    /// A `PolyplugAbiErrorCode` as a number, or 256 and above for a code of the plugin's own.
    uint32_t code;
    /// The text in UTF-8; empty if the code needs no explanation.
    PolyplugStringView message;
};

/// One function of a contract.
///
/// `args` points at a C struct of the arguments in their canonical layouts (null without arguments). `out` points at
/// memory for the result in its canonical layout (null for unit). `arena` is the memory for the data behind pointers
/// (null if neither arguments nor result need an arena). The caller sets `out_err.code` to 0; the callee writes
/// `out_err` only on failure.
typedef void (*PolyplugEntry)(PolyplugGuestContractInstance instance, const void *args, void *out,
        PolyplugCallArena *arena, PolyplugAbiError *out_err);

/// A table of native functions.
struct PolyplugNativeDispatch {
    /// The number of entries in `functions`.
    uint32_t function_count;
    /// The table; each pointer is a `PolyplugEntry`.
    const PolyplugEntry *functions;
};

/// The function that calls every method of a contract that a virtual machine implements: a `PolyplugEntry` with the loader's
/// data and the number of the method.
typedef void (*PolyplugVmCall)(PolyplugVmLoaderData loader_data, PolyplugGuestContractInstance instance,
        uint32_t fn_id, const void *args, void *out, PolyplugCallArena *arena, PolyplugAbiError *out_err);

/// The function of a virtual machine, with its data.
struct PolyplugVmDispatch {
    /// The function that carries out every method.
    PolyplugVmCall call;
    /// The data that `call`, and the interface's `create_instance` and `destroy_instance`, receive.
    PolyplugVmLoaderData loader_data;
};

/// The dispatch of an interface. `PolyplugDispatchType` says which member is valid.
union PolyplugDispatchMechanisms {
    /// The member for `POLYPLUG_DISPATCH_TYPE_NATIVE`.
    PolyplugNativeDispatch native;
    /// The member for `POLYPLUG_DISPATCH_TYPE_VIRTUAL_MACHINE`.
    PolyplugVmDispatch vm;
};

/// The table through which one plugin is called.
struct PolyplugGuestContractInterface {
    /// The contract that is implemented.
    PolyplugGuestContractId contract_id;
    /// The version of the contract that the plugin was built against.
    PolyplugVersion contract_version;
    /// The member of `dispatch` that is valid.
    PolyplugDispatchType dispatch_type;
    /// The function that makes an instance.
    PolyplugCreateInstance create_instance;
    /// The function that destroys an instance.
    PolyplugDestroyInstance destroy_instance;
    /// The dispatch of the methods.
    PolyplugDispatchMechanisms dispatch;
};

/// A handle to a slot of the store: the slot's index, and the generation that distinguishes successive interfaces in
/// the slot.
struct PolyplugGuestContractHandle {
    /// The index of the slot.
    uint32_t index;
    /// The generation that the slot had when the handle was made.
    uint32_t generation;
};

/// An array that the host allocated and the receiver frees with `PolyplugHostApi.free(items, len * size, align)`.
///
/// An empty array has a null `items` and needs no `free`.
struct PolyplugArrayGuestContractHandle {
    /// The first element.
    PolyplugGuestContractHandle *items;
    /// The number of elements.
    size_t len;
    /// The alignment with which the memory was allocated.
    size_t align;
};

/// An object of a host contract.
struct PolyplugHostContractInstance {
    /// The host's pointer.
    void *data;
};

/// The id of one major version of a host contract, the kind that the host implements for its plugins.
typedef uint64_t PolyplugHostContractId;

/// The table through which a host contract is called. The table stays at its address until the runtime ends.
struct PolyplugHostContractInterface {
    /// The contract.
    PolyplugHostContractId contract_id;
    /// The contract's version.
    PolyplugVersion contract_version;
    /// 1 if one object serves all plugins, 0 if each look-up makes an object.
    uint8_t singleton;
    /// The member of `dispatch` that is valid.
    PolyplugDispatchType dispatch_type;
    /// The provider's data.
    void *user_data;
    /// The function that makes an object.
    void (*create_instance)(const PolyplugHostContractInterface *table, const void *args,
            PolyplugHostContractInstance *out_instance);
    /// The function that destroys an object.
    void (*destroy_instance)(const PolyplugHostContractInterface *table, PolyplugHostContractInstance instance);
    /// The dispatch of the methods.
    PolyplugDispatchMechanisms dispatch;
};

/// The id of a bundle: the hash of its name.
typedef uint64_t PolyplugBundleId;

/// An array that the host allocated and the receiver frees with `PolyplugHostApi.free(items, len * size, align)`.
///
/// An empty array has a null `items` and needs no `free`.
struct PolyplugArrayBundleId {
    /// The first element.
    PolyplugBundleId *items;
    /// The number of elements.
    size_t len;
    /// The alignment with which the memory was allocated.
    size_t align;
};

/// One dependency that a bundle's manifest declares.
struct PolyplugDependencyInfo {
    /// The contract that the bundle needs.
    PolyplugGuestContractId contract_id;
    /// The least minor version that suffices.
    uint32_t min_version;
    /// The bundle that must provide the contract; 0 if any bundle may.
    PolyplugBundleId bundle_id;
};

/// An array that the host allocated and the receiver frees with `PolyplugHostApi.free(items, len * size, align)`.
///
/// An empty array has a null `items` and needs no `free`.
struct PolyplugArrayDependencyInfo {
    /// The first element.
    PolyplugDependencyInfo *items;
    /// The number of elements.
    size_t len;
    /// The alignment with which the memory was allocated.
    size_t align;
};

/// The properties of a plugin, as bits.
typedef uint32_t PolyplugPluginFlags;
/// The plugin's type has no data, so one instance serves all callers.
#define POLYPLUG_PLUGIN_FLAGS_STATELESS 1
/// The plugin has one instance for the whole bundle, which serves all callers.
#define POLYPLUG_PLUGIN_FLAGS_SINGLETON 2

/// Makes an instance, or reports an error.
typedef void (*PolyplugCreateWithError)(const PolyplugHostApi *host, PolyplugGuestContractInstance *out_instance,
        PolyplugAbiError *out_err);

/// Writes a snapshot of an instance's state, as bytes in `arena`.
typedef void (*PolyplugSaveInstance)(PolyplugGuestContractInstance instance, PolyplugStringView *out,
        PolyplugCallArena *arena, PolyplugAbiError *out_err);

/// Makes an instance from a snapshot that plugin version `from` wrote.
typedef void (*PolyplugRestoreInstance)(const PolyplugHostApi *host, PolyplugStringView state, PolyplugVersion from,
        PolyplugGuestContractInstance *out_instance, PolyplugAbiError *out_err);

/// Checks whether a newly loaded plugin is fit to serve, or reports an error.
typedef void (*PolyplugCheckHealth)(const PolyplugHostApi *host, PolyplugCallArena *arena, PolyplugAbiError *out_err);

/// The data about one plugin that `#[plugin]` passes to the host. Valid for the duration of `register_plugin`.
///
/// New fields are added at the end only; `struct_size` says which fields exist.
struct PolyplugPluginRegistration {
    /// The value of `sizeof(PolyplugPluginRegistration)` in the sender's build.
    size_t struct_size;
    /// The plugin's names and version.
    PolyplugPluginDescriptor descriptor;
    /// The plugin's table, which the host copies.
    const PolyplugGuestContractInterface *interface;
    /// The plugin's properties.
    PolyplugPluginFlags flags;
    /// The factory, which can report an error. If absent, the host uses `interface.create_instance`.
    PolyplugCreateWithError create;
    /// The function that takes a snapshot for a reload.
    PolyplugSaveInstance save;
    /// The function that makes an instance from a snapshot.
    PolyplugRestoreInstance restore;
    /// The check that the host makes before it publishes a newly loaded version.
    PolyplugCheckHealth health;
    /// The contract's schema, encoded; empty for a plugin without a schema.
    PolyplugStringView schema;
    /// Reserved for the sender; null.
    void *reserved;
};

/// The function that a thread runs: see `PolyplugHostApi.spawn`.
typedef void (*PolyplugThreadBody)(void *data);

/// The kind of callee of a plugin's proxy.
typedef uint32_t PolyplugProxyTarget;
/// A host contract.
#define POLYPLUG_PROXY_TARGET_HOST 0
/// A guest contract of another bundle.
#define POLYPLUG_PROXY_TARGET_PEER 1

/// The request for a proxy that `open_proxy` of the host's table takes. The views are valid during that call.
struct PolyplugProxyRequest {
    /// The value of `sizeof(PolyplugProxyRequest)` in the sender's build.
    size_t struct_size;
    /// The kind of callee.
    PolyplugProxyTarget target;
    /// The contract's major version.
    uint32_t major;
    /// The least minor version that suffices.
    uint32_t minor;
    /// Reserved for the sender; 0.
    uint32_t reserved;
    /// The contract's name.
    PolyplugStringView contract_name;
    /// The encoded schema of the contract in the caller's build, by whose numbers methods are called. If empty, methods
    /// are called by the callee's numbers.
    PolyplugStringView schema;
};

/// Drops an object that was offered to be kept.
typedef void (*PolyplugDropObject)(PolyplugGuestContractInstance instance);

/// An object of a contract that a caller passes to its callee. The argument of the call is a `PolyplugGuestContractInstance`
/// whose `data` is the token that `offer_object` of the host's table returns for the offer.
struct PolyplugObjectOffer {
    /// The value of `sizeof(PolyplugObjectOffer)` in the sender's build.
    size_t struct_size;
    /// The instance that the object's functions take.
    PolyplugGuestContractInstance instance;
    /// The entries, one for each method of the contract.
    const PolyplugEntry *functions;
    /// The number of entries.
    uint32_t function_count;
    /// 1 if the object is the host's own, which it may offer through the table of the bundle that it calls; 0 for an
    /// object of a plugin. Errors of calls of the object say who offered it.
    uint32_t by_host;
    /// The function that drops an object that may be kept. The host calls it when the last token is closed, or when the
    /// bundle that offered the object is reloaded or unloaded. Absent for an object that is lent for a call: closing
    /// the token of such an object waits until no call of the object is running.
    PolyplugDropObject drop;
};

/// The function that ends what a bundle's code has started: see `PolyplugHostApi.on_unload`. The host logs the error.
typedef void (*PolyplugUnloadFunction)(const PolyplugHostApi *host, void *data, PolyplugAbiError *out_err);

/// The functions that a host offers to a plugin, to a loader, or to a host written in another language.
///
/// Each function takes the table itself as its first argument. Each loaded version of a bundle has a table of its
/// own, by which the host knows the caller. The table is valid for as long as that version's code may run.
///
/// Calls are safe against a concurrent reload or unload. A null pointer that must not be null is reported as
/// `InvalidPointer`, and recorded as the last error.
///
/// New fields are added at the end only; `struct_size` says which fields exist.
struct PolyplugHostApi {
    /// The host's own data.
    void *runtime;
    /// Registers a plugin without a schema, which is written by hand.
    void (*register_guest_contract)(const PolyplugHostApi *host, const PolyplugPluginDescriptor *descriptor,
            const PolyplugGuestContractInterface *interface, PolyplugAbiError *out_err);
    /// Allocates memory from the host. Returns null on failure.
    uint8_t *(*alloc)(const PolyplugHostApi *host, size_t size, size_t align);
    /// Frees memory that `alloc` returned, with the same size and alignment.
    void (*free)(const PolyplugHostApi *host, uint8_t *ptr, size_t size, size_t align);
    /// Returns the first provider of a contract, in load order, whose minor version is at least `min_version`.
    PolyplugGuestContractHandle (*find_guest_contract)(const PolyplugHostApi *host, uint64_t contract_id,
            uint32_t min_version);
    /// Returns all providers of a contract, in load order.
    PolyplugArrayGuestContractHandle (*find_all_guest_contracts)(const PolyplugHostApi *host, uint64_t contract_id,
            uint32_t min_version);
    /// Returns a provider's table, or null if the handle is stale, or if the calling bundle's manifest does not declare
    /// the contract. The table is valid while it is leased.
    const PolyplugGuestContractInterface *(*resolve_guest_contract)(const PolyplugHostApi *host,
            PolyplugGuestContractHandle handle);
    /// Returns an object of a host contract.
    PolyplugHostContractInstance (*get_host_contract)(const PolyplugHostApi *host, uint64_t contract_id,
            uint32_t min_version);
    /// Returns the table of a host contract.
    const PolyplugHostContractInterface *(*resolve_host_contract_interface)(const PolyplugHostApi *host,
            uint64_t contract_id, uint32_t min_version);
    /// Returns the ids of all loaded bundles, in load order.
    PolyplugArrayBundleId (*list_bundles)(const PolyplugHostApi *host);
    /// Returns the dependencies that the calling bundle's manifest declares.
    PolyplugArrayDependencyInfo (*get_dependencies)(const PolyplugHostApi *host);
    /// Loads a bundle from a path in UTF-8. Through a bundle's table, this function and the others that change bundles
    /// only enqueue the change: the runtime makes the change later, on its own thread, and records a failure as its
    /// last error.
    void (*load_bundle)(const PolyplugHostApi *host, const uint8_t *path, size_t len, PolyplugAbiError *out_err);
    /// Reloads a bundle from a path in UTF-8.
    void (*reload_bundle)(const PolyplugHostApi *host, const uint8_t *path, size_t len, PolyplugAbiError *out_err);
    /// Provides a host contract; the table must stay valid until the runtime ends.
    void (*register_host_contract)(const PolyplugHostApi *host, const PolyplugHostContractInterface *interface,
            PolyplugAbiError *out_err);
    /// Adds a loader: a `Box<Box<dyn BundleLoader>>` as a raw pointer, which the runtime then owns.
    void (*register_loader)(const PolyplugHostApi *host, void *loader, PolyplugAbiError *out_err);
    /// Copies the runtime's last error into `buf` and clears it. Returns the number of bytes copied.
    size_t (*get_last_error)(const PolyplugHostApi *host, uint8_t *buf, size_t len);
    /// Returns the length of the runtime's last error in bytes; 0 without an error.
    size_t (*get_error_len)(const PolyplugHostApi *host);
    /// The value of `sizeof(PolyplugHostApi)` in the host's build.
    size_t struct_size;
    /// Calls a method of an instance made by `create_guest_instance`.
    void (*call_guest_method)(const PolyplugHostApi *host, PolyplugGuestContractInstance instance, uint32_t fn_id,
            const void *args, void *out, PolyplugCallArena *arena, PolyplugAbiError *out_err);
    /// Makes an instance. Its `data` is a token that only this host can interpret.
    void (*create_guest_instance)(const PolyplugHostApi *host, PolyplugGuestContractHandle handle, const void *args,
            PolyplugGuestContractInstance *out_instance, PolyplugAbiError *out_err);
    /// Destroys an instance made by `create_guest_instance`. Ignores a stale token.
    void (*destroy_guest_instance)(const PolyplugHostApi *host, PolyplugGuestContractInstance instance);
    /// Unloads a bundle.
    void (*unload_bundle)(const PolyplugHostApi *host, uint64_t bundle_id, PolyplugAbiError *out_err);
    /// Writes to the host's log. `level` is a `PolyplugLogLevel`.
    void (*log)(const PolyplugHostApi *host, uint32_t level, PolyplugStringView scope, PolyplugStringView message);
    /// Registers a plugin with all the data that `#[plugin]` has about it.
    void (*register_plugin)(const PolyplugHostApi *host, const PolyplugPluginRegistration *registration,
            PolyplugAbiError *out_err);
    /// Returns a buffer for the text of an error of a call without an arena. The buffer is valid until this thread's
    /// next call. Returns null if `len` exceeds the host's limit.
    uint8_t *(*error_text)(const PolyplugHostApi *host, size_t len);
    /// Returns an arena for one call that this thread is about to make. Return arenas with `leave_arena` in reverse
    /// order.
    PolyplugCallArena *(*enter_arena)(const PolyplugHostApi *host);
    /// Ends the use of an arena, and frees all data in the arena. Ignores any pointer but that of the innermost arena
    /// that this thread has from `enter_arena` through the same table.
    void (*leave_arena)(const PolyplugHostApi *host, PolyplugCallArena *arena);
    /// Keeps this table valid until `release_host`. The bundle may still be unloaded.
    void (*retain_host)(const PolyplugHostApi *host);
    /// Ends a `retain_host`. Ignored if there is none to end.
    void (*release_host)(const PolyplugHostApi *host);
    /// Takes a lease on a provider. Returns the provider's table, which stays valid with its code mapped until
    /// `release`, or null if the handle is stale.
    const PolyplugGuestContractInterface *(*lease)(const PolyplugHostApi *host, PolyplugGuestContractHandle handle,
            PolyplugAbiError *out_err);
    /// Ends a lease of the calling bundle. Ignores a pointer that the bundle has not leased.
    void (*release)(const PolyplugHostApi *host, const PolyplugGuestContractInterface *interface);
    /// Runs `body(data)` on a new thread for the calling bundle, whose code stays mapped while the thread runs. `name`
    /// is for people. On failure `body` is not called, and the caller still owns `data`.
    void (*spawn)(const PolyplugHostApi *host, PolyplugStringView name, PolyplugThreadBody body, void *data,
            PolyplugAbiError *out_err);
    /// Waits at most for `millis` milliseconds until the calling bundle's version is retired by a reload or an unload.
    /// Returns 1 if the version is retired, otherwise 0. The bundle's threads must end once the version is retired.
    uint8_t (*wait_retired)(const PolyplugHostApi *host, uint64_t millis);
    /// Prefers the provider in bundle `bundle_id` for a contract: look-ups that take the first provider then find it.
    void (*prefer)(const PolyplugHostApi *host, uint64_t contract_id, uint64_t bundle_id, PolyplugAbiError *out_err);
    /// Returns the provider of a contract in one bundle, or the null handle if the bundle does not provide the
    /// contract.
    PolyplugGuestContractHandle (*find_guest_contract_in)(const PolyplugHostApi *host, uint64_t contract_id,
            uint64_t bundle_id);
    /// Unloads a bundle, after all bundles that need it, the last loaded first.
    void (*unload_bundle_cascade)(const PolyplugHostApi *host, uint64_t bundle_id, PolyplugAbiError *out_err);
    /// Waits at most for `millis` milliseconds until the code of retired versions is unmapped. Returns the number of
    /// versions whose code is still mapped. Through a bundle's table the function does not wait, because it may have
    /// been called by code that is to be unmapped.
    size_t (*quiesce)(const PolyplugHostApi *host, uint64_t millis);
    /// Makes a proxy for the calling bundle: for a host contract, or for a contract that the bundle's manifest declares
    /// as a dependency. Writes a token that only this host can interpret, and that does not keep the callee loaded.
    /// Unless `out_bundle` is null, writes the name of the callee's bundle as well, which is valid until this thread's
    /// next call, and is `host` for a host contract.
    void (*open_proxy)(const PolyplugHostApi *host, const PolyplugProxyRequest *request, void **out_proxy,
            PolyplugStringView *out_bundle, PolyplugAbiError *out_err);
    /// Calls a method through a proxy made by `open_proxy`.
    void (*call_proxy)(const PolyplugHostApi *host, void *proxy, uint32_t fn_id, const void *args, void *out,
            PolyplugCallArena *arena, PolyplugAbiError *out_err);
    /// Closes a token of `open_proxy`, `offer_object` or `share_object`. Ignores a stale token.
    void (*close_proxy)(const PolyplugHostApi *host, void *proxy);
    /// Offers an object to be called by others with `call_proxy`. Returns a token for the object, or null on failure.
    void *(*offer_object)(const PolyplugHostApi *host, const PolyplugObjectOffer *offer, PolyplugAbiError *out_err);
    /// Returns another token for an object that may be kept, or null on failure. A callee that keeps an object it
    /// received as an argument needs a token of its own. Unless `out_bundle` is null, writes the name of the bundle that
    /// offered the object as well, which is valid until this thread's next call, and is empty for an object of the host.
    void *(*share_object)(const PolyplugHostApi *host, void *proxy, PolyplugStringView *out_bundle,
            PolyplugAbiError *out_err);
    /// Returns the calling bundle's settings: a JSON object, `{}` without settings. The text is valid while the table
    /// is.
    PolyplugStringView (*config)(const PolyplugHostApi *host);
    /// Returns the calling bundle's name; empty through the host's own table. The text is valid while the table is.
    PolyplugStringView (*bundle_name)(const PolyplugHostApi *host);
    /// Registers a function of the calling bundle, which the host calls once, with `data`: after the last call of this
    /// version of the bundle has returned, before its shared instances end and its code is unmapped. That is also the
    /// case after a failed load. The function registered last is called first. All functions of a version together have
    /// a limited time, after which the host goes on without them.
    void (*on_unload)(const PolyplugHostApi *host, PolyplugUnloadFunction function, void *data,
            PolyplugAbiError *out_err);
    /// Returns the most verbose level that the host's log takes at present, 0 if it takes none.
    uint32_t (*log_level)(const PolyplugHostApi *host);
    /// Writes the name of the bundle that a token of `open_proxy`, `offer_object` or `share_object` calls, for the text
    /// of an error. The name is valid until this thread's next call, and is empty if the host is called. Returns 1, or 0
    /// if the token is closed or the runtime has ended.
    uint8_t (*proxy_bundle)(const PolyplugHostApi *host, void *proxy, PolyplugStringView *out_bundle);
    /// Writes to the host's log under the name of a bundle. The host may be null, as for `log`: for panics on threads of
    /// a library that outlive its tables.
    void (*log_as)(const PolyplugHostApi *host, PolyplugStringView bundle, uint32_t level, PolyplugStringView scope,
            PolyplugStringView message);
    /// Returns the calling bundle's own directory, as an absolute path: the directory that the host has loaded, and never
    /// a private copy of it. Empty through the host's own table, and for a bundle that has no directory. On Unix the
    /// bytes are those of the path; elsewhere they are UTF-8 where the path is Unicode. The text is valid while the table
    /// is.
    PolyplugStringView (*directory)(const PolyplugHostApi *host);
    /// Returns the folder in which the calling bundle may keep its data, as an absolute path, and makes the folder if it
    /// does not exist. All versions of a bundle have the same folder. The text is like that of `directory`; empty after
    /// an error: the host gives bundles no such folder, or it cannot be made.
    PolyplugStringView (*data_directory)(const PolyplugHostApi *host, PolyplugAbiError *out_err);
};

/// The strictness with which versions are checked.
typedef uint32_t PolyplugCompatibility;
/// The default: a bundle whose dependencies are missing or too old is rejected.
#define POLYPLUG_COMPATIBILITY_STRICT 0
/// A bundle whose dependencies are missing or too old is loaded with a warning. Only the calls that need the
/// missing dependency fail.
#define POLYPLUG_COMPATIBILITY_RELAXED 1

/// A step of a reload or unload of a bundle.
typedef uint32_t PolyplugReloadPhaseType;
/// A new version is about to be loaded beside the old one.
#define POLYPLUG_RELOAD_PHASE_TYPE_PREPARING 0
/// The new version serves.
#define POLYPLUG_RELOAD_PHASE_TYPE_RELOADED 1
/// The new version was rejected; the old one continues to serve.
#define POLYPLUG_RELOAD_PHASE_TYPE_FAILED 2
/// The bundle is being unloaded.
#define POLYPLUG_RELOAD_PHASE_TYPE_UNLOADING 3
/// The old version's code cannot run any more.
#define POLYPLUG_RELOAD_PHASE_TYPE_QUIESCED 4

/// The event with which a runtime reports a step of a reload or unload. The views are valid during the callback.
struct PolyplugReloadPhase {
    /// The step.
    PolyplugReloadPhaseType phase_type;
    /// The bundle's id.
    PolyplugBundleId bundle_id;
    /// The bundle's name.
    PolyplugStringView bundle_name;
    /// The reason of the failure for `POLYPLUG_RELOAD_PHASE_TYPE_FAILED`; otherwise empty.
    PolyplugStringView reason;
};

/// The callback for `PolyplugReloadPhase` events.
typedef void (*PolyplugOnReload)(void *user_data, const PolyplugReloadPhase *phase);

/// The configuration of a runtime that is made through the C ABI.
struct PolyplugRuntimeConfig {
    /// The value of `sizeof(PolyplugRuntimeConfig)` in the caller's build. Fields beyond that size take their defaults.
    size_t struct_size;
    /// The strictness with which versions are checked.
    PolyplugCompatibility compatibility;
    /// True if bundles may be reloaded. The host then makes a private copy of each artifact.
    bool hot_reload_enabled;
    /// The callback for every step of a reload or unload.
    PolyplugOnReload on_reload;
    /// The data that `on_reload` receives. It must be usable from any thread.
    void *on_reload_user_data;
    /// The folder in which bundles keep their data, a path in UTF-8: each bundle gets a folder in it. Null if bundles get
    /// none. Read by `polyplug_runtime_create` only, and not kept.
    PolyplugStringView data_directory;
};

/// The severity of a log message; smaller is more severe.
typedef uint32_t PolyplugLogLevel;
/// A failure.
#define POLYPLUG_LOG_LEVEL_ERROR 1
/// A problem that does not stop the work.
#define POLYPLUG_LOG_LEVEL_WARN 2
/// Information for operators.
#define POLYPLUG_LOG_LEVEL_INFO 3
/// Information for developers.
#define POLYPLUG_LOG_LEVEL_DEBUG 4
/// Detailed information for developers.
#define POLYPLUG_LOG_LEVEL_TRACE 5

/// A programming language, as a number.
///
/// The type is a transparent integer instead of an enum, so that an unknown number is an unknown language and not
/// undefined behaviour.
typedef uint32_t PolyplugSupportedLanguage;
/// Rust.
#define POLYPLUG_SUPPORTED_LANGUAGE_RUST 0
/// C and C++.
#define POLYPLUG_SUPPORTED_LANGUAGE_CPP 1
/// The languages of .NET.
#define POLYPLUG_SUPPORTED_LANGUAGE_DOTNET 2
/// Python.
#define POLYPLUG_SUPPORTED_LANGUAGE_PYTHON 3
/// Lua.
#define POLYPLUG_SUPPORTED_LANGUAGE_LUA 4
/// JavaScript.
#define POLYPLUG_SUPPORTED_LANGUAGE_JAVA_SCRIPT 5

/// The data that a bundle receives when it starts. Valid for the duration of `polyplug_init`.
struct PolyplugBundleInitContext {
    /// The bundle's id.
    uint64_t bundle_id;
    /// The bundle's own folder, as `PolyplugHostApi.directory` returns it; empty for a bundle in memory.
    PolyplugStringView bundle_path;
};

/// The function that every native bundle exports as `polyplug_init`.
typedef void (*PolyplugInit)(const PolyplugHostApi *host, const PolyplugBundleInitContext *context,
        PolyplugAbiError *out_err);

/// The function that every native bundle exports as `polyplug_abi_version`.
typedef uint32_t (*PolyplugAbiVersion)(void);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/// Makes a runtime with every loader that this library was built with. Returns the runtime's table, or null on failure.
///
/// Without a configuration the defaults apply: versions are checked strictly, and bundles cannot be reloaded.
///
/// What the caller has to see to:
///
/// `config` must be null, for the defaults, or point at a configuration of the size that its first field states. The
/// callback and its user data must be usable from any thread until the runtime is destroyed.
const PolyplugHostApi *polyplug_runtime_create(const PolyplugRuntimeConfig *config);

/// Destroys a runtime: unloads its bundles and frees its table. Ignores null.
///
/// What the caller has to see to:
///
/// `host` must be null or come from `polyplug_runtime_create`, and not be used again.
void polyplug_runtime_destroy(const PolyplugHostApi *host);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

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

/* ---- Sizes, as polyplug was built ---- */

POLYPLUG_ASSERT(sizeof(PolyplugStringView) == 16, "PolyplugStringView");
POLYPLUG_ASSERT(sizeof(PolyplugVersion) == 12, "PolyplugVersion");
POLYPLUG_ASSERT(sizeof(PolyplugPluginDescriptor) == 48, "PolyplugPluginDescriptor");
POLYPLUG_ASSERT(sizeof(PolyplugVmLoaderData) == 8, "PolyplugVmLoaderData");
POLYPLUG_ASSERT(sizeof(PolyplugGuestContractInstance) == 16, "PolyplugGuestContractInstance");
POLYPLUG_ASSERT(sizeof(PolyplugCallArena) == 32, "PolyplugCallArena");
POLYPLUG_ASSERT(sizeof(PolyplugAbiError) == 24, "PolyplugAbiError");
POLYPLUG_ASSERT(sizeof(PolyplugNativeDispatch) == 16, "PolyplugNativeDispatch");
POLYPLUG_ASSERT(sizeof(PolyplugVmDispatch) == 16, "PolyplugVmDispatch");
POLYPLUG_ASSERT(sizeof(PolyplugDispatchMechanisms) == 16, "PolyplugDispatchMechanisms");
POLYPLUG_ASSERT(sizeof(PolyplugGuestContractInterface) == 56, "PolyplugGuestContractInterface");
POLYPLUG_ASSERT(sizeof(PolyplugGuestContractHandle) == 8, "PolyplugGuestContractHandle");
POLYPLUG_ASSERT(sizeof(PolyplugArrayGuestContractHandle) == 24, "PolyplugArrayGuestContractHandle");
POLYPLUG_ASSERT(sizeof(PolyplugHostContractInstance) == 8, "PolyplugHostContractInstance");
POLYPLUG_ASSERT(sizeof(PolyplugHostContractInterface) == 72, "PolyplugHostContractInterface");
POLYPLUG_ASSERT(sizeof(PolyplugArrayBundleId) == 24, "PolyplugArrayBundleId");
POLYPLUG_ASSERT(sizeof(PolyplugDependencyInfo) == 24, "PolyplugDependencyInfo");
POLYPLUG_ASSERT(sizeof(PolyplugArrayDependencyInfo) == 24, "PolyplugArrayDependencyInfo");
POLYPLUG_ASSERT(sizeof(PolyplugPluginRegistration) == 128, "PolyplugPluginRegistration");
POLYPLUG_ASSERT(sizeof(PolyplugProxyRequest) == 56, "PolyplugProxyRequest");
POLYPLUG_ASSERT(sizeof(PolyplugObjectOffer) == 48, "PolyplugObjectOffer");
POLYPLUG_ASSERT(sizeof(PolyplugHostApi) == 400, "PolyplugHostApi");
POLYPLUG_ASSERT(sizeof(PolyplugReloadPhase) == 48, "PolyplugReloadPhase");
POLYPLUG_ASSERT(sizeof(PolyplugRuntimeConfig) == 48, "PolyplugRuntimeConfig");
POLYPLUG_ASSERT(sizeof(PolyplugBundleInitContext) == 24, "PolyplugBundleInitContext");

#endif
