// Uses version 2 of a library.
// reference: lib/two/Versioned.dll
using Polyplug;

[Plugin("test.script@1", Singleton = true)]
public sealed class Script
{
    public string Run(string code) => code + " " + Versioned.Text();
}
