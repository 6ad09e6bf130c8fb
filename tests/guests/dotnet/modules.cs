// Uses other assemblies of its bundle.
// reference: lib/Words.dll
using System;
using System.Reflection;
using Polyplug;

[Plugin("test.modules@1")]
public sealed class Modules
{
    public string Greet(string name) => Words.Greet(name);

    public string Load(string name)
    {
        try
        {
            Assembly.Load(name);
            return null;
        }
        catch (Exception failure)
        {
            return failure.ToString();
        }
    }
}
