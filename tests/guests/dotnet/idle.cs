// Declares no plugin.
public sealed class Calculator
{
    public int Add(int a, int b) => a + b;
}
