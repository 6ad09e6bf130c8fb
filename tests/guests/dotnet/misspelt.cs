// Has a method whose name is misspelt.
using Polyplug;

[Plugin("demo.calculator@1")]
public sealed class Calculator
{
    public int Add(int a, int b) => a + b;

    public long Divdie(long a, long b) => a / b;

    public string Greet(string name) => name;

    public ulong Sum(byte[] data) => 0;
}
