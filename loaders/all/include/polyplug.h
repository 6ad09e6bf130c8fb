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

/// What went wrong, as far as both sides agree on it.
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
    /// The result did not fit into the memory the caller offered.
    POLYPLUG_ERROR_BUFFER_TOO_SMALL = 2,
    /// Rust code panicked.
    POLYPLUG_ERROR_PANIC = 3,
    /// What was asked for does not exist.
    POLYPLUG_ERROR_NOT_FOUND = 4,
    /// The handle or instance token names something that is gone.
    POLYPLUG_ERROR_STALE_HANDLE = 5,
    /// The provider has no function with this number.
    POLYPLUG_ERROR_FUNCTION_NOT_AVAILABLE = 6,
    /// The bundle registers the contract a second time.
    POLYPLUG_ERROR_DUPLICATE_PROVIDER = 7,
    /// A pointer that must not be null is null, or is not aligned.
    POLYPLUG_ERROR_INVALID_POINTER = 8,
    /// The call may not be made from inside the call that is running.
    POLYPLUG_ERROR_REENTRANT_CALL = 9,
    /// The callee found an argument that is no value of its type.
    POLYPLUG_ERROR_INVALID_ARGUMENT = 10,
    /// The bundle that held the code is unloaded.
    POLYPLUG_ERROR_UNLOADED = 11,
    /// Waiting would close a cycle of engine locks.
    POLYPLUG_ERROR_DEADLOCK = 12,
    /// A guest's language raised an exception.
    POLYPLUG_ERROR_EXCEPTION = 13,
    /// The plugin's factory could not make an instance.
    POLYPLUG_ERROR_FACTORY_FAILED = 14,
    /// A value is nested deeper than the limit.
    POLYPLUG_ERROR_TOO_DEEP = 15,
    /// A table handed over is malformed.
    POLYPLUG_ERROR_INVALID_INTERFACE = 16,
    /// The operation is not allowed for the caller.
    POLYPLUG_ERROR_NOT_ALLOWED = 17,
    /// Host and plugin disagree on what the contract is.
    POLYPLUG_ERROR_INCOMPATIBLE_CONTRACT = 18,
    /// What the callee's code returned is no value of the result's type.
    POLYPLUG_ERROR_INVALID_RESULT = 19,
    /// The call took more time or memory than the callee may have.
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

/// A borrowed run of bytes, usually UTF-8 text. `{null, 0}` is empty.
///
/// Who owns the bytes and for how long is said by whatever holds the view. Text is checked by the receiver.
struct PolyplugStringView {
    /// The first byte; may be null or dangling when `len` is 0.
    const uint8_t *ptr;
    /// The number of bytes.
    size_t len;
};

/// The version of a contract, a plugin or a bundle.
struct PolyplugVersion {
    /// Incompatible changes.
    uint32_t major;
    /// Additions.
    uint32_t minor;
    /// Corrections.
    uint32_t patch;
};

/// Names a plugin.
struct PolyplugPluginDescriptor {
    /// The plugin's name, for people.
    PolyplugStringView name;
    /// The name of the contract it implements.
    PolyplugStringView contract_name;
    /// The plugin's own version.
    PolyplugVersion version;
};

/// The id of one major version of a guest contract, the kind that plugins implement.
typedef uint64_t PolyplugGuestContractId;

/// Which member of `PolyplugDispatchMechanisms` an interface uses.
///
/// A transparent integer: a foreign table may hold any number here.
typedef uint32_t PolyplugDispatchType;
/// A table of `PolyplugEntry` functions.
#define POLYPLUG_DISPATCH_TYPE_NATIVE 0
/// One `PolyplugVmCall` for all methods.
#define POLYPLUG_DISPATCH_TYPE_VIRTUAL_MACHINE 1

/// What a loader attached to an interface; handed back to each of its functions.
struct PolyplugVmLoaderData {
    /// The loader's pointer.
    void *data;
};

/// One object made by a plugin's factory.
///
/// Towards a `PolyplugEntry`, `data` is the plugin's own pointer. Towards `PolyplugHostApi`, it is a token that only
/// the host can read.
struct PolyplugGuestContractInstance {
    /// The object, or the host's token for it.
    void *data;
    /// The contract it implements.
    PolyplugGuestContractId contract_id;
};

