// What an author writes by hand for calls of C# from native code: delegates whose addresses native code has.
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;
using Polyplug;

[Plugin("bench.hand@1", Singleton = true)]
public sealed unsafe class ByHand
{
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int AddFunction(IntPtr calculator, int a, int b);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate IntPtr GreetFunction(IntPtr calculator, byte* name, IntPtr length, byte* to, IntPtr room);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate ulong SumFunction(IntPtr calculator, byte* data, IntPtr length);

    private static readonly AddFunction AddDelegate = (calculator, a, b) => Of(calculator).Add(a, b);

    private static readonly GreetFunction GreetDelegate = (calculator, name, length, to, room) =>
    {
        string greeting = Of(calculator).Greet(Encoding.UTF8.GetString(name, (int)length));
        fixed (char* start = greeting)
        {
            return (IntPtr)Encoding.UTF8.GetBytes(start, greeting.Length, to, (int)room);
        }
    };

    private static readonly SumFunction SumDelegate = (calculator, data, length) =>
        Of(calculator).Sum(new ReadOnlySpan<byte>(data, (int)length));

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate void TreeFunction(IntPtr calculator, int value, int* children, IntPtr count, int* to);

    /// A tree of two levels: its value and those of its children, in and out.
    private static readonly TreeFunction TreeDelegate = (calculator, value, children, count, to) =>
    {
        var tree = new Tree { Value = value, Children = new List<Tree>((int)count) };
        for (int i = 0; i < (int)count; i++)
        {
            tree.Children.Add(new Tree { Value = children[i], Children = new List<Tree>() });
        }
        Tree returned = Of(calculator).Tree(tree);
        *to++ = returned.Value;
        foreach (Tree child in returned.Children)
        {
            *to++ = child.Value;
        }
    };

    private static Calculator Of(IntPtr handle) => (Calculator)GCHandle.FromIntPtr(handle).Target;

    /// Returns the object that the functions are called for, and their addresses.
    public ulong[] Functions() => new[]
    {
        (ulong)(long)GCHandle.ToIntPtr(GCHandle.Alloc(new Calculator())),
        (ulong)(long)Marshal.GetFunctionPointerForDelegate(AddDelegate),
        (ulong)(long)Marshal.GetFunctionPointerForDelegate(GreetDelegate),
        (ulong)(long)Marshal.GetFunctionPointerForDelegate(SumDelegate),
        (ulong)(long)Marshal.GetFunctionPointerForDelegate(TreeDelegate),
    };

    private sealed class Calculator
    {
        public int Add(int a, int b) => a + b;

        public string Greet(string name) => "Hello, " + name + "!";

        public Tree Tree(Tree value) => value;

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
}

public sealed class Tree
{
    public int Value;
    public List<Tree> Children;
}

[Plugin("bench.trees@1")]
public sealed class Trees
{
    public Tree Tree(Tree value) => value;
}
