// Uses other assemblies and native libraries, as it is told to.
// reference: lib/Words.dll
using System;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using Polyplug;

[Plugin("test.script@1")]
public sealed class Script
{
    [DllImport("triple")]
    private static extern int triple(int number);

    public string Run(string code)
    {
        switch (code)
        {
            case "greet":
                return Greet();
            case "triple":
                return triple(14).ToString();
            case "location":
                return typeof(Script).Assembly.Location;
            case "api":
                return typeof(PluginAttribute).Assembly.GetName().Version.ToString();
            case "same api":
                // As code that loads the assembly by name gets it.
                return (Assembly.Load("Polyplug") == typeof(PluginAttribute).Assembly).ToString();
            case "context":
                return AssemblyLoadContext.GetLoadContext(typeof(Script).Assembly).Name;
            case "directory":
                return PluginContext.Current.Directory;
            case "data":
                string data = PluginContext.Current.DataDirectory;
                File.WriteAllText(Path.Combine(data, "note"), "kept");
                return File.ReadAllText(Path.Combine(data, "note"));
            default:
                return string.Join(
                    ",", AssemblyLoadContext.GetLoadContext(typeof(Script).Assembly).Assemblies.Select(each => each.GetName().Name));
        }
    }

    // In a method of its own, so that the others can be compiled without the library.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static string Greet() => Words.Greet("you");
}
