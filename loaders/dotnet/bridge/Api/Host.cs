using System;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Security;
using Polyplug.Bridge;

namespace Polyplug
{
    /// <summary>The contracts that the host provides.</summary>
    [NullableContext(1)]
    public static class Host
    {
        /// <summary>Returns a proxy for a contract of the host.</summary>
        /// <typeparam name="T">An interface whose methods are named like the contract's.</typeparam>
        /// <param name="contract">The contract, as <c>"name@major"</c> or <c>"name@major.minor"</c>.</param>
        /// <exception cref="InvalidOperationException">
        /// The host does not provide the contract, does not grant it to the bundle, or the interface does not match it.
        /// </exception>
        [MethodImpl(MethodImplOptions.NoInlining)]
        [DynamicSecurityMethod]
        public static T Get<T>(string contract) where T : class
        {
            return Remotes.Open<T>(Remotes.Host, contract, Assembly.GetCallingAssembly());
        }
    }

    /// <summary>The contracts that other bundles provide.</summary>
    [NullableContext(1)]
    public static class Peer
    {
        /// <summary>Returns a proxy for a contract of another bundle, which the manifest lists as a dependency.</summary>
        /// <typeparam name="T">An interface whose methods are named like the contract's.</typeparam>
        /// <param name="contract">The contract, as <c>"name@major"</c> or <c>"name@major.minor"</c>.</param>
        /// <exception cref="InvalidOperationException">
        /// The manifest does not declare the contract, no bundle provides it, or the interface does not match it.
        /// </exception>
        [MethodImpl(MethodImplOptions.NoInlining)]
        [DynamicSecurityMethod]
        public static T Get<T>(string contract) where T : class
        {
            return Remotes.Open<T>(Remotes.Peer, contract, Assembly.GetCallingAssembly());
        }
    }
}
