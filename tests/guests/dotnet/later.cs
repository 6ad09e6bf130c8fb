// Is for a minor version of a contract that the host does not have yet.
using Polyplug;

[Plugin("demo.calculator@1.7")]
public sealed class Calculator
{
    public int Add(int a, int b) => a + b;
}
