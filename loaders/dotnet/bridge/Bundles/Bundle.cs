using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using System.Text;

namespace Polyplug.Bridge
{
    /// <summary>One version of a bundle.</summary>
    internal sealed unsafe class Bundle
    {
        private readonly OwnBundle own;
        private readonly BundleContext context;
        private readonly Dictionary<IntPtr, Contract> contracts = new Dictionary<IntPtr, Contract>();
        private readonly Dictionary<(Type, IntPtr), Surface> surfaces = new Dictionary<(Type, IntPtr), Surface>();
        private readonly Dictionary<Assembly, ModuleBuilder> modules = new Dictionary<Assembly, ModuleBuilder>();
        private readonly List<WeakReference<Remote>> remotes = new List<WeakReference<Remote>>();

        /// <summary>Loads a bundle's assembly, and finds the plugins that it declares.</summary>
        /// <exception cref="BundleException">The assembly cannot be loaded.</exception>
        internal Bundle(IntPtr address, LoadRequest request)
        {
            own = new OwnBundle(address);
            Name = request.Name;
            Marshallers = new Marshallers(this);
            Context = new PluginContext(this, request.Directory, request.Config);
            string path = request.Files == null ? request.File : Path.Combine(request.Files, request.File);
            context = new BundleContext(this, request.Files, path, request.IsCopy);
            try
            {
                Assembly main = Loading.Load(context, request, path);
                Plugins = Loading.Find(main);
            }
            catch (Exception)
            {
                context.Unload();
                throw;
            }
        }

        /// <summary>The loader's own bundle, which lives as long as this one.</summary>
        internal IntPtr Address
        {
            get { return own.Address; }
        }

        internal string Name { get; }

        internal PluginContext Context { get; }

        internal Marshallers Marshallers { get; }

        /// <summary>The plugins that the bundle's code declares.</summary>
        internal List<PluginDeclaration> Plugins { get; }

        /// <summary>The load context.</summary>
        internal AssemblyLoadContext LoadContext
        {
            get { return context; }
        }

        /// <summary>Returns the bundle that an assembly belongs to, or null.</summary>
        internal static Bundle Find(Assembly assembly)
        {
            return (AssemblyLoadContext.GetLoadContext(assembly) as BundleContext)?.Bundle;
        }

        /// <summary>Returns the bundle that an assembly belongs to.</summary>
        /// <exception cref="InvalidOperationException">The assembly belongs to no bundle.</exception>
        internal static Bundle Of(Assembly assembly)
        {
            return Find(assembly) ?? throw new InvalidOperationException(
                AssemblyLoadContext.GetLoadContext(assembly) is BundleContext
                    ? "the bundle of `" + assembly.GetName().Name + "` has been unloaded"
                    : "only code of a bundle can call this, and `" + assembly.GetName().Name + "` is not of a bundle");
        }

        /// <summary>Returns whether an assembly belongs to this bundle.</summary>
        internal bool Has(Assembly assembly)
        {
            return assembly != null && AssemblyLoadContext.GetLoadContext(assembly) == context;
        }

        /// <summary>Returns the pdb of an assembly of this bundle, or null if there is none.</summary>
        internal Stream Symbols(Assembly assembly)
        {
            return context.Symbols(assembly);
        }

        /// <summary>Returns the contract that the loader has at an address.</summary>
        internal Contract ContractAt(IntPtr address)
        {
            lock (contracts)
            {
                if (!contracts.TryGetValue(address, out Contract known))
                {
                    var reply = default(Reply);
                    HostFunctions.Describe(address, &reply);
                    known = Contract.Read(address, Wire.Reader(Reply.Take(&reply)));
                    contracts.Add(address, known);
                }
                return known;
            }
        }

        /// <summary>Opens a contract of the host or of a peer.</summary>
        internal object Open(uint target, string name, Type type)
        {
            byte[] utf8 = Encoding.UTF8.GetBytes(name);
            var reply = default(Reply);
            IntPtr address;
            IntPtr imported;
            fixed (byte* start = utf8)
            {
                imported = HostFunctions.Open(Address, target, start, (IntPtr)utf8.Length, &address, &reply);
            }
            if (imported == IntPtr.Zero)
            {
                throw new InvalidOperationException(Reply.TakeText(&reply));
            }
            Surface surface;
            try
            {
                surface = SurfaceOf(type, ContractAt(address));
            }
            catch (MismatchException wrong)
            {
                HostFunctions.Release(imported);
                throw new InvalidOperationException(name + ": " + wrong.Message);
            }
            var remote = new Remote(imported, surface);
            Track(remote);
            return surface.Make(remote);
        }

        private Surface SurfaceOf(Type type, Contract contract)
        {
            lock (surfaces)
            {
                if (!surfaces.TryGetValue((type, contract.Address), out Surface known))
                {
                    known = new Surface(this, type, contract.Name + "@" + contract.Major, contract.Methods);
                    surfaces.Add((type, contract.Address), known);
                }
                return known;
            }
        }

