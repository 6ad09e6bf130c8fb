// Implements an earlier minor version of its contract.
using System;
using Polyplug;

public abstract class MathError
{
}

public sealed class DivisionByZero : MathError
{
}

public sealed class Overflow : MathError
{
    public long At { get; set; }
}

[Plugin("demo.calculator@1.1")]
public sealed class Calculator
{
    public int Add(int a, int b) => a + b;

    public long Divide(long a, long b)
    {
        return b != 0 ? a / b : throw new DeclaredException<MathError>(new DivisionByZero());
    }

    public string Greet(string name) => $"Hello, {name}!";
}
