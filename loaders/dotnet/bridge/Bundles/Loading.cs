using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;

namespace Polyplug.Bridge
{
    /// <summary>A plugin that a bundle's code declares.</summary>
    internal sealed class PluginDeclaration
    {
        internal Type Type;
        internal PluginAttribute Attribute;
    }

    /// <summary>Loads the assemblies of bundles.</summary>
    internal static class Loading
    {
        /// <summary>Loads the main assembly of a bundle.</summary>
        /// <exception cref="BundleException">There is no assembly that this runtime can load.</exception>
        internal static Assembly Load(BundleContext context, LoadRequest request, string path)
        {
            try
            {
                Assembly main = request.Bytes != null ? context.LoadBytes(request.Bytes, null) : context.LoadFile(path);
                CheckRuntime(main, request.File);
                return main;
            }
            catch (Exception wrong) when (wrong is BadImageFormatException || wrong is FileLoadException)
            {
                throw new BundleException("`" + request.File + "` is no .NET assembly, or one for another processor: "
                    + wrong.Message);
            }
            catch (IOException wrong)
            {
                throw new BundleException("`" + request.File + "` cannot be read: " + wrong.Message);
            }
        }

        /// <summary>Checks that the runtime is not older than the one that an assembly is compiled for.</summary>
        private static void CheckRuntime(Assembly main, string file)
        {
            Version own = typeof(object).Assembly.GetName().Version;
            foreach (AssemblyName name in main.GetReferencedAssemblies())
            {
                // The version of `System.Runtime` was 4 until the runtime's own was 4, and has been the same since.
                bool isRuntime = name.Name == "System.Runtime" || name.Name == "System.Private.CoreLib";
                if (isRuntime && name.Version.Major > own.Major)
                {
                    throw new BundleException("`" + file + "` is compiled for .NET " + name.Version.Major + ", and the runtime is "
                        + System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription
                        + ": install a newer runtime, or compile it with a lower `TargetFramework`");
                }
            }
        }

        /// <summary>Finds the plugins that an assembly declares.</summary>
        internal static List<PluginDeclaration> Find(Assembly main)
        {
            Type[] types;
            try
            {
                types = main.GetTypes();
            }
            catch (ReflectionTypeLoadException wrong)
            {
                throw new BundleException(string.Join("\n", wrong.LoaderExceptions.Select(Explain).Distinct()));
            }
            var found = new List<PluginDeclaration>();
            foreach (Type type in types)
            {
                PluginAttribute[] plugins;
                try
                {
                    plugins = type.GetCustomAttributes<PluginAttribute>(false).ToArray();
                }
                catch (FileNotFoundException missing)
                {
                    throw new BundleException(Explain(missing));
                }
                foreach (PluginAttribute plugin in plugins)
                {
                    if (type.IsAbstract && !type.IsSealed)
                    {
                        throw new BundleException("`" + TypeNames.Of(type) + "` is abstract, and cannot be a plugin");
                    }
                    if (type.ContainsGenericParameters)
                    {
                        throw new BundleException("`" + TypeNames.Of(type) + "` has type parameters, and cannot be a plugin");
                    }
                    found.Add(new PluginDeclaration { Type = type, Attribute = plugin });
                }
            }
            return found;
        }

        /// <summary>Returns the reason for which a type could not be loaded, with the remedy.</summary>
        internal static string Explain(Exception wrong)
        {
            if (wrong is FileNotFoundException missing && missing.FileName != null)
            {
                return "the assembly `" + missing.FileName + "` is missing: put its file into the bundle's folder";
            }
            return wrong.Message;
        }
    }
}