/// Makes an instance. Has no way to say that it failed: a plugin whose factory can fail registers one that has, with
/// `PolyplugHostApi.register_plugin`. A null `data` is an instance like any other, for plugins that need none.
typedef void (*PolyplugCreateInstance)(PolyplugVmLoaderData loader_data, const PolyplugHostApi *host, const void *args,
        PolyplugGuestContractInstance *out_instance);

/// Ends an instance.
typedef void (*PolyplugDestroyInstance)(PolyplugVmLoaderData loader_data, const PolyplugHostApi *host,
        PolyplugGuestContractInstance instance);

/// Called when an arena has no room left for `size` bytes (then it returns them, or null), and with `size` 0 to
/// rewind the arena to its start.
typedef uint8_t *(*PolyplugGrowFn)(PolyplugCallArena *arena, size_t size, size_t align);

/// Bump allocation in a region that the caller owns.
///
/// A call's results live here until the caller resets the arena, whoever the callee is: nothing is freed one by one.
/// An arena without a `grow` function is of fixed size; one with it asks its owner for more.
struct PolyplugCallArena {
    /// The next free byte.
    uint8_t *cur;
    /// The end of the region.
    uint8_t *end;
    /// Asks the owner for more, or to rewind.
    PolyplugGrowFn grow;
    /// The owner's data; the start of the region where there is no `grow`.
    void *ctx;
};

/// What a call reports: a code, and text for a person when the code is not Ok.
///
/// The caller sets `code` to 0 before the call; the callee writes only when it fails. The text lives in the call's
/// arena, or, where a call has none, in a buffer that the host keeps for the thread until that thread's next call.
struct PolyplugAbiError {
    /// A `PolyplugAbiErrorCode` as a number, or 256 and above for a code of the plugin's own.
    uint32_t code;
    /// UTF-8 text; empty when the code says all.
    PolyplugStringView message;
};

/// One function of a contract.
///
/// `args` points at a C struct of the canonical forms of the arguments (null when there are none), `out` at room for
/// the canonical form of the result (null for unit), `arena` at the memory results live in (null when the method
/// returns only scalars and takes nothing that needs room). The caller sets `out_err.code` to 0; the callee writes
/// it only on failure.
typedef void (*PolyplugEntry)(PolyplugGuestContractInstance instance, const void *args, void *out,
        PolyplugCallArena *arena, PolyplugAbiError *out_err);

/// A table of native functions.
struct PolyplugNativeDispatch {
    /// The number of entries in `functions`.
    uint32_t function_count;
    /// The table; each pointer is a `PolyplugEntry`.
    const PolyplugEntry *functions;
};

/// The one function of a contract that a virtual machine implements: a `PolyplugEntry` plus the loader's data and the
/// number of the method.
typedef void (*PolyplugVmCall)(PolyplugVmLoaderData loader_data, PolyplugGuestContractInstance instance,
        uint32_t fn_id, const void *args, void *out, PolyplugCallArena *arena, PolyplugAbiError *out_err);

/// A call into a virtual machine.
struct PolyplugVmDispatch {
    /// The function that carries out every method.
    PolyplugVmCall call;
    /// Handed to `call`, and to the interface's `create_instance` and `destroy_instance`.
    PolyplugVmLoaderData loader_data;
};

/// How to call: which member holds is said by `PolyplugDispatchType`.
union PolyplugDispatchMechanisms {
    /// For `POLYPLUG_DISPATCH_TYPE_NATIVE`.
    PolyplugNativeDispatch native;
    /// For `POLYPLUG_DISPATCH_TYPE_VIRTUAL_MACHINE`.
    PolyplugVmDispatch vm;
};

/// The table through which one plugin is called.
struct PolyplugGuestContractInterface {
    /// The contract that is implemented.
    PolyplugGuestContractId contract_id;
    /// The version of the contract that the plugin was built against.
    PolyplugVersion contract_version;
    /// Which member of `dispatch` holds.
    PolyplugDispatchType dispatch_type;
    /// Makes an instance.
    PolyplugCreateInstance create_instance;
    /// Ends an instance.
    PolyplugDestroyInstance destroy_instance;
    /// How to call.
    PolyplugDispatchMechanisms dispatch;
};

/// Names a slot of the store: its place, and the generation that tells a later tenant from an earlier one.
struct PolyplugGuestContractHandle {
    /// The place of the slot.
    uint32_t index;
    /// The generation the slot had when the handle was made.
    uint32_t generation;
};

