// The calculator of the documentation.
using System;
using Polyplug;

public abstract class MathError
{
    public sealed class DivisionByZero : MathError
    {
    }

    public sealed class Overflow : MathError
    {
        public Overflow(long at)
        {
            At = at;
        }

        public long At { get; }
    }
}

[Plugin("demo.calculator@1")]
public class Calculator
{
    public int Add(int a, int b) => a + b;

    public long Divide(long a, long b)
    {
        if (b == 0)
        {
            throw new DeclaredException<MathError>(new MathError.DivisionByZero());
        }
        if (b == -1 && a == long.MinValue)
        {
            throw new DeclaredException<MathError>(new MathError.Overflow(a));
        }
        return a / b;
    }

    public string Greet(string name) => $"Hello, {name}!";

    public ulong Sum(ReadOnlySpan<byte> data)
    {
        ulong sum = 0;
        foreach (byte each in data)
        {
            sum += each;
        }
        return sum;
    }
}
