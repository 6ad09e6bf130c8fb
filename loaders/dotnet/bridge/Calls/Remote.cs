using System;
using System.Reflection;

namespace Polyplug.Bridge
{
    /// <summary>An object that code of a bundle calls: a contract of the host or of a peer, or an object that was handed over.</summary>
    internal sealed class Remote
    {
        internal const BindingFlags Own = BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance;

        internal Remote(IntPtr address, Surface surface)
        {
            Address = address;
            Surface = surface;
        }

        /// <summary>Releases the loader's own object.</summary>
        ~Remote()
        {
            // Memory for an object may be taken before the arguments of its constructor are there.
            if (Address != IntPtr.Zero)
            {
                HostFunctions.Release(Address);
            }
        }

        /// <summary>The loader's own object, which lives as long as this one.</summary>
        internal IntPtr Address { get; }

        /// <summary>The methods that the object has.</summary>
        internal Surface Surface { get; }

        /// <summary>Gives up the right to call the object. Later calls fail.</summary>
        internal void Close()
        {
            HostFunctions.Close(Address);
        }
    }

    /// <summary>The base of the proxies that are compiled for interfaces.</summary>
    internal abstract class RemoteProxy
    {
        internal Remote Remote;
    }

    /// <summary>The contracts that code of a bundle asks for.</summary>
    internal static unsafe class Remotes
    {
        internal const uint Host = 0;
        internal const uint Peer = 1;

        /// <summary>Opens a contract for the bundle that the interface or the caller belongs to.</summary>
        internal static T Open<T>(uint target, string contract, Assembly caller) where T : class
        {
            if (contract == null)
            {
                throw new ArgumentNullException(nameof(contract));
            }
            Bundle bundle = Bundle.Find(typeof(T).Assembly) ?? Bundle.Of(caller);
            return (T)bundle.Open(target, contract, typeof(T));
        }

        /// <summary>Returns the object behind a proxy, or null if a value is no proxy.</summary>
        internal static Remote Of(object value)
        {
            return value is RemoteProxy proxy ? proxy.Remote : (value as Delegate)?.Target as Remote;
        }
    }
}
