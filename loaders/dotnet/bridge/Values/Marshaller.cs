using System;

namespace Polyplug.Bridge
{
    /// <summary>The direction in which values cross.</summary>
    internal enum Use
    {
        /// <summary>From canonical memory into .NET.</summary>
        Read,

        /// <summary>From .NET into canonical memory.</summary>
        Write,
    }

    /// <summary>Moves the values of one node in one direction, as values of one type.</summary>
    internal abstract class Marshaller
    {
        /// <summary>Finds the marshallers of the parts. Called once, after this one can be found itself: types may be recursive.</summary>
        /// <exception cref="MismatchException">A part does not match.</exception>
        internal virtual void Resolve(Marshallers all, Node node, Use use)
        {
        }
    }

    /// <summary>Moves the values of one node, as values of type <typeparamref name="T"/>.</summary>
    internal abstract unsafe class Marshaller<T> : Marshaller
    {
        /// <summary>Lifts the value at an address.</summary>
        /// <exception cref="ValueException">The memory does not hold a valid value.</exception>
        internal abstract T Read(byte* at, Scope* scope);

        /// <summary>Lowers a value to an address.</summary>
        /// <exception cref="ValueException">The value is not of the contract's type.</exception>
        internal abstract void Write(byte* at, T value, Scope* scope);
    }

    /// <summary>The reason for which a type of .NET does not stand for a type of a contract.</summary>
    internal sealed class MismatchException : Exception
    {
        internal MismatchException(string message) : base(message)
        {
        }

        /// <summary>Calls a function, and names the place of a mismatch that it finds.</summary>
        internal static T Within<T>(string place, Func<T> find)
        {
            try
            {
                return find();
            }
            catch (MismatchException wrong)
            {
                throw new MismatchException(place + ": " + wrong.Message);
            }
        }

        internal static MismatchException Types(Node node, Type type)
        {
            string form = node.CSharp();
            string named = form == node.Name
                ? "the contract has the " + Definition(node) + " `" + form + "`"
                : "the contract has `" + node.Describe() + "`, which is `" + form + "` in C#";
            string given = TypeNames.Of(type);
            // Two types of one name are told apart by their kinds.
            string kind = given == form ? "the " + Kind(type) + " " : "";
            return new MismatchException(named + ", and not " + kind + "`" + given + "`");
        }

        private static string Kind(Type type)
        {
            return type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct" : "class";
        }

        private static string Definition(Node node)
        {
            return node.Kind.ToString().ToLowerInvariant();
        }
    }
}