/// An array that the host allocated and the receiver gives back with `PolyplugHostApi.free(items, len * size, align)`.
///
/// An empty array has a null `items` and needs no `free`.
struct PolyplugArrayGuestContractHandle {
    /// The first element.
    PolyplugGuestContractHandle *items;
    /// The number of elements.
    size_t len;
    /// The alignment the memory was allocated with.
    size_t align;
};

/// An object of a host contract.
struct PolyplugHostContractInstance {
    /// The host's pointer.
    void *data;
};

/// The id of one major version of a host contract, the kind that the host implements for its plugins.
typedef uint64_t PolyplugHostContractId;

/// The table through which a host contract is called. It stays where it is until the runtime ends.
struct PolyplugHostContractInterface {
    /// The contract.
    PolyplugHostContractId contract_id;
    /// Its version.
    PolyplugVersion contract_version;
    /// 1 when one object serves all plugins, 0 when each look-up makes one.
    uint8_t singleton;
    /// Which member of `dispatch` holds.
    PolyplugDispatchType dispatch_type;
    /// The provider's data.
    void *user_data;
    /// Makes an object.
    void (*create_instance)(const PolyplugHostContractInterface *table, const void *args,
            PolyplugHostContractInstance *out_instance);
    /// Ends an object.
    void (*destroy_instance)(const PolyplugHostContractInterface *table, PolyplugHostContractInstance instance);
    /// How to call.
    PolyplugDispatchMechanisms dispatch;
};

/// The id of a bundle: the hash of its name.
typedef uint64_t PolyplugBundleId;

/// An array that the host allocated and the receiver gives back with `PolyplugHostApi.free(items, len * size, align)`.
///
/// An empty array has a null `items` and needs no `free`.
struct PolyplugArrayBundleId {
    /// The first element.
    PolyplugBundleId *items;
    /// The number of elements.
    size_t len;
    /// The alignment the memory was allocated with.
    size_t align;
};

/// One dependency that a bundle's manifest declares.
struct PolyplugDependencyInfo {
    /// The contract that is needed.
    PolyplugGuestContractId contract_id;
    /// The least minor version that serves.
    uint32_t min_version;
    /// The bundle that must provide it; 0 when any may.
    PolyplugBundleId bundle_id;
};

/// An array that the host allocated and the receiver gives back with `PolyplugHostApi.free(items, len * size, align)`.
///
/// An empty array has a null `items` and needs no `free`.
struct PolyplugArrayDependencyInfo {
    /// The first element.
    PolyplugDependencyInfo *items;
    /// The number of elements.
    size_t len;
    /// The alignment the memory was allocated with.
    size_t align;
};

/// Properties of a plugin, as bits.
typedef uint32_t PolyplugPluginFlags;
/// The plugin's type holds no data: one instance serves everybody.
#define POLYPLUG_PLUGIN_FLAGS_STATELESS 1
/// One instance serves the whole bundle.
#define POLYPLUG_PLUGIN_FLAGS_SINGLETON 2

/// Makes an instance, or says why not.
typedef void (*PolyplugCreateWithError)(const PolyplugHostApi *host, PolyplugGuestContractInstance *out_instance,
        PolyplugAbiError *out_err);

/// Writes a snapshot of an instance's state: bytes in `arena`.
typedef void (*PolyplugSaveInstance)(PolyplugGuestContractInstance instance, PolyplugStringView *out,
        PolyplugCallArena *arena, PolyplugAbiError *out_err);

/// Makes an instance from a snapshot that plugin version `from` wrote.
typedef void (*PolyplugRestoreInstance)(const PolyplugHostApi *host, PolyplugStringView state, PolyplugVersion from,
        PolyplugGuestContractInstance *out_instance, PolyplugAbiError *out_err);

/// Says whether a newly loaded plugin is fit to serve.
typedef void (*PolyplugCheckHealth)(const PolyplugHostApi *host, PolyplugCallArena *arena, PolyplugAbiError *out_err);

