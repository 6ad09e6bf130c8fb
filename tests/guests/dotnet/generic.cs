// A plugin that cannot be made without knowing its type parameter.
using Polyplug;

[Plugin("test.script@1")]
public sealed class Script<T>
{
    public string Run(string code) => typeof(T) + code;
}
