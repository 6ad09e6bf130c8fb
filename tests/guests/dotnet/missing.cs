// Lacks methods of its contract. What is not public does not count.
using Polyplug;

[Plugin("demo.calculator@1")]
public sealed class Calculator
{
    public int Add(int a, int b) => a + b;

    public string Greet(string name) => name;

    internal long Divide(long a, long b) => a / b;
}