/// Everything `#[plugin]` tells the host about one plugin. Valid for the duration of `register_plugin`.
///
/// Fields are only ever added at the end; `struct_size` says which ones the sender knew.
struct PolyplugPluginRegistration {
    /// `sizeof(PolyplugPluginRegistration)` as the sender was built.
    size_t struct_size;
    /// The plugin's names and version.
    PolyplugPluginDescriptor descriptor;
    /// Its table; the host copies it.
    const PolyplugGuestContractInterface *interface;
    /// Its properties.
    PolyplugPluginFlags flags;
    /// Makes an instance and can say why not; `interface.create_instance` is used where absent.
    PolyplugCreateWithError create;
    /// Takes a snapshot for a reload.
    PolyplugSaveInstance save;
    /// Makes an instance from a snapshot.
    PolyplugRestoreInstance restore;
    /// Asked before a newly loaded version is published.
    PolyplugCheckHealth health;
    /// The contract's schema, encoded; empty when the plugin has none.
    PolyplugStringView schema;
    /// Reserved for the sender; null.
    void *reserved;
};

/// What a thread does: see `PolyplugHostApi.spawn`.
typedef void (*PolyplugThreadBody)(void *data);

/// Where the callee of a plugin's proxy lives.
typedef uint32_t PolyplugProxyTarget;
/// In the host: a host contract.
#define POLYPLUG_PROXY_TARGET_HOST 0
/// In another bundle: a guest contract.
#define POLYPLUG_PROXY_TARGET_PEER 1

/// What `open_proxy` of the host's table is asked for. The views are valid during that call.
struct PolyplugProxyRequest {
    /// `sizeof(PolyplugProxyRequest)` as the sender was built.
    size_t struct_size;
    /// Where the callee lives.
    PolyplugProxyTarget target;
    /// The contract's major version.
    uint32_t major;
    /// The least minor version that serves.
    uint32_t minor;
    /// Reserved for the sender; 0.
    uint32_t reserved;
    /// The contract's name.
    PolyplugStringView contract_name;
    /// The contract as the caller knows it, encoded: methods are then numbered as there. Empty: as the callee numbers
    /// them.
    PolyplugStringView schema;
};

/// Ends an object that was offered to be kept.
typedef void (*PolyplugDropObject)(PolyplugGuestContractInstance instance);

/// An object of a contract that a caller gives to its callee. What is handed over in a call is a
/// `PolyplugGuestContractInstance` whose `data` is the token that `offer_object` of the host's table returns for this.
struct PolyplugObjectOffer {
    /// `sizeof(PolyplugObjectOffer)` as the sender was built.
    size_t struct_size;
    /// The object, as its functions take it.
    PolyplugGuestContractInstance instance;
    /// One entry for each method of the contract.
    const PolyplugEntry *functions;
    /// How many there are.
    uint32_t function_count;
    /// Reserved for the sender; 0.
    uint32_t reserved;
    /// Absent for an object that is lent for a call: closing its token waits until nobody calls it. Present for one that
    /// may be kept: it is then called when the last token is closed, or the bundle that offered it is reloaded or
    /// unloaded.
    PolyplugDropObject drop;
};

