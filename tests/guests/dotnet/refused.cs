// A plugin whose methods all differ from their contract, each in another way.
using System;
using System.Collections.Generic;
using System.Threading.Tasks;
using Polyplug;

namespace Refused
{
    public struct Point
    {
        public double X;

        // Not public, so that it does not count.
        internal double Y;
    }

    /// <summary>Two constructors take the same fields.</summary>
    public sealed class Mixed
    {
        public Mixed(bool flag, long number, byte small, char letter, string text, byte[] bytes, ushort last)
        {
        }

        public Mixed(ushort last, byte[] bytes, string text, char letter, byte small, long number, bool flag)
        {
        }
    }

    /// <summary>Lacks a case.</summary>
    public enum Colour
    {
        Red,
        Green,
    }

    public abstract class Shape
    {
        public class Empty : Shape
        {
        }

        public class Dot : Shape
        {
            // The contract has a byte.
            public ushort Size { get; set; }
        }

        public class Line : Shape
        {
        }
    }

    public interface IProgress
    {
        bool Step(uint done, string label);

        void Stop();
    }

    public sealed class Numbers
    {
        public List<int> Other { get; set; }
    }

    [Plugin("test.signatures@1")]
    public class Refused
    {
        public int Fewer(int a) => a;

        public int More(int a) => a;

        public int Width(long a, long b) => 0;

        public string Text(char[] value) => "";

        public int Sign(int value) => value;

        public Task<long> LaterAsync(int value) => null;

        public int Nothing() => 0;

        public int Unit() => 0;

        public int Maybe(int value) => value;

        public bool? Deep(bool? value) => value;

        public Span<int> Numbers(Numbers value) => default(Span<int>);

        public ReadOnlySpan<string> Texts(ReadOnlySpan<string> value) => value;

        public Dictionary<int, string> Map(Dictionary<int, string> value) => value;

        public (string, byte) Tuple((byte, string, int) value) => ("", 0);

        public Mixed Record(Mixed value) => value;

        public Colour Case(Colour value) => value;

        public Shape Variant(Shape value) => value;

        public uint Object(Func<uint> listener, IProgress progress) => 0;

        // Both have the signature.
        public ulong Address(byte[] value) => 0;

        public ulong Address(ReadOnlySpan<byte> value) => 0;

        public ulong Copied(ref byte[] value) => 0;

        public Result<int, string> Fails(string value) => default(Result<int, string>);
    }
}
