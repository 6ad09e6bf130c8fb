using System;
using System.Runtime.CompilerServices;

namespace Polyplug
{
    /// <summary>A plugin whose instances keep their state when the bundle is reloaded.</summary>
    [NullableContext(1)]
    public interface IMigrate
    {
        /// <summary>Returns the state of this instance.</summary>
        byte[] Save();

        /// <summary>Takes over the state of an instance of an earlier version. Called on a new instance.</summary>
        /// <param name="state">The bytes that <see cref="Save"/> returned.</param>
        /// <param name="from">The version of the bundle that saved the state.</param>
        void Restore(byte[] state, Version from);
    }
}
