using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace Polyplug.Bridge
{
    /// <summary>The load context of one version of a bundle, which ends when nothing of the version is used any more.</summary>
    internal sealed class BundleContext : AssemblyLoadContext
    {
        private static readonly HashSet<string> Framework = new HashSet<string>(
            ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "").Split(Path.PathSeparator)
                .Select(Path.GetFileNameWithoutExtension),
            StringComparer.OrdinalIgnoreCase);

        /// <summary>The bundle. The runtime keeps a context that is being unloaded until the context's types are unused, so that the context must not keep the types that the bundle has.</summary>
        private readonly WeakReference<Bundle> bundle;
        private readonly string directory;
        private readonly bool isCopy;
        private readonly AssemblyDependencyResolver resolver;

        /// <summary>Makes the context of a bundle.</summary>
        /// <param name="bundle">The bundle.</param>
        /// <param name="directory">The folder that files are read from, or null for a bundle in memory.</param>
        /// <param name="file">The path of the main file in the folder.</param>
        /// <param name="isCopy">True if nobody else changes the folder's files, so that they may stay open.</param>
        internal BundleContext(Bundle bundle, string directory, string file, bool isCopy) : base(bundle.Name, true)
        {
            this.bundle = new WeakReference<Bundle>(bundle);
            this.directory = directory;
            this.isCopy = isCopy;
            if (directory != null && File.Exists(Path.ChangeExtension(file, ".deps.json")))
            {
                try
                {
                    resolver = new AssemblyDependencyResolver(file);
                }
                catch (InvalidOperationException wrong)
                {
                    throw new BundleException(
                        Path.GetFileName(Path.ChangeExtension(file, ".deps.json")) + " cannot be used: " + wrong.Message);
                }
            }
        }

        /// <summary>The bundle, or null if nothing but code that outlived its version is left.</summary>
        internal Bundle Bundle
        {
            get { return bundle.TryGetTarget(out Bundle found) ? found : null; }
        }

        /// <summary>Loads an assembly of the bundle's folder.</summary>
        internal Assembly LoadFile(string path)
        {
            if (isCopy)
            {
                return LoadFromAssemblyPath(path);
            }
            // The file may be overwritten while its code runs.
            string symbols = Path.ChangeExtension(path, ".pdb");
            return LoadBytes(File.ReadAllBytes(path), File.Exists(symbols) ? File.ReadAllBytes(symbols) : null);
        }

        /// <summary>Loads an assembly from its bytes, with the bytes of its pdb if there is one.</summary>
        internal Assembly LoadBytes(byte[] bytes, byte[] symbols)
        {
            return LoadFromStream(new MemoryStream(bytes), symbols == null ? null : new MemoryStream(symbols));
        }

        /// <summary>Returns the pdb of an assembly of the bundle's folder, or null if there is none.</summary>
        internal Stream Symbols(Assembly assembly)
        {
            if (directory == null)
            {
                return null;
            }
            string path = string.IsNullOrEmpty(assembly.Location)
                ? Path.Combine(directory, assembly.GetName().Name + ".dll") : assembly.Location;
            path = Path.ChangeExtension(path, ".pdb");
            return File.Exists(path) ? File.OpenRead(path) : null;
        }

        protected override Assembly Load(AssemblyName name)
        {
            Assembly own = typeof(BundleContext).Assembly;
            if (name.Name == own.GetName().Name)
            {
                return own;
            }
            string path = resolver?.ResolveAssemblyToPath(name);
            if (path == null && directory != null && !Framework.Contains(name.Name))
            {
                path = Probe(name);
            }
            return path == null ? null : LoadFile(path);
        }

        private string Probe(AssemblyName name)
        {
            string culture = string.IsNullOrEmpty(name.CultureName) ? "" : name.CultureName;
            string path = Path.Combine(directory, culture, name.Name + ".dll");
            return File.Exists(path) ? path : null;
        }

        protected override IntPtr LoadUnmanagedDll(string name)
        {
            string path = resolver?.ResolveUnmanagedDllToPath(name);
            if (path == null && directory != null)
            {
                path = NativePaths(name).FirstOrDefault(File.Exists);
            }
            return path == null ? IntPtr.Zero : LoadUnmanagedDllFromPath(path);
        }

        /// <summary>Returns where a native library of the bundle may lie: beside the assembly, or where NuGet packages put it.</summary>
        private IEnumerable<string> NativePaths(string name)
        {
            bool isWindows = RuntimeInformation.IsOSPlatform(OSPlatform.Windows);
            bool isMac = RuntimeInformation.IsOSPlatform(OSPlatform.OSX);
            string extension = isWindows ? ".dll" : isMac ? ".dylib" : ".so";
            string[] files = { name, name + extension, "lib" + name, "lib" + name + extension };
            string system = isWindows ? "win" : isMac ? "osx" : "linux";
            string processor = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
            string[] runtimes = { system + "-" + processor, system + "-musl-" + processor, system, isWindows ? "win" : "unix" };
            IEnumerable<string> folders = runtimes.Select(id => Path.Combine(directory, "runtimes", id, "native"));
            return new[] { directory }.Concat(folders)
                .SelectMany(folder => files.Select(file => Path.Combine(folder, file)));
        }
    }
}
