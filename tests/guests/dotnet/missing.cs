// Lacks methods of its contract.
using Polyplug;

[Plugin("demo.calculator@1")]
public sealed class Calculator
{
    public int Add(int a, int b) => a + b;

    public string Greet(string name) => name;
}