/// The functions a host offers to a plugin, to a loader, or to a host written in another language.
///
/// Each function takes the table itself as its first argument. Each loaded version of a bundle has a table of its
/// own, so that the host knows who calls; it is valid for as long as that version's code may run.
///
/// Calls are safe against a concurrent reload or unload. A null pointer where one is needed gives
/// `InvalidPointer` and a recorded last error.
///
/// New fields are added at the end only; `struct_size` says which ones exist.
struct PolyplugHostApi {
    /// The host's own data.
    void *runtime;
    /// Registers a plugin that has no schema: one written by hand.
    void (*register_guest_contract)(const PolyplugHostApi *host, const PolyplugPluginDescriptor *descriptor,
            const PolyplugGuestContractInterface *interface, PolyplugAbiError *out_err);
    /// Allocates from the host; null when it cannot.
    uint8_t *(*alloc)(const PolyplugHostApi *host, size_t size, size_t align);
    /// Gives back what `alloc` returned, with the same size and alignment.
    void (*free)(const PolyplugHostApi *host, uint8_t *ptr, size_t size, size_t align);
    /// The first provider of a contract, in load order, whose minor version is at least `min_version`.
    PolyplugGuestContractHandle (*find_guest_contract)(const PolyplugHostApi *host, uint64_t contract_id,
            uint32_t min_version);
    /// All providers, in load order.
    PolyplugArrayGuestContractHandle (*find_all_guest_contracts)(const PolyplugHostApi *host, uint64_t contract_id,
            uint32_t min_version);
    /// A provider's table; null when the handle is stale. Valid while leased.
    const PolyplugGuestContractInterface *(*resolve_guest_contract)(const PolyplugHostApi *host,
            PolyplugGuestContractHandle handle);
    /// An object of a host contract.
    PolyplugHostContractInstance (*get_host_contract)(const PolyplugHostApi *host, uint64_t contract_id,
            uint32_t min_version);
    /// The table of a host contract.
    const PolyplugHostContractInterface *(*resolve_host_contract_interface)(const PolyplugHostApi *host,
            uint64_t contract_id, uint32_t min_version);
    /// The ids of all loaded bundles, in load order.
    PolyplugArrayBundleId (*list_bundles)(const PolyplugHostApi *host);
    /// What the calling bundle's manifest declares as dependencies.
    PolyplugArrayDependencyInfo (*get_dependencies)(const PolyplugHostApi *host);
    /// Loads a bundle from a path in UTF-8. Through a bundle's table, this and the other functions that change bundles
    /// only ask: the runtime does it later, on its own thread, and records a failure as its last error.
    void (*load_bundle)(const PolyplugHostApi *host, const uint8_t *path, size_t len, PolyplugAbiError *out_err);
    /// Reloads a bundle from a path in UTF-8.
    void (*reload_bundle)(const PolyplugHostApi *host, const uint8_t *path, size_t len, PolyplugAbiError *out_err);
    /// Provides a host contract; the table must stay valid until the runtime ends.
    void (*register_host_contract)(const PolyplugHostApi *host, const PolyplugHostContractInterface *interface,
            PolyplugAbiError *out_err);
    /// Adds a loader: a `Box<Box<dyn BundleLoader>>` as a raw pointer, which the runtime takes over.
    void (*register_loader)(const PolyplugHostApi *host, void *loader, PolyplugAbiError *out_err);
    /// Copies the runtime's last error into `buf` and clears it; the number of bytes copied.
    size_t (*get_last_error)(const PolyplugHostApi *host, uint8_t *buf, size_t len);
    /// The length of the runtime's last error in bytes; 0 when there is none.
    size_t (*get_error_len)(const PolyplugHostApi *host);
    /// `sizeof(PolyplugHostApi)` as the host was built.
    size_t struct_size;
    /// Calls a method of an instance made by `create_guest_instance`.
    void (*call_guest_method)(const PolyplugHostApi *host, PolyplugGuestContractInstance instance, uint32_t fn_id,
            const void *args, void *out, PolyplugCallArena *arena, PolyplugAbiError *out_err);
    /// Makes an instance; what is returned is a token that only this host understands.
    void (*create_guest_instance)(const PolyplugHostApi *host, PolyplugGuestContractHandle handle, const void *args,
            PolyplugGuestContractInstance *out_instance, PolyplugAbiError *out_err);
    /// Ends an instance made by `create_guest_instance`; a stale token is ignored.
    void (*destroy_guest_instance)(const PolyplugHostApi *host, PolyplugGuestContractInstance instance);
    /// Unloads a bundle.
    void (*unload_bundle)(const PolyplugHostApi *host, uint64_t bundle_id, PolyplugAbiError *out_err);
    /// Writes to the host's log. `level` is a `PolyplugLogLevel`.
    void (*log)(const PolyplugHostApi *host, uint32_t level, PolyplugStringView scope, PolyplugStringView message);
    /// Registers a plugin with everything `#[plugin]` knows about it.
    void (*register_plugin)(const PolyplugHostApi *host, const PolyplugPluginRegistration *registration,
            PolyplugAbiError *out_err);
    /// Room for the text of an error where a call has no arena; valid until this thread's next call. Null when
    /// `len` is larger than the host is willing to keep.
    uint8_t *(*error_text)(const PolyplugHostApi *host, size_t len);
    /// An arena for one call that this thread is about to make; give it back with `leave_arena` in reverse order.
    PolyplugCallArena *(*enter_arena)(const PolyplugHostApi *host);
    /// Ends the use of an arena; what lies in it is gone.
    void (*leave_arena)(const PolyplugHostApi *host, PolyplugCallArena *arena);
    /// Keeps this table valid until `release_host`. It does not keep the bundle loaded.
    void (*retain_host)(const PolyplugHostApi *host);
    /// Ends a `retain_host`.
    void (*release_host)(const PolyplugHostApi *host);
    /// Takes a lease on a provider: its table, which stays valid, and what it leads to mapped, until `release`. Null
    /// when the handle is stale.
    const PolyplugGuestContractInterface *(*lease)(const PolyplugHostApi *host, PolyplugGuestContractHandle handle,
            PolyplugAbiError *out_err);
    /// Ends a lease. What is none is ignored.
    void (*release)(const PolyplugHostApi *host, const PolyplugGuestContractInterface *interface);
    /// Runs `body(data)` on a thread of its own for the calling bundle, which stays mapped meanwhile. `name` is for
    /// people. When this fails, `body` is not called, and `data` is still the caller's.
    void (*spawn)(const PolyplugHostApi *host, PolyplugStringView name, PolyplugThreadBody body, void *data,
            PolyplugAbiError *out_err);
    /// Waits until the calling bundle's version is retired, by a reload or by being unloaded, at most for `millis`
    /// milliseconds; 1 when it is, else 0. Threads of the bundle then have to end.
    uint8_t (*wait_retired)(const PolyplugHostApi *host, uint64_t millis);
    /// Prefers what `bundle_id` provides for a contract: look-ups that take the first provider find it.
    void (*prefer)(const PolyplugHostApi *host, uint64_t contract_id, uint64_t bundle_id, PolyplugAbiError *out_err);
    /// What one bundle provides for a contract; null when it does not.
    PolyplugGuestContractHandle (*find_guest_contract_in)(const PolyplugHostApi *host, uint64_t contract_id,
            uint64_t bundle_id);
    /// Unloads a bundle after all those that need it, the last loaded first.
    void (*unload_bundle_cascade)(const PolyplugHostApi *host, uint64_t bundle_id, PolyplugAbiError *out_err);
    /// Waits until the code of retired versions is gone, at most for `millis` milliseconds; how many are still there.
    /// Through a bundle's table it does not wait: the bundle's own code may be what is to go.
    size_t (*quiesce)(const PolyplugHostApi *host, uint64_t millis);
    /// Makes a proxy for the calling bundle: for a host contract, or for a contract that the bundle's manifest declares
    /// as a dependency. What is written is a token that only this host understands. It keeps nobody loaded. The name of
    /// the callee's bundle is written as well, unless `out_bundle` is null; it is valid until this thread's next call.
    void (*open_proxy)(const PolyplugHostApi *host, const PolyplugProxyRequest *request, void **out_proxy,
            PolyplugStringView *out_bundle, PolyplugAbiError *out_err);
    /// Calls a method through a proxy made by `open_proxy`.
    void (*call_proxy)(const PolyplugHostApi *host, void *proxy, uint32_t fn_id, const void *args, void *out,
            PolyplugCallArena *arena, PolyplugAbiError *out_err);
    /// Ends a token of `open_proxy`, `offer_object` or `share_object`; a stale one is ignored.
    void (*close_proxy)(const PolyplugHostApi *host, void *proxy);
    /// Offers an object to be called by others; a token for it, or null. It is called with `call_proxy`.
    void *(*offer_object)(const PolyplugHostApi *host, const PolyplugObjectOffer *offer, PolyplugAbiError *out_err);
    /// Another token for an object that may be kept, or null: for whoever keeps one that came as an argument. The name of
    /// the bundle that offered it is written as well, as by `open_proxy`.
    void *(*share_object)(const PolyplugHostApi *host, void *proxy, PolyplugStringView *out_bundle,
            PolyplugAbiError *out_err);
    /// The calling bundle's settings: an object of JSON, `{}` when there are none. Valid as long as the table is.
    PolyplugStringView (*config)(const PolyplugHostApi *host);
    /// The calling bundle's name; empty through the host's own table. Valid as long as the table is.
    PolyplugStringView (*bundle_name)(const PolyplugHostApi *host);
};

