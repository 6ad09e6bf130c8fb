// A plugin without instances.
using System.Threading;
using Polyplug;

[Plugin("test.script@1", Stateless = true)]
[Plugin("test.singleton@1", Name = "again", Singleton = true)]
public static class Script
{
    private static int count;

    public static string Run(string code) => PluginContext.Current.Bundle + " " + code;

    public static uint Count() => (uint)Interlocked.Increment(ref count);

    public static uint Made() => 0;
}
