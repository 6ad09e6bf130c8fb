using System;
using System.Runtime.CompilerServices;

namespace Polyplug
{
    /// <summary>Marks a class that implements a contract. A class with several of these attributes implements several contracts.</summary>
    /// <remarks>
    /// The loader makes an instance with the public constructor that takes a <see cref="PluginContext"/>, or with the one
    /// without parameters. The contract's methods are public methods of the class, named in PascalCase. An instance that is
    /// <see cref="IDisposable"/> is disposed when it ends.
    /// </remarks>
    [AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
    [NullableContext(1)]
    public sealed class PluginAttribute : Attribute
    {
        /// <summary>Names the contract, as <c>"name@major"</c> or <c>"name@major.minor"</c>.</summary>
        public PluginAttribute(string contract)
        {
            Contract = contract;
        }

        /// <summary>The contract, as <c>"name@major"</c> or <c>"name@major.minor"</c>.</summary>
        public string Contract { get; }

        /// <summary>The plugin's own name. A plugin without one has the name of its contract.</summary>
        [Nullable(2)]
        public string Name { get; set; }

        /// <summary>True if one instance serves all callers.</summary>
        public bool Singleton { get; set; }

        /// <summary>True if the plugin keeps nothing from one call to the next.</summary>
        public bool Stateless { get; set; }
    }
}