/// How strictly versions are held to.
typedef uint32_t PolyplugCompatibility;
/// A bundle whose dependencies are missing or too old is refused. The default.
#define POLYPLUG_COMPATIBILITY_STRICT 0
/// Such a bundle is loaded with a warning; only the calls that need what is missing fail.
#define POLYPLUG_COMPATIBILITY_RELAXED 1

/// A step in the life of a bundle.
typedef uint32_t PolyplugReloadPhaseType;
/// A new version is about to be loaded beside the old one.
#define POLYPLUG_RELOAD_PHASE_TYPE_PREPARING 0
/// The new version serves.
#define POLYPLUG_RELOAD_PHASE_TYPE_RELOADED 1
/// The new version was refused; the old one serves on.
#define POLYPLUG_RELOAD_PHASE_TYPE_FAILED 2
/// The bundle is being unloaded.
#define POLYPLUG_RELOAD_PHASE_TYPE_UNLOADING 3
/// Nothing can run the old version's code any more.
#define POLYPLUG_RELOAD_PHASE_TYPE_QUIESCED 4

/// What a runtime tells about a bundle's life. The views are valid during the callback.
struct PolyplugReloadPhase {
    /// Which step.
    PolyplugReloadPhaseType phase_type;
    /// Which bundle.
    PolyplugBundleId bundle_id;
    /// The bundle's name.
    PolyplugStringView bundle_name;
    /// Why it failed, for `POLYPLUG_RELOAD_PHASE_TYPE_FAILED`; else empty.
    PolyplugStringView reason;
};

