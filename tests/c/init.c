/* A library that starts, or does not, as its defines say:
 *
 *   NO_VERSION, NO_INIT   leave out one of the two symbols
 *   ABI_VERSION           what polyplug_abi_version returns
 *   INIT_CODE, INIT_TEXT  how polyplug_init fails
 *
 * It never registers anything. */
#include "polyplug.h"

#ifndef ABI_VERSION
#define ABI_VERSION ABI_VERSION_1_0
#endif

#ifndef INIT_CODE
#define INIT_CODE CODE_OK
#endif

#ifndef INIT_TEXT
#define INIT_TEXT ((StringView){0, 0})
#endif

#ifndef NO_VERSION
EXPORT uint32_t polyplug_abi_version(void) { return ABI_VERSION; }
#endif

#ifndef NO_INIT
EXPORT void polyplug_init(const HostApi *host, const BundleInitContext *context, AbiError *err) {
    (void)host;
    (void)context;
    if (INIT_CODE != CODE_OK) fail(err, INIT_CODE, INIT_TEXT);
}
#endif

#ifdef PROGRAM
int main(void) { return 0; }
#endif