        /// <summary>Remembers an object that is given up when the version ends.</summary>
        internal void Track(Remote remote)
        {
            lock (remotes)
            {
                if (remotes.Count == remotes.Capacity)
                {
                    remotes.RemoveAll(known => !known.TryGetTarget(out _));
                }
                remotes.Add(new WeakReference<Remote>(remote));
            }
        }

        /// <summary>Returns the module for proxies of the interfaces of an assembly.</summary>
        internal ModuleBuilder ModuleFor(Type type)
        {
            lock (modules)
            {
                if (!modules.TryGetValue(type.Assembly, out ModuleBuilder module))
                {
                    // The names of the interface's assemblies mean those of the bundle.
                    using (AssemblyLoadContext.EnterContextualReflection(type.Assembly))
                    {
                        AssemblyBuilder assembly = AssemblyBuilder.DefineDynamicAssembly(
                            new AssemblyName("Polyplug.Proxies." + type.Assembly.GetName().Name),
                            AssemblyBuilderAccess.RunAndCollect);
                        ConstructorInfo ignores = typeof(IgnoresAccessChecksToAttribute)
                            .GetConstructor(new[] { typeof(string) });
                        foreach (Assembly seen in new[] { typeof(Bundle).Assembly, type.Assembly })
                        {
                            assembly.SetCustomAttribute(
                                new CustomAttributeBuilder(ignores, new object[] { seen.GetName().Name }));
                        }
                        module = assembly.DefineDynamicModule("Proxies");
                    }
                    modules.Add(type.Assembly, module);
                }
                return module;
            }
        }

        internal string DataDirectory()
        {
            var reply = default(Reply);
            int status = HostFunctions.DataDirectory(Address, &reply);
            string text = Reply.TakeText(&reply);
            return status == 0 ? text : throw new InvalidOperationException(text);
        }

        internal void OnUnload(Action action)
        {
            var reply = default(Reply);
            IntPtr handle = GCHandle.ToIntPtr(GCHandle.Alloc(action));
            if (HostFunctions.OnUnload(Address, handle, &reply) != 0)
            {
                throw new InvalidOperationException(Reply.TakeText(&reply));
            }
        }

        internal void Log(LogLevel level, string message)
        {
            byte[] utf8 = Encoding.UTF8.GetBytes(message ?? "");
            fixed (byte* start = utf8)
            {
                HostFunctions.Log(Address, (uint)level, start, (IntPtr)utf8.Length);
            }
        }

        /// <summary>Writes to the host's log for the bundle that an assembly belongs to.</summary>
        internal static void Log(Assembly caller, LogLevel level, string message)
        {
            Of(caller).Log(level, message);
        }

        /// <summary>Begins the end of the version. Returns what tells when its code is gone.</summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        internal WeakReference End()
        {
            lock (remotes)
            {
                foreach (WeakReference<Remote> known in remotes)
                {
                    if (known.TryGetTarget(out Remote remote))
                    {
                        remote.Close();
                    }
                }
                remotes.Clear();
            }
            context.Unload();
            return new WeakReference(context, true);
        }
    }

    /// <summary>The loader's own bundle. An object with a finaliser takes a collection more to go, so that this one has nothing else.</summary>
    internal sealed class OwnBundle
    {
        internal readonly IntPtr Address;

        internal OwnBundle(IntPtr address)
        {
            Address = address;
        }

        /// <summary>Gives the loader's bundle back, which code that outlived the version may have used until now.</summary>
        ~OwnBundle()
        {
            // Memory for an object may be taken before the arguments of its constructor are there.
            if (Address != IntPtr.Zero)
            {
                HostFunctions.DropBundle(Address);
            }
        }
    }

    /// <summary>What the loader asks for when a bundle is loaded.</summary>
    internal sealed class LoadRequest
    {
        internal string Name;

        /// <summary>The bundle's own folder, or null.</summary>
        internal string Directory;

        /// <summary>The folder that files are read from, or null for a bundle in memory.</summary>
        internal string Files;

        /// <summary>True if the files are a copy that nobody changes.</summary>
        internal bool IsCopy;

        /// <summary>The path of the main file, relative to the folder.</summary>
        internal string File;

        /// <summary>The assembly of a bundle in memory.</summary>
        internal byte[] Bytes;

        internal IReadOnlyDictionary<string, object> Config;

        internal static LoadRequest Read(BinaryReader reader)
        {
            var request = new LoadRequest
            {
                Name = Wire.Text(reader), Directory = Wire.OptionalText(reader), Files = Wire.OptionalText(reader),
                IsCopy = reader.ReadBoolean(), File = Wire.Text(reader),
            };
            request.Bytes = reader.ReadBoolean() ? reader.ReadBytes(reader.ReadInt32()) : null;
            request.Config = Wire.Table(reader);
            return request;
        }
    }
}
