using System;
using System.Reflection;
using System.Reflection.Emit;

namespace Polyplug.Bridge
{
    /// <summary>One field, argument or result, and how compiled code moves it.</summary>
    internal sealed class Part
    {
        private const BindingFlags Own = BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

        /// <summary>The node in the contract.</summary>
        internal readonly Node Node;

        /// <summary>The type in .NET.</summary>
        internal readonly Type Type;

        /// <summary>The marshaller, or null if the code needs none.</summary>
        internal readonly Marshaller Marshaller;

        private Part(Node node, Type type, Marshaller marshaller)
        {
            Node = node;
            Type = type;
            Marshaller = marshaller;
        }

        /// <summary>Finds how to move values of a node as values of a type.</summary>
        /// <exception cref="MismatchException">The type does not stand for the node.</exception>
        internal static Part Of(Marshallers all, Node node, Type type, Use use)
        {
            bool isPlain = Scalars.IsPlain(node) && type == Scalars.TypeOf(node.Scalar);
            return new Part(node, type, isPlain || IsSpan(node, type) ? null : all.Find(node, type, use));
        }

        /// <summary>Finds how to move the arguments of a contract's method as those of a method in C#.</summary>
        /// <exception cref="MismatchException">The methods differ.</exception>
        internal static Part[] OfArguments(Marshallers all, Method method, MethodInfo target, Use use)
        {
            ParameterInfo[] parameters = target.GetParameters();
            if (parameters.Length != method.Arguments.Length)
            {
                throw new MismatchException("the contract has " + method.CountOfArguments + ", and the method "
                    + parameters.Length);
            }
            var parts = new Part[parameters.Length];
            for (int i = 0; i < parts.Length; i++)
            {
                Field argument = method.Arguments[i];
                Type type = parameters[i].ParameterType;
                parts[i] = MismatchException.Within(
                    "argument `" + argument.Name + "`", () => Of(all, argument.Node, type, use));
            }
            return parts;
        }

        /// <summary>Returns whether the value needs no check and no conversion.</summary>
        internal bool IsSimple
        {
            get { return Marshaller == null; }
        }

        /// <summary>Returns whether values of a node may be lent as a span.</summary>
        private static bool IsSpan(Node node, Type type)
        {
            if (!type.IsGenericType)
            {
                return false;
            }
            Type generic = type.GetGenericTypeDefinition();
            if (generic != typeof(ReadOnlySpan<>) && generic != typeof(Span<>))
            {
                return false;
            }
            Type item = type.GetGenericArguments()[0];
            if (node.Kind == NodeKind.Bytes)
            {
                return item == typeof(byte);
            }
            return node.Kind == NodeKind.List && Scalars.IsPlain(node.Of) && item == Scalars.TypeOf(node.Of.Scalar);
        }

        /// <summary>Emits code that lifts the value and leaves it on the stack.</summary>
        /// <param name="il">The code.</param>
        /// <param name="loadMarshaller">Emits code that leaves the part's marshaller on the stack.</param>
        /// <param name="loadAddress">Emits code that leaves the value's address on the stack.</param>
        /// <param name="loadScope">Emits code that leaves the scope on the stack.</param>
        internal void EmitRead(ILGenerator il, Action loadMarshaller, Action loadAddress, Action loadScope)
        {
            if (Marshaller != null)
            {
                loadMarshaller();
                loadAddress();
                loadScope();
                il.Emit(OpCodes.Callvirt, typeof(Marshaller<>).MakeGenericType(Type).GetMethod("Read", Own));
                return;
            }
            loadAddress();
            if (Node.Kind == NodeKind.Scalar)
            {
                il.Emit(Scalars.Load(Node.Scalar));
                return;
            }
            EmitLayout(il);
            string name = Type.GetGenericTypeDefinition() == typeof(Span<>) ? "ReadCopy" : "Read";
            il.Emit(OpCodes.Call, typeof(Spans).GetMethod(name, Own).MakeGenericMethod(Type.GetGenericArguments()));
        }

        /// <summary>Emits code that lowers a value.</summary>
        internal void EmitWrite(
            ILGenerator il, Action loadMarshaller, Action loadAddress, Action loadValue, Action loadScope)
        {
            if (Marshaller != null)
            {
                loadMarshaller();
                loadAddress();
                loadValue();
                loadScope();
                il.Emit(OpCodes.Callvirt, typeof(Marshaller<>).MakeGenericType(Type).GetMethod("Write", Own));
                return;
            }
            loadAddress();
            loadValue();
            if (Node.Kind == NodeKind.Scalar)
            {
                il.Emit(Scalars.Store(Node.Scalar));
                return;
            }
            EmitLayout(il);
            loadScope();
            string name = Type.GetGenericTypeDefinition() == typeof(Span<>) ? "WriteSpan" : "Write";
            il.Emit(OpCodes.Call, typeof(Spans).GetMethod(name, Own).MakeGenericMethod(Type.GetGenericArguments()));
        }

        private void EmitLayout(ILGenerator il)
        {
            il.Emit(OpCodes.Ldc_I4, Node.Kind == NodeKind.Bytes ? 1 : Node.Of.Size);
            il.Emit(OpCodes.Ldc_I4, Node.Kind == NodeKind.Bytes ? 1 : Node.Of.Align);
        }
    }

    /// <summary>Code that addresses are computed in.</summary>
    internal static class Emitting
    {
        /// <summary>The module that owns compiled code.</summary>
        /// <remarks>
        /// It is this assembly's. .NET keeps some memory for ever for each module that owns a method and is unloaded.
        /// </remarks>
        internal static readonly Module Owner = typeof(Emitting).Module;

        /// <summary>Emits code that leaves an argument plus an offset on the stack.</summary>
        internal static void Address(this ILGenerator il, int argument, int offset)
        {
            il.Emit(OpCodes.Ldarg, (short)argument);
            Offset(il, offset);
        }

        /// <summary>Emits code that adds an offset to the address on the stack.</summary>
        internal static void Offset(this ILGenerator il, int offset)
        {
            if (offset != 0)
            {
                il.Emit(OpCodes.Ldc_I4, offset);
                il.Emit(OpCodes.Conv_I);
                il.Emit(OpCodes.Add);
            }
        }

        /// <summary>Emits code that leaves an element of an array of references on the stack.</summary>
        internal static void Element(this ILGenerator il, int index)
        {
            il.Emit(OpCodes.Ldc_I4, index);
            il.Emit(OpCodes.Ldelem_Ref);
        }
    }
}
