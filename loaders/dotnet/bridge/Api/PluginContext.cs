using System;
using System.Collections.Generic;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Security;
using Polyplug.Bridge;

namespace Polyplug
{
    /// <summary>The bundle of a plugin, as the plugin sees it.</summary>
    [NullableContext(1)]
    public sealed class PluginContext
    {
        private readonly Bundle bundle;

        internal PluginContext(Bundle bundle, string directory, IReadOnlyDictionary<string, object> config)
        {
            this.bundle = bundle;
            Directory = directory;
            Config = config;
        }

        /// <summary>The context of the bundle whose code reads this property.</summary>
        /// <exception cref="InvalidOperationException">The caller is not code of a bundle.</exception>
        public static PluginContext Current
        {
            [MethodImpl(MethodImplOptions.NoInlining)]
            [DynamicSecurityMethod]
            get { return Bridge.Bundle.Of(Assembly.GetCallingAssembly()).Context; }
        }

        /// <summary>The bundle's name.</summary>
        public string Bundle
        {
            get { return bundle.Name; }
        }

        /// <summary>The bundle's directory, or null for a bundle in memory.</summary>
        [Nullable(2)]
        public string Directory { get; }

        /// <summary>The folder in which the bundle keeps its data. All versions of a bundle have the same folder, which is made when it is first asked for.</summary>
        /// <exception cref="InvalidOperationException">The host gives bundles no such folder, or it cannot be made.</exception>
        public string DataDirectory
        {
            get { return bundle.DataDirectory(); }
        }

        /// <summary>The bundle's settings: <c>string</c>, <c>long</c>, <c>double</c>, <c>bool</c>, lists and tables of those.</summary>
        public IReadOnlyDictionary<string, object> Config { get; }

        /// <summary>Has a function called before the code of this version is unloaded, after its last call has returned.</summary>
        /// <remarks>The function that was registered last runs first. An exception is logged.</remarks>
        /// <exception cref="InvalidOperationException">The version is being unloaded already.</exception>
        public void OnUnload(Action action)
        {
            bundle.OnUnload(action ?? throw new ArgumentNullException(nameof(action)));
        }

        /// <summary>Writes to the host's log.</summary>
        public void Log(LogLevel level, string message)
        {
            bundle.Log(level, message);
        }
    }
}
