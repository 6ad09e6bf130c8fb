// Two classes for the same contract.
using Polyplug;

[Plugin("test.script@1")]
public sealed class First
{
    public string Run(string code) => "first " + code;
}

[Plugin("test.script@1")]
public sealed class Second
{
    public string Run(string code) => "second " + code;
}
