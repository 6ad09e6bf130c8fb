// Has methods that are not public.
using Polyplug;

public interface IGreeter
{
    string Greet(string name);
}

[Plugin("demo.calculator@1")]
public sealed class Calculator : IGreeter
{
    public int Add(int a, int b) => a + b;

    internal long Divide(long a, long b) => a / b;

    string IGreeter.Greet(string name) => name;

    private ulong Sum(byte[] data) => 0;
}
