using System;
using System.Reflection.Emit;
using System.Text;

namespace Polyplug.Bridge
{
    /// <summary>The scalars of contracts and their types in .NET.</summary>
    internal static class Scalars
    {
        private static readonly Type[] Types =
        {
            typeof(bool), typeof(sbyte), typeof(short), typeof(int), typeof(long), typeof(byte), typeof(ushort), typeof(uint),
            typeof(ulong), typeof(float), typeof(double), typeof(char),
        };

        internal static Type TypeOf(Scalar scalar)
        {
            return Types[(int)scalar];
        }

        /// <summary>Returns whether every bit pattern is a value, so that the value needs no check.</summary>
        internal static bool IsPlain(Node node)
        {
            return node.Kind == NodeKind.Scalar && node.Scalar != Scalar.Bool && node.Scalar != Scalar.Char;
        }

        internal static OpCode Load(Scalar scalar)
        {
            switch (scalar)
            {
                case Scalar.I8: return OpCodes.Ldind_I1;
                case Scalar.I16: return OpCodes.Ldind_I2;
                case Scalar.I32: return OpCodes.Ldind_I4;
                case Scalar.I64:
                case Scalar.U64: return OpCodes.Ldind_I8;
                case Scalar.U8: return OpCodes.Ldind_U1;
                case Scalar.U16: return OpCodes.Ldind_U2;
                case Scalar.U32: return OpCodes.Ldind_U4;
                case Scalar.F32: return OpCodes.Ldind_R4;
                default: return OpCodes.Ldind_R8;
            }
        }

        internal static OpCode Store(Scalar scalar)
        {
            switch (scalar)
            {
                case Scalar.I8:
                case Scalar.U8: return OpCodes.Stind_I1;
                case Scalar.I16:
                case Scalar.U16: return OpCodes.Stind_I2;
                case Scalar.I32:
                case Scalar.U32: return OpCodes.Stind_I4;
                case Scalar.I64:
                case Scalar.U64: return OpCodes.Stind_I8;
                case Scalar.F32: return OpCodes.Stind_R4;
                default: return OpCodes.Stind_R8;
            }
        }

        /// <summary>Returns the marshaller of a scalar, or null if the type does not stand for it.</summary>
        internal static Marshaller Find(Scalar scalar, Type type)
        {
            if (scalar == Scalar.Char && type == typeof(Rune))
            {
                return new RuneMarshaller();
            }
            if (type != TypeOf(scalar))
            {
                return null;
            }
            switch (scalar)
            {
                case Scalar.Bool: return new BoolMarshaller();
                case Scalar.Char: return new CharMarshaller();
                default: return (Marshaller)Activator.CreateInstance(typeof(PlainMarshaller<>).MakeGenericType(type));
            }
        }
    }

    internal sealed unsafe class PlainMarshaller<T> : Marshaller<T>
    {
        internal override T Read(byte* at, Scope* scope)
        {
            return System.Runtime.CompilerServices.Unsafe.Read<T>(at);
        }

        internal override void Write(byte* at, T value, Scope* scope)
        {
            System.Runtime.CompilerServices.Unsafe.Write(at, value);
        }
    }

    internal sealed unsafe class BoolMarshaller : Marshaller<bool>
    {
        internal override bool Read(byte* at, Scope* scope)
        {
            return *at <= 1 ? *at == 1 : throw new ValueException(*at + " is no bool");
        }

        internal override void Write(byte* at, bool value, Scope* scope)
        {
            *at = value ? (byte)1 : (byte)0;
        }
    }

    internal sealed unsafe class RuneMarshaller : Marshaller<Rune>
    {
        internal override Rune Read(byte* at, Scope* scope)
        {
            uint value = *(uint*)at;
            return Rune.IsValid(value) ? new Rune(value) : throw new ValueException(value + " is no char");
        }

        internal override void Write(byte* at, Rune value, Scope* scope)
        {
            *(uint*)at = (uint)value.Value;
        }
    }

    internal sealed unsafe class CharMarshaller : Marshaller<char>
    {
        internal override char Read(byte* at, Scope* scope)
        {
            uint value = *(uint*)at;
            if (value <= char.MaxValue && !char.IsSurrogate((char)value))
            {
                return (char)value;
            }
            throw new ValueException(Rune.IsValid(value)
                ? "the letter " + new Rune(value) + " does not fit a `char` of C#: use `System.Text.Rune`"
                : value + " is no char");
        }

        internal override void Write(byte* at, char value, Scope* scope)
        {
            if (char.IsSurrogate(value))
            {
                throw new ValueException("expected char, got half of a surrogate pair");
            }
            *(uint*)at = value;
        }
    }

    internal sealed unsafe class UnitMarshaller : Marshaller<ValueTuple>
    {
        internal override ValueTuple Read(byte* at, Scope* scope)
        {
            return default(ValueTuple);
        }

        internal override void Write(byte* at, ValueTuple value, Scope* scope)
        {
        }
    }
}