/// The callback for `PolyplugReloadPhase` events.
typedef void (*PolyplugOnReload)(void *user_data, const PolyplugReloadPhase *phase);

/// How a runtime is set up through the C ABI.
struct PolyplugRuntimeConfig {
    /// `sizeof(PolyplugRuntimeConfig)` as the caller was built; fields beyond it take their defaults.
    size_t struct_size;
    /// How strictly versions are held to.
    PolyplugCompatibility compatibility;
    /// Whether bundles may be reloaded. Costs a private copy of each artifact.
    bool hot_reload_enabled;
    /// Told about every step in the life of a bundle.
    PolyplugOnReload on_reload;
    /// Handed to `on_reload`. Must be usable from any thread.
    void *on_reload_user_data;
};

/// How serious a log message is; smaller is more serious.
typedef uint32_t PolyplugLogLevel;
/// Something failed.
#define POLYPLUG_LOG_LEVEL_ERROR 1
/// Something is wrong but work goes on.
#define POLYPLUG_LOG_LEVEL_WARN 2
/// Worth knowing.
#define POLYPLUG_LOG_LEVEL_INFO 3
/// For developers.
#define POLYPLUG_LOG_LEVEL_DEBUG 4
/// For developers in trouble.
#define POLYPLUG_LOG_LEVEL_TRACE 5

/// A programming language, as a number that may come from anywhere.
///
/// A transparent integer rather than an enum: a number nobody knows is then merely a language nobody knows.
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

/// What a bundle is told when it starts. Valid for the duration of `polyplug_init`.
struct PolyplugBundleInitContext {
    /// The bundle's id.
    uint64_t bundle_id;
    /// The folder the bundle was loaded from.
    PolyplugStringView bundle_path;
};

/// The function every native bundle exports as `polyplug_init`.
typedef void (*PolyplugInit)(const PolyplugHostApi *host, const PolyplugBundleInitContext *context,
        PolyplugAbiError *out_err);

/// The function every native bundle exports as `polyplug_abi_version`.
typedef uint32_t (*PolyplugAbiVersion)(void);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/// Makes a runtime with every loader that this library was built with. Returns its table, or null when that fails.
///
/// Without a configuration, the defaults hold: versions are held to strictly, and nothing can be reloaded.
///
/// What the caller has to see to:
///
/// `config` must be null, for the defaults, or lead to a configuration of the size that it states in its first
/// field. The callback and its user data must be usable from any thread until the runtime is destroyed.
const PolyplugHostApi *polyplug_runtime_create(const PolyplugRuntimeConfig *config);

/// Ends a runtime: unloads its bundles and frees its table. Null is ignored.
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
POLYPLUG_ASSERT(sizeof(PolyplugHostApi) == 352, "PolyplugHostApi");
POLYPLUG_ASSERT(sizeof(PolyplugReloadPhase) == 48, "PolyplugReloadPhase");
POLYPLUG_ASSERT(sizeof(PolyplugRuntimeConfig) == 32, "PolyplugRuntimeConfig");
POLYPLUG_ASSERT(sizeof(PolyplugBundleInitContext) == 24, "PolyplugBundleInitContext");

#endif
